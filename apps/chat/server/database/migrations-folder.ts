import { fileURLToPath } from "node:url";

/**
 * The folder of the migrations. The path works from this file and from the bundle in `server/dist`.
 */
export const migrationsFolder = fileURLToPath(new URL("../database/migrations", import.meta.url));
