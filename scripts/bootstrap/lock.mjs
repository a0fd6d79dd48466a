import { lstatSync, mkdirSync, readlinkSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "./failure.mjs";

const LOOK_EVERY_MS = 200;
const LONGEST_WAIT_MS = 10 * 60_000;
/** Taking a dead process's lock away is a matter of microseconds; longer, and whoever did it died too. */
const CLEARING_MS = 10_000;

/**
 * Does the work while no other process does any under the same path, and waits for one that does. The lock is a symbolic
 * link that names the process, because that is made with its content in one step; one whose process died is taken over.
 *
 * @template Result
 * @param {string} path where the link is made; a folder next to it, `<path>.clearing`, comes and goes
 * @param {() => Promise<Result>} work
 * @param {(processId: number) => void} onWait called once when there is somebody to wait for
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
        `Process ${holder} has been preparing this repository for too long. End it, or remove ${path} if it is not one of Headgate's.`,
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
 * @returns {number | undefined} `undefined` when it was released just now
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
    // Somebody else's process is a process.
    return isCode(error, "EPERM");
  }
}

/**
 * Removes a lock whose process is dead. One process at a time, which looks again once it is alone: else two that saw
 * the same dead holder could remove each other's new lock.
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
