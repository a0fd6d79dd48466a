import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client, type Pool, type PoolConfig } from "pg";
import { StartError } from "../start-error.ts";
import type { OpenDatabase } from "./connect.ts";
import { migrationsFolder } from "./migrations-folder.ts";
import { overPool } from "./over-pool.ts";
import { reasonOf } from "./reason.ts";
import { RequestPool } from "./request-pool.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** The time limit of a query, so that a hanging database does not block requests for ever. */
const QUERY_TIMEOUT_MS = 10_000;
const CONNECT_ATTEMPTS = 5;
/** How long a connection that nobody uses stays open. */
const IDLE_MS = 300_000;
/** For requests. */
const CONNECTIONS = 14;
/** For answers that have begun, and for checks: a flood of requests must not delay these. */
const RESERVED_CONNECTIONS = 6;
/** An answer is lost if it cannot be saved, and all answers may end together, so they wait longer for a connection. */
const RESERVED_WAIT_MS = 15_000;

/** An arbitrary number that all processes use: "headgate" on a phone keypad. */
const MIGRATION_LOCK = 43_234_283;

/**
 * Connects to a PostgreSQL server, and brings the tables up to date.
 *
 * @param poolOptions replaces settings of the connections, for tests
 * @throws {StartError} if the server cannot be reached
 */
export async function openShared(url: string, poolOptions: PoolConfig = {}): Promise<OpenDatabase> {
  const options: PoolConfig = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    // Opening one is slow, and slowest in an overload.
    idleTimeoutMillis: IDLE_MS,
    ...poolOptions,
  };
  const pool = new RequestPool({ max: CONNECTIONS, ...options });
  const reserved = new RequestPool({
    ...options,
    max: RESERVED_CONNECTIONS,
    connectionTimeoutMillis: RESERVED_WAIT_MS,
  });
  const open = overPool(pool, reserved);
  try {
    await waitUntilReachable(pool, url);
    await migrateShared(url);
  } catch (error) {
    await open.close();
    throw error;
  }
  return open;
}

/** Waits for a database that starts together with the service, as in a compose file. */
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
        `DATABASE_URL: cannot use the PostgreSQL server at ${new URL(url).host}: ${reasonOf(error)}. ` +
          "Check that it is running, and that the address, the database name and the password are right.",
      );
    }
  }
}

function isNotYetListening(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "57P03";
}

/**
 * Applies missing migrations, one process at a time, because containers may start together. Uses a separate connection,
 * since a migration may take longer than the service's time limit for queries.
 */
async function migrateShared(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const database = drizzle(client);
  try {
    await database.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`);
    await migrate(database, { migrationsFolder });
  } finally {
    // Closing the connection releases the lock.
    await client.end();
  }
}
