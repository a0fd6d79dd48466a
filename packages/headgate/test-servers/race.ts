import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const racer = fileURLToPath(new URL("./redis-racer.ts", import.meta.url));

export interface Race {
  readonly url: string;
  readonly processes: number;
  readonly attemptsEach: number;
  readonly layers: readonly { name: string; limits: string }[];
  readonly key: string;
}

/** Lets processes race for the quota of one key, all from the same moment, and returns what each was admitted. */
export async function race({ url, processes, attemptsEach, layers, key }: Race): Promise<number[]> {
  const racers = Array.from({ length: processes }, () => {
    const words = [racer, url, String(attemptsEach), JSON.stringify(layers), key];
    const child = spawn(process.execPath, ["--conditions=headgate-source", ...words], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  try {
    for (const { child, lines } of racers) await expectLine(child, lines, "ready");
    for (const { child } of racers) child.stdin.write("go\n");
    return await Promise.all(
      racers.map(async ({ child, lines }) => {
        const { admitted, shared } = JSON.parse(await expectLine(child, lines)) as Result;
        if (!shared) throw new Error("A racer decided by itself: the store did not answer it.");
        return admitted;
      }),
    );
  } finally {
    for (const { child } of racers) await end(child);
  }
}

interface Result {
  admitted: number;
  shared: boolean;
}

async function expectLine(
  child: ChildProcess,
  lines: AsyncIterator<string>,
  wanted?: string,
): Promise<string> {
  const { value, done } = await lines.next();
  if (done) throw new Error(`A racer ended with ${child.exitCode} before it answered.`);
  if (wanted !== undefined && value !== wanted)
    throw new Error(`A racer said ${value} instead of ${wanted}.`);
  return value;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
