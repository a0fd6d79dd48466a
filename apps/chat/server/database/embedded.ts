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
 * PostgreSQL fills its buffers when it starts, which for the 128 MB of its default took longer than all the rest. Files that
 * are not in them are in the operating system's cache.
 */
const SHARED_BUFFERS = "16MB";

/**
 * Opens an embedded database, and brings the tables up to date. One process alone has it, so nobody else can be doing the
 * same.
 *
 * @throws {StartError} when its folder cannot be made or opened
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

/** Starts PGlite with settings that suit a service: less memory, and sooner ready, than by its defaults. */
export async function startPglite(options: PGliteOptions = {}): Promise<PGlite> {
  // The optimising compiler would spend seconds of a processor, and 600 MB, on one huge function of PostgreSQL's within the
  // first queries. It gains the service's short queries less than a fifth of their time, and only after thousands.
  setFlagsFromString("--liftoff-only");
  return PGlite.create({
    ...options,
    startParams: [...PGlite.defaultStartParams, "-c", `shared_buffers=${SHARED_BUFFERS}`],
  });
}

/** Brings an embedded database that is open already up to date. */
export async function overPglite(client: PGlite): Promise<OpenDatabase> {
  const database = drizzle(inTurns(client), { schema });
  await migrate(database, { migrationsFolder });
  return {
    database: database as unknown as Database,
    probe: () => probeWrites(database as unknown as Database),
    freeBytes: async () => undefined,
    // One that is handed in may be handed to several.
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
      `DATABASE_URL: the embedded database in ${files} cannot be opened: ${reasonOf(error)}. ` +
        "Check that the folder can be written to; if its files are damaged, move it away and start again.",
    );
  }
}
