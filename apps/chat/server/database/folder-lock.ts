import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "../start-error.ts";

/**
 * The process that holds an embedded database's folder, and the address for operator commands. Only one process can use
 * PGlite: two at once would damage its files.
 */
export interface FolderHolder {
  pid: number;
  hostname: string;
  /** A loopback address, and a token that proves that the client can read this file. */
  operator: { url: string; token: string };
}

/** Another process holds the folder. */
export class FolderInUseError extends StartError {
  /** `undefined` if that process has not written its details yet. */
  readonly holder: FolderHolder | undefined;

  constructor(folder: string, holder: FolderHolder | undefined) {
    const by = holder ? ` by process ${holder.pid} on ${holder.hostname}` : "";
    super(
      `DATABASE_URL: the embedded database in ${folder} is in use${by}. Only one process can use it. ` +
        "Stop that process, or set another folder (DATABASE_URL=pglite://another-folder) or a PostgreSQL server.",
    );
    this.holder = holder;
  }
}

/** The file with the details of the holder. It is not the lock: a killed process leaves it behind. */
export const holderFileOf = (folder: string) => path.join(folder, "holder.json");

/** The file that is locked. It stays empty. */
const lockFileOf = (folder: string) => path.join(folder, "lock.sqlite");

/** SQLite's error code for a lock that another process holds. */
const SQLITE_BUSY = 5;

/**
 * Locks the folder for this process, with an exclusive transaction on an empty SQLite database in it. That is a kernel
 * lock on the file: it also works between containers and network namespaces that share the folder, and it ends with the
 * process in any case.
 *
 * @returns a function that releases the folder
 * @throws {FolderInUseError} if another process holds the folder
 * @throws {StartError} if the folder cannot be used
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
      `DATABASE_URL: cannot use the folder ${folder}: ${(error as Error).message}. Check that it is writable.`,
    );
  }
}

/** @returns a function that releases the lock; `undefined` if another process holds it */
function lock(file: string): (() => void) | undefined {
  const database = new DatabaseSync(file);
  try {
    // A killed process would leave a journal file behind.
    database.exec("pragma journal_mode = memory; begin exclusive");
    return () => database.close();
  } catch (error) {
    database.close();
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

/** Writes to a temporary file first, so that no reader sees half of it. */
async function writeHolder(folder: string, holder: FolderHolder): Promise<void> {
  const draft = `${holderFileOf(folder)}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600, flag: "wx" });
  await rename(draft, holderFileOf(folder));
}

/** Returns `undefined` if the file is missing or invalid. */
async function readHolder(folder: string): Promise<FolderHolder | undefined> {
  try {
    return JSON.parse(await readFile(holderFileOf(folder), "utf8")) as FolderHolder;
  } catch {
    return undefined;
  }
}
