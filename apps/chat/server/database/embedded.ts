import { mkdir, statfs } from "node:fs/promises";
import path from "node:path";
import type { PGliteOptions } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Pool } from "pg";
import { StartError } from "../start-error.ts";
import type { DatabaseLocation, OpenDatabase } from "./connect.ts";
import { createThread } from "./embedded-thread.ts";
import { migrationsFolder } from "./migrations-folder.ts";
import { overPool } from "./over-pool.ts";
import { reasonOf } from "./reason.ts";

/** Several, so that the thread can begin the next query at once. */
const CONNECTIONS = 20;

/**
 * Opens an embedded database, and brings the tables up to date. Only one process can open it, so migrations never run
 * twice at once.
 *
 * @throws {StartError} if the folder cannot be created or opened
 */
export async function openEmbedded(
  location: Exclude<DatabaseLocation, { kind: "postgres" }>,
): Promise<OpenDatabase> {
  if (location.kind === "memory") return openPglite();
  const { folder } = location;
  const files = path.join(folder, "database");
  let open: OpenDatabase;
  try {
    await mkdir(files, { recursive: true, mode: 0o700 });
    open = await openPglite({ dataDir: files });
  } catch (error) {
    throw new StartError(
      `DATABASE_URL: cannot open the embedded database in ${files}: ${reasonOf(error)}. ` +
        "Check that the folder is writable. If its files are damaged, move it away and start again.",
    );
  }
  return {
    ...open,
    isShared: false,
    async freeBytes() {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
  };
}

/** Opens PGlite in a separate thread, and brings the tables up to date. */
export async function openPglite(options: PGliteOptions = {}, stuckMs?: number): Promise<OpenDatabase> {
  const thread = createThread(options, stuckMs);
  await thread.start();
  const pool = new Pool({
    stream: () => thread.connect(),
    // Otherwise, variables such as PGSSLMODE would set these.
    ssl: false,
    user: "postgres",
    database: "postgres",
    max: CONNECTIONS,
  });
  const open = overPool(pool);
  async function close(): Promise<void> {
    await open.close();
    await thread.close();
  }
  try {
    await migrate(drizzle(pool), { migrationsFolder });
  } catch (error) {
    await close();
    throw error;
  }
  return { ...open, close };
}
