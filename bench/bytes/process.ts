import { answer } from "../measuring/child.ts";
import { collect, heldBytes } from "../measuring/collect.ts";
import { medianOf } from "../measuring/figures.ts";
import { watchTurns } from "../measuring/turns.ts";
import type { MemoryContender } from "../memory/contender.ts";
import { memoryContenders } from "../memory/contenders/index.ts";
import { crowdOf, limitsOver } from "../traffic.ts";
import type { Task } from "./task.ts";

const longMs = 24 * 3_600_000;
const collections = 5;
const visitsATurn = 50;
/** Longer than the interval between two sweeps of any contender. */
const sweepMs = 11_000;

await answer((task: Task) => (task.do === "hold" ? hold(task) : expire(task)));

/** Measures the bytes per caller, with one visit each, and the time of a full garbage collection afterwards. */
async function hold({ contender, callers }: Task): Promise<number[]> {
  const listed = await load(contender);
  const crowd = crowdOf(callers);
  const before = heldBytes();
  const { visit } = open(listed, callers, longMs);
  for (let index = 0; index < callers; index += 1) await visit(crowd.make(index));
  const bytes = (heldBytes() - before) / callers;
  const pausesMs: number[] = [];
  for (let count = 0; count < collections; count += 1) {
    const startedMs = performance.now();
    collect();
    pausesMs.push(performance.now() - startedMs);
  }
  // Use the limiter once more, so that the engine cannot collect its data before the measurement.
  await visit(crowd.make(0));
  return [bytes, medianOf(pausesMs)];
}

/** Measures the longest pause of the event loop while the windows of many callers, with one visit each, end. */
async function expire({ contender, callers, windowMs }: Task): Promise<number[]> {
  const { visit, clock, takesClock } = open(await load(contender), callers, windowMs);
  const crowd = crowdOf(callers);
  for (let index = 0; index < callers; index += 1) await visit(crowd.make(index));
  collect();
  const untilMs = performance.now() + windowMs + sweepMs;
  // The longest window is an hour.
  clock.offsetMs = 2 * 3_600_000;
  const { longestPauseMs, longestWorkMs } = await watchTurns(async (turn) => {
    for (let count = 0; count < visitsATurn; count += 1) {
      await visit(crowd.make((turn * visitsATurn + count) % callers));
    }
    // A contender that removes entries on visits gets as many visits as it has entries to remove.
    return takesClock ? (turn + 1) * visitsATurn < callers : performance.now() < untilMs;
  });
  return [longestPauseMs, longestWorkMs];
}

interface Loaded {
  readonly contender: MemoryContender;
  readonly takesClock: boolean;
}

async function load(name: string): Promise<Loaded> {
  const listed = memoryContenders[name];
  if (listed === undefined) throw new Error(`There is no contender "${name}".`);
  return { contender: await listed.open(), takesClock: listed.kind === "headgate" };
}

function open({ contender, takesClock }: Loaded, callers: number, windowMs: number) {
  const clock = { offsetMs: 0 };
  const opened = contender.open({ peersLimits: limitsOver(windowMs), callers, clock });
  return { visit: "now" in opened ? opened.now : opened.later, clock, takesClock };
}
