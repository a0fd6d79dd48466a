import path from "node:path";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type * as schema from "./schema.ts";

/** The database of the repositories: a connection pool, an embedded database, or a transaction of either. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

/** Where the rows are stored; `readDatabaseUrl` reads one from a `DATABASE_URL`. */
export type DatabaseLocation =
  | { kind: "postgres"; url: string }
  /** `folder` belongs to the service. The database's files are in its subfolder `database`. */
  | { kind: "embedded"; folder: string }
  | { kind: "memory" };

export interface OpenDatabase {
  database: Database;
  /**
   * The same database through connections that requests cannot use up: for saving answers that have begun, and for checks.
   */
  reserved: Database;
  /** Resolves if the database answers and accepts writes, and rejects otherwise. */
  probe(): Promise<void>;
  /** Whether a request was refused within the last seconds because all connections were in use. */
  isBusy(): boolean;
  /** Returns the free space of the database's disk; `undefined` if it has no files, or they are on another machine. */
  freeBytes(): Promise<number | undefined>;
  /** Whether other processes may use the database. */
  isShared: boolean;
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
 * @throws {StartError} if the database cannot be reached or opened
 */
export async function openDatabase(location: DatabaseLocation): Promise<OpenDatabase> {
  // Load only the driver that is needed, because loading a driver is the slowest step of a start.
  if (location.kind === "postgres") {
    const { openShared } = await import("./shared.ts");
    return openShared(location.url);
  }
  const { openEmbedded } = await import("./embedded.ts");
  return openEmbedded(location);
}
