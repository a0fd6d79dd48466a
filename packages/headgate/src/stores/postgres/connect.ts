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

/** The clients that a store can use. */
export type PostgresClient = QueryClient | PostgresJsClient;

/** One statement, in a form that every driver can run. */
export interface Statement {
  readonly text: string;
  readonly values: readonly (string | number | null)[];
  /** The name to prepare it under; `undefined`: it is not prepared. */
  readonly name: string | undefined;
}

/** The common interface of all drivers. */
export interface Connection {
  /** Whether it runs one statement after the other: sending two at a time would gain nothing. */
  readonly single: boolean;
  /** Resolves with the rows. */
  run(statement: Statement): Promise<readonly Row[]>;
  /** Present only if the store itself connected. */
  close?(): Promise<void>;
}

/** @throws HeadgateError `store-invalid` if it is not one of the clients. */
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

/** `pg` prepares a statement if it gets an object with a name. */
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
/** If a statement takes longer than this, ms, its connection is treated as lost. The limiter's time limit is much shorter. */
export const statementMs = 10_000;

/**
 * Connects to the database of a URL: `postgres://…` and `postgresql://…` with `pg`, or with `postgres` if that is installed
 * instead; `pglite://memory` and `pglite://<folder>` with PGlite.
 *
 * @throws HeadgateError `store-invalid` if the driver is not installed.
 */
export async function connectTo(url: string, connections: number): Promise<Connection> {
  return /^pglite:/i.test(url) ? connectPglite(url) : connectServer(url, connections);
}

/** Loads the driver that `connectTo` uses for this URL, without connecting. */
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
    // If an idle connection breaks, the pool removes it. Without a listener, its error would end the process.
    pool.on("error", () => {});
    return { ...connectionOver(pool), close: () => pool.end() };
  }
  const postgres = await importPostgres();
  if (postgres !== undefined) {
    const sql = postgres.default(url, {
      max: connections,
      connect_timeout: connectMs / 1000,
      // An idle connection keeps the process alive: use the same time as for pg.
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

// Bundlers accept a missing package only if they see that its import may fail: esbuild needs `catch`, Turbopack needs `try`.
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
