import { spawn } from "node:child_process";
import { ROOT } from "../bootstrap/workspace.mjs";
import { whenParentIsGone } from "./parent.mjs";

/**
 * One Ctrl-C arrives more than once: the terminal signals every process of the group, and npm then signals its child
 * again. Repeats within this time count as one signal, because a server that is closing takes a second signal to mean
 * "at once".
 */
const REPEAT_MS = 1_000;

/**
 * Runs programs in the foreground until one of them ends. Then it ends the others, and exits like the first one: with
 * its code, or by its signal. Each signal is passed on once.
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
  // The terminal was closed, but there is still time for a clean shutdown.
  process.on("SIGHUP", () => passOn("SIGTERM"));
  // npm passes a signal only to its shell, which does not pass it on, so watch for the end of npm. Without npm, this
  // process may outlive its parent. Do not send a signal twice: that would mean "at once".
  if (process.env.npm_lifecycle_event !== undefined) {
    whenParentIsGone(() => {
      if (!isEnding) passOn("SIGTERM");
    });
  }

  const endings = children.map(ending);
  const first = await Promise.race(endings);
  if (!isEnding) for (const child of children) child.kill("SIGTERM");
  await Promise.all(endings);

  // Several programs have no common exit code. If they ended on request, that is success.
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
