import { defineConfig } from "drizzle-kit";

/** Only for `drizzle-kit generate`. The service applies migrations itself when it starts. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./server/database/schema.ts",
  out: "./server/database/migrations",
});
