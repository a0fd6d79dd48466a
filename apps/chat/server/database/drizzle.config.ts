import { defineConfig } from "drizzle-kit";

/** For `drizzle-kit generate` alone: the service applies the migrations itself when it starts. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./server/database/schema.ts",
  out: "./server/database/migrations",
});
