import { mkdir, statfs } from "node:fs/promises";
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { PGlite, type PGliteOptions, type Transaction } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { createFairTurns, type FairTurns } from "../fair-turns.ts";
import { StartError } from "../start-error.ts";
import type { Database, DatabaseLocation, OpenDatabase } from "./connect.ts";
import { migrationsFolder } from "./migrations-folder.ts";
import { probeWrites } from "./probe.ts";
import { reasonOf } from "./reason.ts";
import * as schema from "./schema.ts";

/**
 * PostgreSQL fills its buffers at the start, which took longer than everything else with the default of 128 MB. Other
 * pages are in the operating system's cache.
 */
const SHARED_BUFFERS = "16MB";

/**
 * Opens an embedded database, and brings the tables up to date. Only one process can open it, so migrations never run
 * twice at once.
 *
 * @throws {StartError} if the folder cannot be created or opened
 */
export async function openEmbedded(
  location: Exclude<DatabaseLocation, { kind: "postgres" }>,
): Promise<OpenDatabase> {
  const open = await overPglite(await openFiles(location));
  if (location.kind === "memory") return open;
  const { folder } = location;
  return {
    ...open,
    isShared: false,
    async freeBytes() {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
  };
}

/** Starts PGlite with settings for a service: less memory and a faster start than the defaults. */
export async function startPglite(options: PGliteOptions = {}): Promise<PGlite> {
  // The optimising compiler would use seconds of processor time and 600 MB for one huge function of PostgreSQL during
  // the first queries. It makes the service's short queries less than 20% faster, and only after thousands of queries.
  setFlagsFromString("--liftoff-only");
  return PGlite.create({
    ...options,
    startParams: [...PGlite.defaultStartParams, "-c", `shared_buffers=${SHARED_BUFFERS}`],
  });
}

/** Brings an open embedded database up to date. */
export async function overPglite(client: PGlite): Promise<OpenDatabase> {
  const database = drizzle(inTurns(client), { schema });
  await migrate(database, { migrationsFolder });
  return {
    database: database as unknown as Database,
    probe: () => probeWrites(database as unknown as Database),
    freeBytes: async () => undefined,
    // The caller may pass the same database to several services.
    isShared: true,
    close: () => client.close(),
  };
}

/**
 * PGlite works in this thread, and begins the next query as soon as one is done: a thousand that wait would keep the event
 * loop until the last is done.
 */
function inTurns(client: PGlite): PGlite {
  const fairTurns = createFairTurns();
  const transaction = client.transaction.bind(client);
  client.transaction = (work) => transaction((inside) => work(queryInTurns(inside, fairTurns)));
  return queryInTurns(client, fairTurns);
}

function queryInTurns<Client extends Pick<Transaction, "query">>(
  client: Client,
  fairTurns: FairTurns,
): Client {
  const query = client.query.bind(client);
  client.query = async (...words) => {
    await fairTurns.take();
    return query(...words);
  };
  return client;
}

async function openFiles(location: Exclude<DatabaseLocation, { kind: "postgres" }>): Promise<PGlite> {
  if (location.kind === "memory") return startPglite();
  const files = path.join(location.folder, "database");
  try {
    await mkdir(files, { recursive: true, mode: 0o700 });
    return await startPglite({ dataDir: files });
  } catch (error) {
    throw new StartError(
      `DATABASE_URL: cannot open the embedded database in ${files}: ${reasonOf(error)}. ` +
        "Check that the folder is writable. If its files are damaged, move it away and start again.",
    );
  }
}
