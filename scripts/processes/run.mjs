import { spawn } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "../bootstrap/workspace.mjs";

/**
 * @typedef {object} Outcome
 * @property {number | null} code `null` if a signal ended it, or it could not be started
 * @property {NodeJS.Signals | null} signal
 * @property {string} output its output, if kept
 * @property {boolean} isMissing whether there is no such program
 * @property {boolean} isOverdue whether it was killed because its time was up
 */

/**
 * The running children, which get a signal when this process is asked to stop. @type
 * {Set<import("node:child_process").ChildProcess>}
 */
const running = new Set();

/** Set once this process was asked to end. Results of children are ignored from then on. */
let isEnding = false;

const LONGEST_MS = 2 ** 31 - 1;
/** How long a child may take to end before it is killed. */
const GRACE_MS = 3_000;

/**
 * Runs a program at the repository's root until it ends. Never throws: the result says how it ended.
 *
 * @param {string} program
 * @param {string[]} words
 * @param {{ env?: NodeJS.ProcessEnv, keepOutput?: boolean, limitMs?: number }} [options] `keepOutput` collects its
 * output instead of showing it; `limitMs` is how long it may take
 * @returns {Promise<Outcome>}
 */
export function run(program, words, { env = process.env, keepOutput = false, limitMs = LONGEST_MS } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd: ROOT,
      env,
      stdio: keepOutput ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
      // A separate process group, so that a child whose time is up can be killed with all its children.
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
      // Remaining processes would keep ports and the terminal.
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
 * From now on, passes signals that ask this process to end on to its children, and ends by the same signal after they
 * have ended. Not before, because an npm that still runs would conflict with the next one in the same folders.
 *
 * @returns {() => void} stops this
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
    // The group has already ended.
  }
}
