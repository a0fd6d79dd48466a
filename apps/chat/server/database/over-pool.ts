import { drizzle } from "drizzle-orm/node-postgres";
import type { Pool } from "pg";
import type { Database, OpenDatabase } from "./connect.ts";
import { probeWrites } from "./probe.ts";
import * as schema from "./schema.ts";

/** Opens a server's or an embedded database's pool for the repositories. */
export function overPool(pool: Pool): OpenDatabase {
  // Without a listener, a connection that PostgreSQL closes while idle would end the process.
  pool.on("error", () => {});
  const database = drizzle(pool, { schema }) as unknown as Database;
  return {
    database,
    probe: () => probeWrites(database),
    freeBytes: async () => undefined,
    isShared: true,
    close: () => pool.end(),
  };
}
