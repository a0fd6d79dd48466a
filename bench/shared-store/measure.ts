import { setImmediate as nextTurn } from "node:timers/promises";
import { percentileOf } from "../measuring/figures.ts";
import { type Caller, ipOf, userOf } from "../traffic.ts";
import type { Opened } from "./contender.ts";

/** One measurement. */
export interface Task {
  readonly decided: "admitted" | "refused";
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly forMs: number;
}

export interface Measured {
  /** The number of decisions, including the warm-up. */
  readonly asked: number;
  readonly perSecond: number;
  readonly p50Us: number;
}

const visitsACaller = 5;
/** The number of other callers between two visits of a caller, more than are in flight. */
const callersABlock = 1_000;
/** The number of refused callers. */
const refusedCallers = 64;
/** More visits than any layer's quota. Some limiters also count refusals. */
const visitsToBeRefused = 65;
/** The maximum number of decisions per turn, so that a process that decides locally still reads from its server. */
const decisionsATurn = 50;

/** Keeps a number of decisions in flight for some time. */
export async function measure({ visit }: Opened, task: Task): Promise<Measured> {
  const { decided, inFlight, warmUpMs, forMs } = task;
  const isAdmitting = decided === "admitted";
  let asked = 0;
  const refused = Array.from({ length: refusedCallers }, (_, index) => callerOf(index));
  const callerNow = (): Caller => {
    const visitIndex = asked;
    asked += 1;
    if (!isAdmitting) return refused[visitIndex % refusedCallers] as Caller;
    const block = Math.floor(visitIndex / (visitsACaller * callersABlock));
    return callerOf(block * callersABlock + (visitIndex % callersABlock));
  };

  async function askUntil(untilMs: number, latencies: number[]): Promise<void> {
    let sinceTurn = 0;
    for (;;) {
      const startedMs = performance.now();
      if (startedMs >= untilMs) return;
      const admitted = await visit(callerNow());
      latencies.push((performance.now() - startedMs) * 1000);
      if (admitted !== isAdmitting) throw new Error(`A visit was not ${decided}.`);
      sinceTurn += 1;
      if (sinceTurn % decisionsATurn === 0 && !isAdmitting) await nextTurn();
    }
  }

  async function askTogether(durationMs: number): Promise<Measured> {
    const latencies: number[] = [];
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: inFlight }, () => askUntil(startedMs + durationMs, latencies)));
    const seconds = (performance.now() - startedMs) / 1000;
    return {
      asked,
      perSecond: latencies.length / seconds,
      p50Us: percentileOf(latencies, 0.5),
    };
  }

  if (!isAdmitting) {
    for (let count = 0; count < visitsToBeRefused; count += 1) await Promise.all(refused.map(visit));
    asked += refusedCallers * visitsToBeRefused;
  }
  await askTogether(warmUpMs);
  return askTogether(forMs);
}

/** Returns a measured caller. Its number was not used before, so earlier visits do not count. */
function callerOf(index: number): Caller {
  return { user: userOf(index), ip: ipOf(index) };
}
