import { setTimeout as sleep } from "node:timers/promises";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { type Admission, type Cost, createLimiter, type Limiter, memoryStore, type Store } from "headgate";
import { observe } from "headgate/otel";
import { postgresStore } from "headgate/postgres";
import { redisStore } from "headgate/redis";
import { type FakeClock, fakeClock } from "headgate/testing";
import { attend } from "../measuring/companion.ts";
import { medianOf } from "../measuring/figures.ts";
import type { Situation } from "./situations.ts";

/** Where a process measures. */
export interface Setting {
  /** `memory`, or the URL of a server. */
  readonly store: string;
  /** The clock's start. Processes that share a server need the same start. */
  readonly startMs: number;
}

/** A task for a process. */
export type Question =
  /** Sends the requests that come before the measurement. */
  | { readonly do: "fill"; readonly situation: Situation }
  /** Measures decisions, after a fill. */
  | { readonly do: "decide"; readonly situation: Situation; readonly decisions: number }
  /** Opens holds of one or more callers. Heartbeats are sent for all of them, or only for one. */
  | { readonly do: "hold"; readonly holds: number; readonly callers: number; readonly beating: "all" | "one" }
  /** Sends heartbeats, and waits for some time after each. */
  | { readonly do: "beat"; readonly beats: number; readonly pauseMs: number };

/** The answer to `decide`. Answers to other tasks are empty. */
export interface Decided {
  readonly decisions: number;
  /** The time of a decision in this process, in microseconds: the median of several stretches. */
  readonly microseconds: number;
}

const stretches = 5;
const together = 25;
/** Three times a lease of 30 seconds. */
const beatMs = 10_000;
attend(({ store: where, startMs }: Setting) => {
  const clock = fakeClock(startMs);
  // Not the store's clock: otherwise, holds that are not renewed would expire.
  const beatingClock = fakeClock(startMs);
  const store = open(where, clock);
  let held: readonly Admission[] = [];
  return async (question: Question): Promise<Decided | undefined> => {
    switch (question.do) {
      case "fill":
        await fill(store, clock, question.situation);
        return;
      case "decide":
        // Another process may have filled the store.
        clock.set(startMs + timeToFillMs(question.situation));
        return decide(store, clock, question.situation, question.decisions);
      case "hold":
        held = await holdAll(store, beatingClock, clock, question);
        return;
      case "beat":
        for (let beat = 0; beat < question.beats; beat += 1) {
          // The leases move on with the time that passes, as they do in production.
          clock.advance(question.pauseMs);
          beatingClock.advance(beatMs);
          await sleep(question.pauseMs);
        }
        for (const admission of held) checkAdmitted(admission);
    }
  };
});

function open(where: string, clock: FakeClock): Store {
  if (where === "memory") return memoryStore();
  return where.startsWith("redis:") ? redisStore(where, { clock }) : postgresStore(where, { clock });
}

function limiterOf(store: Store, clock: FakeClock, { layers }: Situation): Limiter<string> {
  return createLimiter({
    name: "chat",
    layers: layers.map((limits, index) => ({
      name: `layer-${index + 1}`,
      key: (caller: string) => caller,
      limits,
    })),
    store,
    clock,
    // A long time limit, because decisions by an outage policy would not measure the store.
    timeouts: { storeMs: 60_000 },
  });
}

function timeToFillMs({ before: { visits, everyMs } }: Situation): number {
  return visits * everyMs;
}

/** The cost of a request that takes no place of a `concurrent` limit. */
function withoutPlace({ company }: Situation): Cost {
  return company === "holds" ? { concurrent: 0 } : {};
}

function callersOf({ callers }: Situation): string[] {
  return Array.from({ length: callers }, (_, index) => `user:${String(index).padStart(8, "0")}`);
}

async function fill(store: Store, clock: FakeClock, situation: Situation): Promise<void> {
  const limiter = limiterOf(store, clock, situation);
  const callers = callersOf(situation);
  const { visits, cost, everyMs } = situation.before;
  for (let visit = 0; visit < visits; visit += 1) {
    for (let from = 0; from < callers.length; from += together) {
      await Promise.all(
        callers.slice(from, from + together).map(async (caller) => {
          checkAdmitted(
            await limiter.admit(caller, { cost: { requests: cost, ...withoutPlace(situation) } }),
          );
        }),
      );
    }
    clock.advance(everyMs);
  }
  if (situation.company === "algorithms") await decideAll(othersOf(store, clock), callers, 0);
}

async function decide(
  store: Store,
  clock: FakeClock,
  situation: Situation,
  decisions: number,
): Promise<Decided> {
  const limiter = limiterOf(store, clock, situation);
  const callers = callersOf(situation);
  const { company } = situation;
  if (company === "metrics") observe(limiter, { meter: new MeterProvider().getMeter("headgate") });
  if (company === "overrides") {
    for (const caller of callers) await limiter.override(caller, { limits: "6/minute; 70/hour" });
  }
  if (company === "holds") {
    for (const caller of callers) checkAdmitted(await limiter.admit(caller, { cost: { requests: 0 } }));
  }
  const options = company === "holds" ? { cost: withoutPlace(situation) } : undefined;
  const others = company === "algorithms" && store.remote !== true ? othersOf(store, clock) : [];
  const stepMs = situation.everyMs / callers.length;
  let visit = 0;
  async function stretch(): Promise<number> {
    await decideAll(others, callers, visit);
    const startedNs = process.hrtime.bigint();
    for (let count = 0; count < decisions; count += 1, visit += 1) {
      clock.advance(stepMs);
      const answer = limiter.admit(callers[visit % callers.length] as string, options);
      checkAdmitted(answer instanceof Promise ? await answer : answer);
    }
    return Number(process.hrtime.bigint() - startedNs) / 1_000 / decisions;
  }
  await stretch();
  const microseconds: number[] = [];
  for (let each = 0; each < stretches; each += 1) microseconds.push(await stretch());
  return { decisions: visit, microseconds: medianOf(microseconds) };
}

async function decideAll(
  limiters: readonly Limiter<string>[],
  callers: readonly string[],
  visit: number,
): Promise<void> {
  for (const limiter of limiters) {
    for (const caller of callers) checkAdmitted(await limiter.admit(`${caller}:${visit}`));
  }
}

/** Limiters with the other algorithms over the same store. */
function othersOf(store: Store, clock: FakeClock): Limiter<string>[] {
  return ["token-bucket", "fixed-window", "sliding-counter"].map((algorithm) =>
    createLimiter({
      name: algorithm,
      layers: [{ name: "user", key: (caller: string) => caller, limits: `60/hour ${algorithm}` }],
      store,
      clock,
      timeouts: { storeMs: 60_000 },
    }),
  );
}

/**
 * Returns the admissions, because an admission without a reference is ended.
 *
 * @param still a clock that nobody moves
 */
async function holdAll(
  store: Store,
  moved: FakeClock,
  still: FakeClock,
  { holds, callers, beating }: Extract<Question, { do: "hold" }>,
): Promise<Admission[]> {
  if (beating === "all") return hold(store, moved, holds, callers);
  return [...(await hold(store, still, holds - 1, callers)), ...(await hold(store, moved, 1, 1))];
}

async function hold(store: Store, clock: FakeClock, holds: number, callers: number): Promise<Admission[]> {
  const limiter = createLimiter({
    name: "answers",
    layers: [{ name: "user", key: (caller: string) => caller, limits: "5000 concurrent" }],
    store,
    clock,
    timeouts: { storeMs: 60_000 },
  });
  const held: Admission[] = [];
  while (held.length < holds) {
    const admissions = Array.from({ length: Math.min(together, holds - held.length) }, async (_, index) =>
      limiter.admit(`user:${(held.length + index) % callers}`),
    );
    held.push(...(await Promise.all(admissions)));
  }
  for (const admission of held) checkAdmitted(admission);
  return held;
}

function checkAdmitted(admission: Admission): void {
  if (!admission.admitted) throw new Error("Somebody was refused who should be admitted.");
}
