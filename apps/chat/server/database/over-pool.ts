import { drizzle } from "drizzle-orm/node-postgres";
import type { Pool } from "pg";
import type { Database, OpenDatabase } from "./connect.ts";
import { probeWrites } from "./probe.ts";
import * as schema from "./schema.ts";

/**
 * Opens a server's or an embedded database's pool for the repositories.
 *
 * @param reserved a pool that requests do not use. Default: the same
 */
export function overPool(pool: Pool & { readonly isBusy?: boolean }, reserved: Pool = pool): OpenDatabase {
  const pools = new Set([pool, reserved]);
  // Without a listener, a connection that PostgreSQL closes while idle would end the process.
  for (const each of pools) each.on("error", () => {});
  const over = (each: Pool) => drizzle(each, { schema }) as unknown as Database;
  const ofAnswers = over(reserved);
  return {
    database: over(pool),
    reserved: ofAnswers,
    probe: () => probeWrites(ofAnswers),
    isBusy: () => pool.isBusy ?? false,
    freeBytes: async () => undefined,
    isShared: true,
    async close() {
      await Promise.all([...pools].map((each) => each.end()));
    },
  };
}
