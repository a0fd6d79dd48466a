import { fork } from "node:child_process";
import { flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { conditions } from "./child.ts";

/** A child process that answers questions. */
export interface Companion<Question, Answer> {
  ask(question: Question): Promise<Answer>;
  remove(): Promise<void>;
}

/**
 * Starts a process from a file that calls `attend`.
 *
 * @param setting the settings of the process
 */
export function startCompanion<Setting, Question, Answer>(
  file: URL,
  setting: Setting,
): Companion<Question, Answer> {
  const child = fork(fileURLToPath(file), [JSON.stringify(setting)], {
    execArgv: conditions,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    ask(question) {
      return new Promise((resolve, reject) => {
        if (!child.connected) throw new Error(`${JSON.stringify(setting)} has ended.`);
        const onEnd = () => reject(new Error(`${JSON.stringify(setting)} ended before it answered.`));
        child.once("exit", onEnd);
        child.once("message", (answer) => {
          child.off("exit", onEnd);
          const { error, value } = answer as { error?: string; value?: Answer };
          if (error === undefined) resolve(value as Answer);
          else reject(new Error(error));
        });
        child.send(question as object);
      });
    },
    async remove() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** In the companion: answers one question after the other, until the parent is gone. */
export function attend<Setting, Question, Answer>(
  begin: (setting: Setting) => (question: Question) => Answer | Promise<Answer>,
): void {
  // With `NODE_COMPILE_CACHE`. Otherwise only a process that ends by itself would write its part.
  flushCompileCache();
  const answer = begin(JSON.parse(process.argv[2] ?? "null"));
  process.on("message", async (question) => {
    try {
      process.send?.({ value: await answer(question as Question) });
    } catch (error) {
      process.send?.({ error: String(error) });
    }
  });
  process.once("disconnect", () => process.exit(0));
}
