import { answer } from "../measuring/child.ts";
import { medianOf } from "../measuring/figures.ts";
import { type Caller, crowdOf, limits, limitsOutOfReach, shuffled } from "../traffic.ts";
import { startOfPass, type Task, visitsACycle } from "./cadence.ts";
import type { MovableClock, Visit } from "./contender.ts";
import { memoryContenders } from "./contenders/index.ts";

/** The number of visits between two moves of the clock. */
const visitsATick = 1_000;
/** The duration of a pass over all callers, by the moved clock. */
const passMs = 10_000;

await answer(async (tasks: readonly Task[]) => {
  const figures: number[] = [];
  for (const task of tasks) figures.push(await measure(task));
  return figures;
});

/** Returns nanoseconds per decision, the median of several measurements. */
async function measure(task: Task): Promise<number> {
  const { contender, callers, keys, warmUpDecisions, decisionsAStretch, stretches } = task;
  const listed = memoryContenders[contender];
  if (listed === undefined) throw new Error(`There is no contender "${contender}".`);
  const clock: MovableClock = { offsetMs: 0 };
  const isAdmitting = task.decided === "admitted";
  const visit = (await listed.open()).open({
    peersLimits: isAdmitting ? limitsOutOfReach : limits,
    callers,
    clock,
  });

  const crowd = crowdOf(callers);
  const known =
    keys === "kept" ? Array.from({ length: callers }, (_, index) => crowd.make(index)) : undefined;
  const inOrder = known ? (index: number) => known[index] as Caller : crowd.make;
  // First visits are in numerical order, later visits in random order, unlike the order of memory.
  const order = shuffled(callers);
  const mixed = known && Array.from(order, (index) => known[index] as Caller);
  const inDisorder = mixed
    ? (index: number) => mixed[index] as Caller
    : (index: number) => crowd.make(order[index] as number);

  let passed = 0;
  async function pass(callerAt: (index: number) => Caller, passes: number): Promise<number> {
    const walk: Walk = {
      callers,
      callerAt,
      clock: isAdmitting ? clock : undefined,
      firstPass: passed,
      passes,
    };
    passed += passes;
    const admitted = "now" in visit ? walkNow(visit, walk) : await walkLater(visit, walk);
    return admitted;
  }

  async function passAtLeast(decisions: number): Promise<number> {
    const passes = Math.max(1, Math.ceil(decisions / callers));
    const admitted = await pass(inDisorder, passes);
    if (admitted === (isAdmitting ? passes * callers : 0)) return passes * callers;
    throw new Error(
      `${contender} admitted ${admitted} of ${passes * callers} that should be ${task.decided}.`,
    );
  }

  // For refusals, callers first use up their quotas.
  await pass(inOrder, isAdmitting ? 1 : visitsACycle);
  if (warmUpDecisions > 0) await passAtLeast(warmUpDecisions);

  const nanoseconds: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const startedNs = process.hrtime.bigint();
    const decisions = await passAtLeast(decisionsAStretch);
    nanoseconds.push(Number(process.hrtime.bigint() - startedNs) / decisions);
  }
  return medianOf(nanoseconds);
}

interface Walk {
  readonly callers: number;
  readonly callerAt: (index: number) => Caller;
  /** Absent if the contender only uses the machine's clock. */
  readonly clock: MovableClock | undefined;
  readonly firstPass: number;
  readonly passes: number;
}

type Now = Extract<Visit, { now: unknown }>;
type Later = Extract<Visit, { later: unknown }>;

// Two loops, so that the synchronous one contains no promises.

/** @returns how many were admitted. */
function walkNow({ now }: Now, { callers, callerAt, clock, firstPass, passes }: Walk): number {
  let admitted = 0;
  for (let pass = firstPass; pass < firstPass + passes; pass += 1) {
    const startsAt = startOfPass(pass);
    for (let from = 0; from < callers; from += visitsATick) {
      if (clock) clock.offsetMs = startsAt + Math.floor((from / callers) * passMs);
      const to = Math.min(from + visitsATick, callers);
      for (let index = from; index < to; index += 1) if (now(callerAt(index))) admitted += 1;
    }
  }
  return admitted;
}

/** @returns how many were admitted. */
async function walkLater({ later }: Later, { callers, callerAt, passes }: Walk): Promise<number> {
  let admitted = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    for (let index = 0; index < callers; index += 1) if (await later(callerAt(index))) admitted += 1;
  }
  return admitted;
}
