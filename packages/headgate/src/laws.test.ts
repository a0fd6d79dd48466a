import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Admission, Admitted } from "./core/admission.ts";
import { calendarNames } from "./core/calendar.ts";
import type { Cost } from "./core/cost.ts";
import { algorithmNames, defineLimit, type Limit } from "./core/limit.ts";
import { createLimiter } from "./limiter/limiter.ts";
import { memoryStore } from "./stores/memory/index.ts";
import { fakeClock } from "./testing/fake-clock.ts";
import { type OracleCharge, type OracleDecision, oracle } from "./testing/oracle.ts";

const tenYears = 10 * 365 * 24 * 3600 * 1000;

/** At the larger scale, some or all sliding windows have coarse logs. */
const scales = [1, 250] as const;

const limitArbitrary = (scale: number): fc.Arbitrary<Limit> =>
  fc
    .record({
      quota: fc.integer({ min: 1, max: 9 }).map((quota) => quota * scale),
      windowMs: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 200 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: tenYears }) },
        { weight: 1, arbitrary: fc.constantFrom(1000, 20_000, 60_000, 7 * 86_400_000) },
      ),
      algorithm: fc.constantFrom(...algorithmNames),
      calendar: fc.constantFrom(undefined, undefined, ...calendarNames),
      timeZone: fc.constantFrom("UTC", "Europe/London", "Australia/Lord_Howe", "America/Santiago"),
      from: fc.constantFrom(undefined, "first-use" as const),
    })
    .map(({ calendar, timeZone, from, ...options }) => {
      // Holds are compared by the store suite and the model test.
      const limit = { ...options, unit: options.algorithm === "concurrent" ? "concurrent" : "requests" };
      if (limit.algorithm !== "fixed-window") return defineLimit(limit);
      if (calendar !== undefined) return defineLimit({ ...limit, windowMs: 86_400_000, calendar, timeZone });
      return defineLimit(from === undefined ? limit : { ...limit, from });
    });

const layersArbitrary = (scale: number) =>
  fc.array(
    fc.uniqueArray(limitArbitrary(scale), {
      minLength: 1,
      maxLength: 3,
      selector: (limit) => JSON.stringify(limit),
    }),
    { minLength: 1, maxLength: 3 },
  );

const costArbitrary = (scale: number): fc.Arbitrary<Cost> =>
  fc.record(
    {
      requests: fc.integer({ min: 0, max: 10 }).map((units) => units * scale),
      concurrent: fc.integer({ min: 0, max: 10 }).map((units) => units * scale),
    },
    { requiredKeys: [] },
  );

type Step =
  | { do: "admit"; keys: number[]; cost: Cost; peek: boolean }
  | { do: "advance"; ms: number }
  | { do: "wait" }
  | { do: "settle"; which: number; actual: Cost };

const stepArbitrary = (scale: number): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("admit" as const),
        keys: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 3, maxLength: 3 }),
        cost: fc.oneof(
          { weight: 1, arbitrary: fc.constant({}) },
          { weight: Math.min(scale, 4), arbitrary: costArbitrary(scale) },
        ),
        peek: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("advance" as const),
        ms: fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: tenYears })),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ do: "wait" as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("settle" as const),
        which: fc.nat({ max: 5 }),
        actual: fc.record({ requests: fc.integer({ min: 0, max: 10 }).map((units) => units * scale) }),
      }),
    },
  );

type Keys = readonly number[];

/** Plays the same steps to a limiter over the memory store and to the oracle. */
function play(layers: Limit[][], steps: readonly Step[], compare: (one: Pair) => void): void {
  const clock = fakeClock();
  const truth = oracle();
  // Without timers there are no heartbeats, so holds lapse as in the oracle.
  const { now } = clock;
  const limiter = createLimiter<Keys>({
    name: "chat",
    layers: layers.map((limits, l) => ({
      name: `layer${l}`,
      key: (keys) => (keys[l] === 2 ? null : `caller${keys[l]}`),
      limits: limits.map((limit, n) => ({ ...limit, name: `limit${l}-${n}` })),
    })),
    units: ["requests", "concurrent"],
    store: memoryStore(),
    clock: { now },
    onWarning: () => {},
  });
  const chargesOf = (keys: Keys): OracleCharge[] =>
    layers.flatMap((limits, l) =>
      keys[l] === 2 ? [] : [{ space: `layer${l}`, key: `caller${keys[l]}`, limits }],
    );
  const admitted: { handle: Admitted; keys: Keys; decision: OracleDecision; charges: OracleCharge[] }[] = [];
  let lastWait = 0;

  for (const step of steps) {
    if (step.do === "advance") clock.advance(step.ms);
    if (step.do === "wait") clock.advance(Number.isFinite(lastWait) ? lastWait : 0);
    if (step.do === "settle") {
      const one = admitted[step.which];
      if (one === undefined) continue;
      one.handle.report(step.actual);
      truth.settle(one.charges, one.decision, step.actual, clock.now());
      const readings = truth.read(one.charges, clock.now()).flat();
      const { limits } = limiter.peek(one.keys, { cost: { requests: 0, concurrent: 0 } }) as Admission;
      compare({ step, layers, now: clock.now(), limits, readings });
    }
    if (step.do === "admit") {
      const charges = chargesOf(step.keys);
      const decision = truth.decide(charges, step.cost, clock.now(), step.peek);
      const options = { cost: step.cost };
      const admission = (
        step.peek ? limiter.peek(step.keys, options) : limiter.admit(step.keys, options)
      ) as Admission;
      const readings = decision.readings.flat();
      compare({ step, layers, now: clock.now(), admission, decision, limits: admission.limits, readings });
      if (!admission.admitted) lastWait = admission.retryAfterMs;
      if (!step.peek && admission.admitted)
        admitted.push({ handle: admission, keys: step.keys, decision, charges });
    }
  }
  for (const { charges } of admitted) {
    for (const charge of charges) {
      for (const limit of charge.limits) compare({ layers, worst: truth.worst(charge, limit), limit });
    }
  }
}

interface Pair {
  layers: Limit[][];
  step?: Step;
  now?: number;
  admission?: Admission;
  decision?: OracleDecision;
  limits?: Admission["limits"];
  readings?: readonly { remaining: number; waitMs: number; resetMs: number }[];
  worst?: number;
  limit?: Limit;
}

const runs = { numRuns: 2000 };

describe("against the oracle, in memory", () => {
  it.each(scales)(
    "decides, waits and counts like the definitions, for any policy, costs and clock, at scale %i",
    (scale) => {
      const noRefunds = stepArbitrary(scale).filter((step) => step.do !== "settle");
      fc.assert(
        fc.property(layersArbitrary(scale), fc.array(noRefunds, { maxLength: 40 }), (layers, steps) => {
          play(layers, steps, ({ admission, decision, limits, readings, worst, limit }) => {
            if (admission && decision) expect(admission.admitted).toBe(decision.admitted);
            if (limits && readings) expect(limits.map(numbers)).toEqual(readings);
            if (limit?.algorithm === "sliding-window" || limit?.algorithm === "concurrent") {
              expect(worst).toBeLessThanOrEqual(limit.quota);
            }
            if (limit?.algorithm === "sliding-counter")
              expect(worst).toBeLessThanOrEqual(2 * limit.quota - 1);
            if (limit?.algorithm === "fixed-window" && limit.calendar === undefined) {
              expect(worst).toBeLessThanOrEqual(2 * limit.quota);
            }
            if (limit?.algorithm === "token-bucket") expect(worst).toBeLessThanOrEqual(2 * limit.quota - 1);
          });
        }),
        runs,
      );
    },
  );

  it.each(scales)(
    "settles and refunds as if the true cost had been known, for windows, at scale %i",
    (scale) => {
      const windows = layersArbitrary(scale).map((layers) =>
        layers.map((limits) =>
          limits.map((limit) =>
            // A report is also a heartbeat, which the oracle does not have.
            limit.algorithm === "token-bucket" || limit.algorithm === "concurrent" || limit.from !== undefined
              ? defineLimit({
                  quota: limit.quota,
                  windowMs: limit.windowMs,
                  algorithm: "sliding-window",
                })
              : limit,
          ),
        ),
      );
      const distinct = windows.filter((layers) =>
        layers.every(
          (limits) => new Set(limits.map((limit) => JSON.stringify(limit))).size === limits.length,
        ),
      );
      fc.assert(
        fc.property(distinct, fc.array(stepArbitrary(scale), { maxLength: 40 }), (layers, steps) => {
          play(layers, steps, ({ admission, decision, limits, readings }) => {
            if (admission && decision) expect(admission.admitted).toBe(decision.admitted);
            if (limits && readings) expect(limits.map(numbers)).toEqual(readings);
          });
        }),
        runs,
      );
    },
  );

  it("never refunds more than was spent, for buckets", () => {
    const buckets = layersArbitrary(1).map((layers) =>
      layers.map(([first]) => [
        defineLimit({ quota: 5, windowMs: first?.windowMs ?? 1, algorithm: "token-bucket" }),
      ]),
    );
    fc.assert(
      fc.property(buckets, fc.array(stepArbitrary(1), { maxLength: 40 }), (layers, steps) => {
        let agreed = true;
        play(layers, steps, ({ admission, decision, limits, readings }) => {
          // Once limiter and oracle disagree about an admission, their histories differ, so the comparison ends.
          if (admission && decision && admission.admitted !== decision.admitted) {
            if (agreed) expect(admission.admitted).toBe(false);
            agreed = false;
          }
          if (!agreed || !limits || !readings) return;
          limits.forEach((limit, i) => {
            expect(limit.remaining).toBeLessThanOrEqual(readings[i]?.remaining ?? 0);
          });
        });
      }),
      runs,
    );
  });
});

function numbers({ remaining, waitMs, resetMs }: { remaining: number; waitMs: number; resetMs: number }) {
  return { remaining, waitMs, resetMs };
}
