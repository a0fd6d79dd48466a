import { HeadgateError } from "../../core/errors.ts";
import { show } from "../../core/show.ts";
import { absent, notInstalled } from "../shared/absent.ts";

type Row = Record<string, unknown>;

/** A `Pool`, a `Client` or a `PoolClient` of `pg`, or a `PGlite`. */
export interface QueryClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** What `postgres` (porsager/postgres) returns. */
export interface PostgresJsClient {
  unsafe(
    text: string,
    // biome-ignore lint/suspicious/noExplicitAny: its parameters are typed by its own, wider union
    values?: any[],
    options?: { prepare?: boolean },
  ): PromiseLike<readonly unknown[]>;
}

/** The clients that a store can work over. */
export type PostgresClient = QueryClient | PostgresJsClient;

/** One statement, as every driver can run it. */
export interface Statement {
  readonly text: string;
  readonly values: readonly (string | number | null)[];
  /** The name to prepare it under; `undefined`: it is not prepared. */
  readonly name: string | undefined;
}

/** A driver, whichever it is. */
export interface Connection {
  /** Whether it runs one statement after the other: to send it two at a time gains nothing. */
  readonly single: boolean;
  /** Resolves with the rows. */
  run(statement: Statement): Promise<readonly Row[]>;
  /** Only where the store itself connected. */
  close?(): Promise<void>;
}

/** @throws HeadgateError `store-invalid` where it is none of the clients. */
export function connectionOver(client: PostgresClient): Connection {
  if (isPostgresJs(client)) {
    return {
      single: false,
      run: async ({ text, values, name }) =>
        (await client.unsafe(text, [...values], { prepare: name !== undefined })) as readonly Row[],
    };
  }
  if (typeof client?.query !== "function") {
    throw new HeadgateError(
      "store-invalid",
      "postgresStore takes a URL, a Pool or Client of pg, the sql function of postgres, or a PGlite, " +
        `got ${show(client)}.`,
    );
  }
  if (isPg(client)) {
    return {
      single: !("totalCount" in client),
      run: async ({ text, values, name }) =>
        (await client.query({ text, values: [...values], ...(name === undefined ? {} : { name }) }))
          .rows as readonly Row[],
    };
  }
  return {
    single: true,
    run: async ({ text, values }) => (await client.query(text, [...values])).rows as readonly Row[],
  };
}

function isPostgresJs(client: PostgresClient): client is PostgresJsClient {
  return typeof client === "function" && typeof (client as PostgresJsClient).unsafe === "function";
}

/** `pg` prepares a statement that it is given as an object with a name. */
interface PgClient {
  connect: unknown;
  query(config: { text: string; values: unknown[]; name?: string }): Promise<{ rows: unknown[] }>;
}

function isPg(client: object): client is PgClient {
  return typeof (client as Partial<PgClient>).connect === "function";
}

/** How long connecting may take, ms. */
const connectMs = 5000;
/** How long an idle connection is kept, ms: the first statement on a new one is slow. */
const idleMs = 300_000;
/** A statement that takes longer has lost its connection, ms. The limiter waits for much less. */
export const statementMs = 10_000;

/**
 * Connects to what a URL names: `postgres://…` and `postgresql://…` by `pg`, or by `postgres` where that is installed
 * instead; `pglite://memory` and `pglite://<folder>` by PGlite.
 *
 * @throws HeadgateError `store-invalid` where the driver is not installed.
 */
export async function connectTo(url: string, connections: number): Promise<Connection> {
  return /^pglite:/i.test(url) ? connectPglite(url) : connectServer(url, connections);
}

/** Loads the driver that `connectTo` uses for this URL, and connects nothing. */
export async function loadDriver(url: string): Promise<unknown> {
  return /^pglite:/i.test(url) ? importPglite() : ((await importPg()) ?? importPostgres());
}

async function connectServer(url: string, connections: number): Promise<Connection> {
  const pg = await importPg();
  if (pg !== undefined) {
    const pool = new pg.default.Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: connectMs,
      query_timeout: statementMs,
      keepAlive: true,
      idleTimeoutMillis: idleMs,
      allowExitOnIdle: true,
      application_name: "headgate",
    });
    // An idle connection that breaks has left the pool by itself; without a listener it would end the process.
    pool.on("error", () => {});
    return { ...connectionOver(pool), close: () => pool.end() };
  }
  const postgres = await importPostgres();
  if (postgres !== undefined) {
    const sql = postgres.default(url, {
      max: connections,
      connect_timeout: connectMs / 1000,
      // An idle connection keeps a process alive: as long as those of pg.
      idle_timeout: 10,
      connection: { application_name: "headgate" },
      onnotice: () => {},
    });
    return { ...connectionOver(sql), close: () => sql.end({ timeout: statementMs / 1000 }) };
  }
  throw notInstalled("A store at postgres:// needs a driver, and none is installed: npm install pg");
}

async function connectPglite(url: string): Promise<Connection> {
  const pglite = await importPglite();
  if (pglite === undefined) {
    throw notInstalled(
      "A store at pglite:// needs PGlite, and it is not installed: npm install @electric-sql/pglite",
    );
  }
  const folder = url.replace(/^pglite:(\/\/)?/i, "");
  const database = await (folder === "memory" || folder === ""
    ? pglite.PGlite.create()
    : pglite.PGlite.create(folder));
  return { ...connectionOver(database), close: () => database.close() };
}

// Bundlers let a package be absent only where they see that its import may fail: esbuild by `catch`, Turbopack by `try`.
async function importPg() {
  try {
    return await import("pg").catch(absent);
  } catch (error) {
    return absent(error);
  }
}

async function importPostgres() {
  try {
    return await import("postgres").catch(absent);
  } catch (error) {
    return absent(error);
  }
}

async function importPglite() {
  try {
    return await import("@electric-sql/pglite").catch(absent);
  } catch (error) {
    return absent(error);
  }
}
