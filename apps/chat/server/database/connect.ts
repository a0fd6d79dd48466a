import path from "node:path";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type * as schema from "./schema.ts";

/** The database of the repositories: a connection pool, an embedded database, or a transaction of either. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

/** Where the rows are stored; `readDatabaseUrl` reads one from a `DATABASE_URL`. */
export type DatabaseLocation =
  | { kind: "postgres"; url: string }
  /** `folder` is the service's own: the database's files are in `database` within it. */
  | { kind: "embedded"; folder: string }
  | { kind: "memory" };

export interface OpenDatabase {
  database: Database;
  /** Resolves when the database answers and takes what is written, and rejects when it does not. */
  probe(): Promise<void>;
  /** The free space of the disk that its files are on; `undefined` if it has no files, or they are on another machine. */
  freeBytes(): Promise<number | undefined>;
  /** Whether other processes may be using it. */
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
 * @throws {StartError} when the database cannot be reached or opened
 */
export async function openDatabase(location: DatabaseLocation): Promise<OpenDatabase> {
  // Each needs a driver that the other does not, and loading a driver is the slowest step of a start.
  if (location.kind === "postgres") {
    const { openShared } = await import("./shared.ts");
    return openShared(location.url);
  }
  const { openEmbedded } = await import("./embedded.ts");
  return openEmbedded(location);
}
