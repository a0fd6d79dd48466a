import { mkdir } from "node:fs/promises";
import path from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { sql } from "drizzle-orm";
import { drizzle as drizzleOverPostgres } from "drizzle-orm/node-postgres";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { drizzle as drizzleOverPglite } from "drizzle-orm/pglite";
import { Pool } from "pg";
import { StartError } from "../start-error.ts";
import { migrateEmbedded, migrateShared } from "./migrate.ts";
import * as schema from "./schema.ts";

/** What repositories work on: a connection pool, an embedded database, or a transaction of either. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

/** Where the rows live; `readDatabaseUrl` reads one from a `DATABASE_URL`. */
export type DatabaseLocation =
  | { kind: "postgres"; url: string }
  /** `folder` is the service's own: the database's files are in `database` within it. */
  | { kind: "embedded"; folder: string }
  | { kind: "memory" };

export interface OpenDatabase {
  database: Database;
  /** Resolves when the database answers, and rejects when it does not. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads a `DATABASE_URL`: `postgres://…`, `pglite://<folder>` (relative to the working directory, or absolute with
 * a third slash) or `pglite://memory`.
 *
 * @returns `undefined` for anything else
 */
export function readDatabaseUrl(text: string): DatabaseLocation | undefined {
  if (/^postgres(ql)?:\/\/./.test(text)) {
    return URL.canParse(text) ? { kind: "postgres", url: text } : undefined;
  }
  const folder = /^pglite:\/\/(.+)$/.exec(text)?.[1];
  if (folder === undefined) return undefined;
  return folder === "memory" ? { kind: "memory" } : { kind: "embedded", folder: path.resolve(folder) };
}

/**
 * Connects, and brings the tables up to date.
 *
 * @throws {StartError} when the database cannot be reached or opened
 */
export async function openDatabase(location: DatabaseLocation): Promise<OpenDatabase> {
  return location.kind === "postgres" ? openShared(location.url) : openEmbedded(location);
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A database that hangs must not hang every request with it. */
const QUERY_TIMEOUT_MS = 10_000;
const CONNECT_ATTEMPTS = 5;

async function openShared(url: string): Promise<OpenDatabase> {
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
  const database = drizzleOverPostgres(pool, { schema });
  return {
    database: database as unknown as Database,
    ping: async () => void (await database.execute(sql`select 1`)),
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

/** Node reports several refused addresses as an aggregate without a message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

async function openEmbedded(location: Exclude<DatabaseLocation, { kind: "postgres" }>) {
  return overPglite(await openPglite(location));
}

/** Brings an embedded database that is open already up to date. */
export async function overPglite(client: PGlite): Promise<OpenDatabase> {
  const database = drizzleOverPglite(client, { schema });
  await migrateEmbedded(database);
  return {
    database: database as unknown as Database,
    ping: async () => void (await client.query("select 1")),
    close: () => client.close(),
  };
}

async function openPglite(location: Exclude<DatabaseLocation, { kind: "postgres" }>) {
  if (location.kind === "memory") return PGlite.create();
  const files = path.join(location.folder, "database");
  try {
    await mkdir(files, { recursive: true, mode: 0o700 });
    return await PGlite.create(files);
  } catch (error) {
    throw new StartError(
      `DATABASE_URL: the embedded database in ${files} cannot be opened: ${reasonOf(error)}. ` +
        "Check that the folder can be written to; if its files are damaged, move it away and start again.",
    );
  }
}
