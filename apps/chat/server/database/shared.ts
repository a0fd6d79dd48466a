import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client, Pool } from "pg";
import { StartError } from "../start-error.ts";
import type { Database, OpenDatabase } from "./connect.ts";
import { migrationsFolder } from "./migrations-folder.ts";
import { probeWrites } from "./probe.ts";
import { reasonOf } from "./reason.ts";
import * as schema from "./schema.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** A database that hangs must not hang every request with it. */
const QUERY_TIMEOUT_MS = 10_000;
const CONNECT_ATTEMPTS = 5;

/** Any number, the same in every process that shares the database: "headgate" on a telephone's keys. */
const MIGRATION_LOCK = 43_234_283;

/**
 * Connects to a PostgreSQL server, and brings the tables up to date.
 *
 * @throws {StartError} when the server cannot be reached
 */
export async function openShared(url: string): Promise<OpenDatabase> {
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    max: 20,
  });
  // Without a listener, a connection that PostgreSQL closes while idle would end the process.
  pool.on("error", () => {});
  try {
    await waitUntilReachable(pool, url);
    await migrateShared(url);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const database = drizzle(pool, { schema });
  return {
    database: database as unknown as Database,
    probe: () => probeWrites(database as unknown as Database),
    freeBytes: async () => undefined,
    isShared: true,
    close: () => pool.end(),
  };
}

/** A database that starts together with the service (as in a compose file) is given a moment. */
async function waitUntilReachable(pool: Pool, url: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return void (await pool.query("select 1"));
    } catch (error) {
      if (attempt < CONNECT_ATTEMPTS && isNotYetListening(error)) {
        await new Promise((resolve) => setTimeout(resolve, attempt * 500));
        continue;
      }
      throw new StartError(
        `DATABASE_URL: the PostgreSQL server at ${new URL(url).host} cannot be used: ${reasonOf(error)}. ` +
          "Check that it runs, and that the address, the database's name and the password are right.",
      );
    }
  }
}

function isNotYetListening(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "57P03";
}

/**
 * Applies what is missing, one process at a time: containers that start together would collide otherwise. On a
 * connection of its own, since the service's may not wait as long as a migration may take.
 */
async function migrateShared(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const database = drizzle(client);
  try {
    await database.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`);
    await migrate(database, { migrationsFolder });
  } finally {
    // The lock is the connection's, and goes with it.
    await client.end();
  }
}
