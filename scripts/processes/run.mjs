import { spawn } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "../bootstrap/workspace.mjs";

/**
 * @typedef {object} Outcome
 * @property {number | null} code `null` if a signal ended the program, or it could not be started
 * @property {NodeJS.Signals | null} signal
 * @property {string} output the output of the program, with `keepOutput`
 * @property {boolean} isMissing whether the program was not found
 * @property {boolean} isOverdue whether the program was killed because it took longer than `limitMs`
 */

/**
 * The running children. They get a signal when this process is asked to stop. @type
 * {Set<import("node:child_process").ChildProcess>}
 */
const running = new Set();

/** Set when this process is asked to end. From then on, results of children are ignored. */
let isEnding = false;

const LONGEST_MS = 2 ** 31 - 1;
/** How long a child may take to end before it is killed. */
const GRACE_MS = 3_000;

/**
 * Runs a program at the repository's root until it ends. Never throws: the result contains the exit code or the signal.
 *
 * @param {string} program
 * @param {string[]} words
 * @param {{ env?: NodeJS.ProcessEnv, keepOutput?: boolean, limitMs?: number }} [options] `keepOutput` collects its
 * output instead of showing it; `limitMs` is how long the program may take
 * @returns {Promise<Outcome>}
 */
export function run(program, words, { env = process.env, keepOutput = false, limitMs = LONGEST_MS } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd: ROOT,
      env,
      stdio: keepOutput ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
      // A separate process group, so that an overdue child can be killed with all its children.
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
 * From now on, passes termination signals on to the children. This process ends with the same signal after all children
 * have ended: an npm process that still runs would conflict with the next npm process in the same folders.
 *
 * @returns {() => void} stops passing signals on
 */
export function endWithChildren() {
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  /** @param {NodeJS.Signals} signal */
  const end = async (signal) => {
    // One Ctrl-C sends more than one signal.
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
