import { readdir } from "node:fs/promises";
import path from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock } from "headgate";
import type { DecisionLog } from "headgate/log";
import { OperatorMistake, type ReplayPolicy } from "headgate-console";
import type { ReplayResult, ReplayWork } from "./policy-replay-worker.ts";

export interface PolicyReplayOptions {
  /** The value of `DECISION_LOG`: a folder, or a file whose name ends in `.jsonl`. */
  where: string;
  decisions: Pick<DecisionLog, "flush">;
  clock: Clock;
  /** The time limit of a replay, in milliseconds. Default: a minute. */
  timeLimitMs?: number;
  /** The maximum number of lines, of which the newest are read. Default 100,000, which needs about 200 MB of memory. */
  newest?: number;
}

const MEMORY_MB = 512;

/**
 * Creates a function that replays this machine's decision log under another policy: one replay at a time, within limits
 * of time and memory.
 */
export function createPolicyReplay(options: PolicyReplayOptions): ReplayPolicy {
  const { where, decisions, clock, timeLimitMs = 60_000, newest = 100_000 } = options;
  let isBusy = false;

  return async (limiter, document, lastMs) => {
    if (isBusy) throw new OperatorMistake("Another policy is being tried on the log. Try again in a moment.");
    isBusy = true;
    try {
      await decisions.flush();
      const from = lastMs === undefined ? undefined : clock.now() - lastMs;
      const places = await placesIn(where);
      if (places.length === 0) throw new OperatorMistake("The decision log has no decisions yet.");
      const work: ReplayWork = { places, limiter, document, from, newest };
      const result = await inThread(work, timeLimitMs);
      if ("mistake" in result) throw new OperatorMistake(result.mistake);
      return result.summary;
    } finally {
      isBusy = false;
    }
  };
}

/** Returns the files of the log, including closed ones. */
async function placesIn(where: string): Promise<string[]> {
  const isFile = where.endsWith(".jsonl");
  const folder = isFile ? path.dirname(where) : where;
  const base = isFile ? path.basename(where, ".jsonl") : "decisions-";
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(base) && name.endsWith(".jsonl"))
    .map((name) => path.join(folder, name));
}

/** Runs the replay in a thread. @throws OperatorMistake if it takes too long, or too much memory */
function inThread(work: ReplayWork, timeLimitMs: number): Promise<ReplayResult> {
  const isSource = import.meta.url.endsWith(".ts");
  const file = new URL(`./policy-replay-worker.${isSource ? "ts" : "js"}`, import.meta.url);
  const worker = new Worker(file, {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    execArgv: isSource ? ["--conditions=headgate-source"] : [],
  });
  return new Promise<ReplayResult>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(tooMuch(`took longer than ${Math.round(timeLimitMs / 1_000)} s`)),
      timeLimitMs,
    );
    worker.once("message", resolve);
    worker.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? tooMuch("needs too much memory") : error),
    );
    worker.once("exit", () => {
      clearTimeout(timer);
      reject(new Error("The replay ended without an answer."));
    });
  }).finally(() => void worker.terminate());
}

function tooMuch(what: string): OperatorMistake {
  return new OperatorMistake(
    `The replay ${what}: run headgate-server replay on the files of the log instead.`,
  );
}
