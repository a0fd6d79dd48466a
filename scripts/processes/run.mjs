import { spawn } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "../bootstrap/workspace.mjs";

/**
 * @typedef {object} Outcome
 * @property {number | null} code `null` when a signal ended it, or when it could not be started
 * @property {NodeJS.Signals | null} signal
 * @property {string} output what it wrote, where that was kept
 * @property {boolean} isMissing there is no such program
 * @property {boolean} isOverdue it was ended because its time was up
 */

/** The children that are running now, to be told when this process is asked to stop. @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

/** Set once this process was asked to end: what its children's ends would lead to is of no interest any more. */
let isEnding = false;

const LONGEST_MS = 2 ** 31 - 1;
/** How long a child that was asked to end may take, before it is ended by force. */
const GRACE_MS = 3_000;

/**
 * Runs a program at the repository's root until it ends. Never throws: how it went is in what comes back.
 *
 * @param {string} program
 * @param {string[]} words
 * @param {{ env?: NodeJS.ProcessEnv, keepOutput?: boolean, limitMs?: number }} [options] `keepOutput` gathers what it
 *   writes in place of showing it; `limitMs` is how long it may take
 * @returns {Promise<Outcome>}
 */
export function run(program, words, { env = process.env, keepOutput = false, limitMs = LONGEST_MS } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd: ROOT,
      env,
      stdio: keepOutput ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
      // A group of its own, so that a child whose time is up goes with all that it started.
      detached: true,
    });
    running.add(child);
    let output = "";
    let isOverdue = false;
    child.stdout?.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      output += chunk;
    });

    const overdue = setTimeout(() => {
      isOverdue = true;
      signalGroup(child, "SIGTERM");
      setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS).unref();
    }, limitMs);

    /** @param {Partial<Outcome>} how */
    const end = (how) => {
      clearTimeout(overdue);
      running.delete(child);
      // What it left running would hold ports, and the terminal.
      if (isOverdue) signalGroup(child, "SIGKILL");
      if (isEnding) return;
      resolve({ code: null, signal: null, isMissing: false, output, isOverdue, ...how });
    };
    child.once("error", (error) => {
      const isMissing = "code" in error && error.code === "ENOENT";
      end({ isMissing, output: output || error.message });
    });
    child.once("close", (code, signal) => end({ code, signal }));
  });
}

/**
 * From now on, a signal that asks this process to end is passed on to its children, and this process ends by the same
 * signal once they have. Not before: an npm that went on alone would meet the next one in the same folders.
 *
 * @returns {() => void} ends that
 */
export function endWithChildren() {
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  /** @param {NodeJS.Signals} signal */
  const end = async (signal) => {
    // One Ctrl-C arrives more than once.
    if (isEnding) return;
    isEnding = true;
    const children = [...running];
    const haveEnded = children.map((child) => once(child, "close"));
    for (const child of children) signalGroup(child, signal);
    const force = setTimeout(() => {
      for (const child of children) signalGroup(child, "SIGKILL");
    }, GRACE_MS);
    await Promise.all(haveEnded);
    clearTimeout(force);
    leave();
    process.kill(process.pid, signal);
  };
  const leave = () => {
    for (const signal of signals) process.off(signal, end);
  };
  for (const signal of signals) process.on(signal, end);
  return leave;
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended already.
  }
}
