import { fileURLToPath } from "node:url";

/**
 * Where `npm run database:generate` writes. Named by way of the folder's name, so that it is found from `server/dist`,
 * where the bundle is, as well as from here.
 */
export const migrationsFolder = fileURLToPath(new URL("../database/migrations", import.meta.url));
