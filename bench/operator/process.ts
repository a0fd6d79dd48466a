import { setImmediate as nextTurn } from "node:timers/promises";
import { type Admission, type Admitted, createLimiter, memoryStore } from "headgate";
import { answer } from "../measuring/child.ts";
import { heldBytes } from "../measuring/collect.ts";
import { medianOf } from "../measuring/figures.ts";
import { watchTurns } from "../measuring/turns.ts";
import { startOfPass } from "../memory/cadence.ts";
import { type Caller, headgateLayers, userOf } from "../traffic.ts";
import { putNextTo } from "./parts.ts";
import { type Flooded, type FloodStep, floodMsAKey, floodShares, type Part, type Task } from "./task.ts";

const callers = 1_000;
const decisionsATurn = 100;
/** The time, by the moved clock, in which every caller sends one request. */
const passMs = 10_000;

await answer<Task, number | Flooded>((task) =>
  task.do === "cost" ? cost(task.on, task.decisions, task.stretches) : flood(task.on, task.keys),
);

/**
 * Nanoseconds per decision, the median of several measurements. This includes everything that the tools do on this
 * thread, and the time until the log is written.
 */
async function cost(on: readonly Part[], decisions: number, stretches: number): Promise<number> {
  const startedAt = Date.now();
  const clock = { offsetMs: 0 };
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers: headgateLayers(),
    clock: { now: () => startedAt + clock.offsetMs },
  });
  const running = await putNextTo(limiter, on);
  const crowd = Array.from({ length: callers }, (_, index) => callerAt(index));
  let made = 0;
  async function decide(count: number): Promise<void> {
    for (const end = made + count; made < end; await nextTurn()) {
      const visit = made % callers;
      clock.offsetMs = startOfPass(Math.floor(made / callers)) + Math.floor((visit / callers) * passMs);
      for (let index = visit; index < visit + decisionsATurn; index += 1) {
        if (!(limiter.admit(crowd[index] as Caller) as Admission).admitted)
          throw new Error("Somebody was refused who should be admitted.");
      }
      made += decisionsATurn;
    }
    await running.flush();
  }
  await decide(decisions);
  const nanoseconds: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const startedNs = process.hrtime.bigint();
    await decide(decisions);
    nanoseconds.push(Number(process.hrtime.bigint() - startedNs) / decisions);
  }
  if (running.lostLines() > 0) throw new Error(`The decision log lost ${running.lostLines()} lines.`);
  await running.close();
  return medianOf(nanoseconds);
}

/**
 * Sends one request for each new key to the memory store with its default maximum. Every request ends in the
 * next turn, as a server ends it with its response. The clock moves with the keys, so that windows end in a
 * slow flood and in a quick one.
 */
async function flood(on: readonly Part[], keys: number): Promise<Flooded> {
  const startedAt = Date.now();
  let key = 0;
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers: headgateLayers(),
    store: memoryStore(),
    clock: { now: () => startedAt + key * floodMsAKey },
  });
  const running = await putNextTo(limiter, on);
  const before = heldBytes();
  let open: Admitted[] = [];
  function turn(): void {
    for (const admitted of open) void admitted.end();
    open = [];
    for (let count = 0; count < decisionsATurn; count += 1, key += 1) {
      const admission = limiter.admit(callerAt(key)) as Admission;
      // Callers share partitions once the store is full, so some are refused.
      if (admission.admitted) open.push(admission);
    }
  }
  const steps: FloodStep[] = [];
  for (const share of floodShares) {
    const end = keys * share;
    const { seconds, longestWorkMs, peakResidentBytes } = await watchTurns(() => {
      turn();
      return key < end;
    });
    await running.flush();
    steps.push({ keys: key, seconds, longestWorkMs, peakResidentBytes, heldBytes: heldBytes() - before });
  }
  const lostLines = running.lostLines();
  await running.close();
  return { steps, lostLines };
}

function callerAt(index: number): Caller {
  return { user: userOf(index), ip: `ip:${index}` };
}
