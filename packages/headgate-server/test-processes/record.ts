import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DecisionLogStatus } from "headgate/log";
import type { Recording } from "./recorder.ts";

const recorder = fileURLToPath(new URL("./recorder.ts", import.meta.url));

/**
 * Runs several processes that start to decide at the same moment, and write their logs into one folder.
 *
 * @returns the log status of each process
 */
export async function record(
  url: string,
  folder: string,
  processes: number,
  decisionsEach: number,
): Promise<DecisionLogStatus[]> {
  const children = Array.from({ length: processes }, (_, seed) => {
    const recording: Recording = { url, folder, seed, decisions: decisionsEach, together: 24 };
    const child = spawn(
      process.execPath,
      ["--conditions=headgate-source", recorder, JSON.stringify(recording)],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  const next = async ({ child, lines }: (typeof children)[number]): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`A recorder exited with ${child.exitCode} before it answered.`);
    return value;
  };
  try {
    for (const one of children) await next(one);
    for (const { child } of children) child.stdin.write("go\n");
    return await Promise.all(children.map(async (one) => JSON.parse(await next(one)) as DecisionLogStatus));
  } finally {
    for (const { child } of children) await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
