import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { withServer } from "./servers.ts";

/** The options for resolving packages, which child processes inherit. */
export const conditions = process.execArgv.filter((word) => word.startsWith("--conditions="));

/**
 * Runs a file in a separate process, so that one measurement does not affect the heap or the compiler of the next.
 *
 * @param file a module that calls `answer`
 * @param task the argument for `answer` in the child
 * @returns the result of `answer` in the child
 * @throws Error if the process ended without an answer
 */
export async function inChild<Task, Answer>(
  file: URL,
  task: Task,
  flags: readonly string[] = [],
): Promise<Answer> {
  const child = fork(fileURLToPath(file), [JSON.stringify(task)], {
    execArgv: [...conditions, ...flags],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const running = {
    // Killed, because a busy process handles no other signal.
    async remove() {
      child.kill("SIGKILL");
      await ended;
    },
  };
  return withServer(
    Promise.resolve(running),
    () =>
      new Promise<Answer>((resolve, reject) => {
        child.once("message", (message) => resolve(message as Answer));
        child.once("error", reject);
        child.once("exit", (code, signal) => {
          reject(new Error(`${JSON.stringify(task)} ended with ${code ?? signal} and no figures.`));
        });
      }),
  );
}

/** In the child: runs the task, sends the result to the parent, and exits. */
export async function answer<Task, Answer>(work: (task: Task) => Answer | Promise<Answer>): Promise<void> {
  // The parent is gone.
  process.once("disconnect", () => process.exit(1));
  const figures = await work(JSON.parse(process.argv[2] ?? "null"));
  process.send?.(figures, () => process.exit(0));
}
