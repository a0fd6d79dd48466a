import { lstatSync, mkdirSync, readlinkSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "./failure.mjs";

const LOOK_EVERY_MS = 200;
const LONGEST_WAIT_MS = 10 * 60_000;
/**
 * Removing a dead process's lock takes microseconds. After this time, the process that was removing it has died too.
 */
const CLEARING_MS = 10_000;

/**
 * Runs work under a lock, and waits while another process holds it. The lock is a symbolic link that names the process,
 * because a link is created with its content in one step. The lock of a dead process is taken over.
 *
 * @template Result
 * @param {string} path the path of the link; `<path>.clearing` next to it is used temporarily
 * @param {() => Promise<Result>} work
 * @param {(processId: number) => void} onWait called once if another process holds the lock
 * @returns {Promise<Result>}
 */
export async function withLock(path, work, onWait) {
  await acquire(path, onWait);
  try {
    return await work();
  } finally {
    unlinkSync(path);
  }
}

/**
 * @param {string} path
 * @param {(processId: number) => void} onWait
 */
async function acquire(path, onWait) {
  const startedMs = performance.now();
  let hasWaited = false;
  while (!take(path)) {
    const holder = holderOf(path);
    if (holder === undefined) continue;
    if (!isAlive(holder)) {
      clear(path);
      continue;
    }
    if (!hasWaited) onWait(holder);
    hasWaited = true;
    if (performance.now() - startedMs > LONGEST_WAIT_MS) {
      throw new Failure(
        `Process ${holder} has been preparing this repository for too long. End it, or remove ${path} if the process is not one of Headgate's.`,
      );
    }
    await pause(LOOK_EVERY_MS);
  }
}

/** @param {string} path */
function take(path) {
  try {
    symlinkSync(String(process.pid), path);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

/**
 * @param {string} path
 * @returns {number | undefined} `undefined` if the lock was just released
 */
function holderOf(path) {
  try {
    return Number(readlinkSync(path));
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** @param {number} processId */
function isAlive(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // The process exists, but belongs to another user.
    return isCode(error, "EPERM");
  }
}

/**
 * Removes the lock of a dead process. Only one process does this at a time, and it checks the holder again. Otherwise,
 * two processes that saw the same dead holder could remove each other's new lock.
 *
 * @param {string} path
 */
function clear(path) {
  const clearing = `${path}.clearing`;
  try {
    mkdirSync(clearing);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    const sinceMs = lstatSync(clearing, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - sinceMs > CLEARING_MS) rmdirSync(clearing);
    return;
  }
  try {
    const holder = holderOf(path);
    if (holder !== undefined && !isAlive(holder)) unlinkSync(path);
  } finally {
    rmdirSync(clearing);
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}
