import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { withServer } from "./servers.ts";

/** What this process was told of how to resolve packages, its children are told as well; nothing else. */
export const conditions = process.execArgv.filter((word) => word.startsWith("--conditions="));

/**
 * Runs a file in a process of its own, so that what one measurement left on the heap or taught the compiler does not
 * reach the next.
 *
 * @param file a module that calls `answer`
 * @param task what `answer` is given there
 * @returns what `answer` returned there
 * @throws Error when the process ended without an answer
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
    // By force: one that is counting hears nothing before it is done.
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

/** In the child: does the task that it was started for, tells the parent, and ends. */
export async function answer<Task, Answer>(work: (task: Task) => Answer | Promise<Answer>): Promise<void> {
  // The one who asked is gone.
  process.once("disconnect", () => process.exit(1));
  const figures = await work(JSON.parse(process.argv[2] ?? "null"));
  process.send?.(figures, () => process.exit(0));
}
