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
/** Longer than any of them waits from one clearing to the next. */
const sweepMs = 11_000;

await answer((task: Task) => (task.do === "hold" ? hold(task) : expire(task)));

/** So many callers, each with one visit: the bytes of each, and how long it then takes to collect all garbage. */
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
  // Asked once more, for the engine not to find out earlier that nobody is interested in them any more.
  await visit(crowd.make(0));
  return [bytes, medianOf(pausesMs)];
}

/** So many callers, each with one visit, whose windows then end: the longest that the event loop stood still meanwhile. */
async function expire({ contender, callers, windowMs }: Task): Promise<number[]> {
  const { visit, clock, takesClock } = open(await load(contender), callers, windowMs);
  const crowd = crowdOf(callers);
  for (let index = 0; index < callers; index += 1) await visit(crowd.make(index));
  collect();
  const untilMs = performance.now() + windowMs + sweepMs;
  // Of all windows, the longest is an hour.
  clock.offsetMs = 2 * 3_600_000;
  const { longestPauseMs, longestWorkMs } = await watchTurns(async (turn) => {
    for (let count = 0; count < visitsATurn; count += 1) {
      await visit(crowd.make((turn * visitsATurn + count) % callers));
    }
    // Whoever clears up as visitors come is given as many visitors as it has to forget.
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
