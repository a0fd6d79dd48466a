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
  /** All decisions that were asked for, those of warming up included. */
  readonly asked: number;
  readonly perSecond: number;
  readonly p50Us: number;
}

const visitsACaller = 5;
/** Between two visits of a caller come this many others, more than are in flight. */
const callersABlock = 1_000;
/** Those who are refused. */
const refusedCallers = 64;
/** More than enough for every layer: some go on counting what they refuse. */
const visitsToBeRefused = 65;
/** A process that answers everything by itself still has to hear from its server. */
const decisionsATurn = 50;

/** Keeps so many decisions in flight for a while. */
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

/** The numbers of the measured callers are their own: nobody is refused for what came before. */
function callerOf(index: number): Caller {
  return { user: userOf(index), ip: ipOf(index) };
}
