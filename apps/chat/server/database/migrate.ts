import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate as migrateOverPostgres } from "drizzle-orm/node-postgres/migrator";
import type { PgliteDatabase } from "drizzle-orm/pglite";
import { migrate as migrateOverPglite } from "drizzle-orm/pglite/migrator";
import { Client } from "pg";

const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));

/** Any number, the same in every process that shares the database: "headgate" on a telephone's keys. */
const MIGRATION_LOCK = 43_234_283;

/** Applies what is missing. One process alone has an embedded database, so nobody else can be doing the same. */
export async function migrateEmbedded(
  database: PgliteDatabase<Record<string, unknown>> | PgliteDatabase<never>,
): Promise<void> {
  await migrateOverPglite(database, { migrationsFolder });
}

/**
 * Applies what is missing, one process at a time: containers that start together would collide otherwise. On a
 * connection of its own, since the service's may not wait as long as a migration may take.
 */
export async function migrateShared(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const database = drizzle(client);
  try {
    await database.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`);
    await migrateOverPostgres(database, { migrationsFolder });
  } finally {
    // The lock is the connection's, and goes with it.
    await client.end();
  }
}
