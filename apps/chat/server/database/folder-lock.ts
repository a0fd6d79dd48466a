import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
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

export const lockFileOf = (folder: string) => path.join(folder, "service.lock");

/** @returns who holds the folder according to its lock file, or `undefined` when nobody does */
export async function readHolder(folder: string): Promise<FolderHolder | undefined> {
  return holderIn(await readLock(lockFileOf(folder)));
}

async function readLock(lock: string): Promise<string | undefined> {
  try {
    return await readFile(lock, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A file that is not a lock of ours holds nothing. */
function holderIn(content: string | undefined): FolderHolder | undefined {
  try {
    return content === undefined ? undefined : (JSON.parse(content) as FolderHolder);
  } catch {
    return undefined;
  }
}

/**
 * Takes the folder for this process. A lock that a crashed process left behind is recovered.
 *
 * @param isAlive asks a holder on this machine whether it still runs; a process id alone would not do, because
 *   it may by now be another program's
 * @returns gives the folder free again
 * @throws {StartError} when somebody else has it
 */
export async function holdFolder(
  folder: string,
  holder: FolderHolder,
  isAlive: (holder: FolderHolder) => Promise<boolean>,
): Promise<() => Promise<void>> {
  const lock = lockFileOf(folder);
  const content = JSON.stringify(holder);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    while (!(await tryLink(lock, content))) await removeIfStale(folder, isAlive);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `DATABASE_URL: the folder ${folder} cannot be used: ${(error as Error).message}. Check that it can be written to.`,
    );
  }
  return async () => {
    if ((await readFile(lock, "utf8").catch(() => "")) === content) await rm(lock, { force: true });
  };
}

/** A link appears whole or not at all, and fails when one is there: no reader ever sees half a lock. */
async function tryLink(lock: string, content: string): Promise<boolean> {
  const draft = `${lock}.${randomUUID()}`;
  await writeFile(draft, content, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function removeIfStale(
  folder: string,
  isAlive: (holder: FolderHolder) => Promise<boolean>,
): Promise<void> {
  const lock = lockFileOf(folder);
  const content = await readLock(lock);
  if (content === undefined) return;
  const found = holderIn(content);
  if (found && found.hostname !== hostname()) {
    throw new StartError(
      `DATABASE_URL: the embedded database in ${folder} is held by process ${found.pid} on ${found.hostname}. ` +
        `If that one is no longer running, delete ${lock} and start again.`,
    );
  }
  if (found && (await isAlive(found))) {
    throw new StartError(
      `DATABASE_URL: the embedded database in ${folder} is in use by process ${found.pid}, and serves one process alone. ` +
        "Stop that one, or give this one another folder (DATABASE_URL=pglite://another-folder) or a PostgreSQL server.",
    );
  }
  await takeAway(lock, content);
}

/** Two processes may find the same stale lock: only the one that takes away what it judged may go on. */
async function takeAway(lock: string, judged: string): Promise<void> {
  const taken = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, taken);
  } catch {
    return;
  }
  if ((await readFile(taken, "utf8")) !== judged) await link(taken, lock).catch(() => {});
  await rm(taken, { force: true });
}
