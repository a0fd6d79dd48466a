import { spawn } from "node:child_process";
import { ROOT } from "../bootstrap/workspace.mjs";
import { whenParentIsGone } from "./parent.mjs";

/**
 * One Ctrl-C arrives more than once: the terminal signals every process of the group, and npm then signals its child
 * again. Repeats within this time count as one, because to a server that is closing a second signal means "at once".
 */
const REPEAT_MS = 1_000;

/**
 * Runs programs in the foreground until one of them ends, ends the others, and ends this process the way that the
 * first one ended: with its code, or by its signal. Each signal is passed on once.
 *
 * @param {{ program: string, words: string[], env: NodeJS.ProcessEnv }[]} programs
 */
export async function runInForeground(programs) {
  // In separate process groups, so that only this process sends them signals.
  const children = programs.map(({ program, words, env }) =>
    spawn(program, words, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"], detached: true }),
  );

  let isEnding = false;
  let lastSignalMs = Number.NEGATIVE_INFINITY;
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    const nowMs = performance.now();
    if (nowMs - lastSignalMs < REPEAT_MS) return;
    lastSignalMs = nowMs;
    isEnding = true;
    for (const child of children) child.kill(signal);
  };
  process.on("SIGINT", () => passOn("SIGINT"));
  process.on("SIGTERM", () => passOn("SIGTERM"));
  // The terminal was closed: still time to end well.
  process.on("SIGHUP", () => passOn("SIGTERM"));
  // npm passes a signal only to its shell, and the shell passes it to nobody. Without npm, this process may outlive its
  // starter. A process that already got the signal does not get it twice: that would mean "at once".
  if (process.env.npm_lifecycle_event !== undefined) {
    whenParentIsGone(() => {
      if (!isEnding) passOn("SIGTERM");
    });
  }

  const endings = children.map(ending);
  const first = await Promise.race(endings);
  if (!isEnding) for (const child of children) child.kill("SIGTERM");
  await Promise.all(endings);

  // They have no common exit code; having ended when asked is success.
  if (isEnding && programs.length > 1) process.exit(0);
  if (first.signal) {
    process.removeAllListeners(first.signal);
    process.kill(process.pid, first.signal);
    return;
  }
  process.exit(first.code ?? 1);
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
function ending(child) {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => {
      console.error(error.message);
      resolve({ code: 1, signal: null });
    });
  });
}
