import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const racer = fileURLToPath(new URL("./racer.ts", import.meta.url));

export interface Race {
  readonly url: string;
  readonly processes: number;
  readonly attemptsEach: number;
  readonly layers: readonly { name: string; limits: string }[];
  readonly key: string;
  /** The id of the request that all of them send. Default: none. */
  readonly id?: string;
  /** Nothing is connected before they race, and time limits are the usual ones: as in production. */
  readonly cold?: boolean;
}

/**
 * Lets several processes race for the quota of one key, from the same moment. Returns the number of admitted requests
 * of each. The store must make every decision.
 */
export async function race(options: Race): Promise<number[]> {
  const results = await runRace(options);
  if (results.some(({ byPolicy }) => byPolicy > 0)) {
    throw new Error("A racer decided by itself: the store did not answer it.");
  }
  return results.map(({ admitted }) => admitted);
}

/** Runs a race in which outage policies may decide, too. */
export async function runRace(options: Race): Promise<RaceResult[]> {
  const racers = Array.from({ length: options.processes }, () => {
    const words = ["--conditions=headgate-source", racer, JSON.stringify(options)];
    const child = spawn(process.execPath, words, {
      stdio: ["pipe", "pipe", "inherit"],
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  try {
    for (const { child, lines } of racers) await expectLine(child, lines, "ready");
    for (const { child } of racers) child.stdin.write("go\n");
    return await Promise.all(
      racers.map(async ({ child, lines }) => JSON.parse(await expectLine(child, lines)) as RaceResult),
    );
  } finally {
    for (const { child } of racers) await end(child);
  }
}

/** The result of one process. */
export interface RaceResult {
  readonly admitted: number;
  /** The number of decisions by an outage policy. */
  readonly byPolicy: number;
  readonly admittedByPolicy: number;
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
