import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "../start-error.ts";

/**
 * Who holds an embedded database's folder, and where that process can be asked for things.
 * PGlite is one process's alone: two at once would damage its files.
 */
export interface FolderHolder {
  pid: number;
  hostname: string;
  /** A loopback address, and the word that proves that the asker can read this file. */
  operator: { url: string; token: string };
}

/** Another process has the folder. */
export class FolderInUseError extends StartError {
  /** `undefined` where that process has not said so yet. */
  readonly holder: FolderHolder | undefined;

  constructor(folder: string, holder: FolderHolder | undefined) {
    const by = holder ? ` by process ${holder.pid} on ${holder.hostname}` : "";
    super(
      `DATABASE_URL: the embedded database in ${folder} is in use${by}, and serves one process alone. ` +
        "Stop that one, or give this one another folder (DATABASE_URL=pglite://another-folder) or a PostgreSQL server.",
    );
    this.holder = holder;
  }
}

/** What says who holds the folder. It holds nothing itself: a process that was killed leaves it behind. */
export const holderFileOf = (folder: string) => path.join(folder, "holder.json");

/** What the kernel locks. It stays empty. */
const lockFileOf = (folder: string) => path.join(folder, "lock.sqlite");

/** SQLite's own number for a lock that somebody else has. */
const SQLITE_BUSY = 5;

/**
 * Takes the folder for this process, by an exclusive transaction on an empty SQLite database in it. That is a lock of the
 * kernel's on the file: it holds between containers and network namespaces that share the folder, and it ends with the
 * process, however that ends.
 *
 * @returns gives the folder free again
 * @throws {FolderInUseError} when another process has it
 * @throws {StartError} when the folder cannot be used
 */
export async function holdFolder(folder: string, holder: FolderHolder): Promise<() => Promise<void>> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const unlock = lock(lockFileOf(folder));
    if (!unlock) throw new FolderInUseError(folder, await readHolder(folder));
    try {
      await writeHolder(folder, holder);
    } catch (error) {
      unlock();
      throw error;
    }
    return async () => {
      await rm(holderFileOf(folder), { force: true });
      unlock();
    };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `DATABASE_URL: the folder ${folder} cannot be used: ${(error as Error).message}. Check that it can be written to.`,
    );
  }
}

/** @returns ends the lock; `undefined` when another process has it */
function lock(file: string): (() => void) | undefined {
  const database = new DatabaseSync(file);
  try {
    // A journal in a file would be left behind by a process that is killed.
    database.exec("pragma journal_mode = memory; begin exclusive");
    return () => database.close();
  } catch (error) {
    database.close();
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

/** Written aside first: no reader ever sees half of it. */
async function writeHolder(folder: string, holder: FolderHolder): Promise<void> {
  const draft = `${holderFileOf(folder)}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600, flag: "wx" });
  await rename(draft, holderFileOf(folder));
}

/** A file that is not there, or is not ours, names nobody. */
async function readHolder(folder: string): Promise<FolderHolder | undefined> {
  try {
    return JSON.parse(await readFile(holderFileOf(folder), "utf8")) as FolderHolder;
  } catch {
    return undefined;
  }
}
