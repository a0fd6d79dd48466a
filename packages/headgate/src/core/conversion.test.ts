import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../stores/memory/index.ts";
import { type Oracle, oracle } from "../testing/oracle.ts";
import { amountsOf } from "./cost.ts";
import type { Limit } from "./limit.ts";
import { compileLimits, type LimitSet } from "./limit-set.ts";

interface Step {
  readonly advanceMs: number;
  readonly plan: number;
  readonly requests: number;
}

const windowMs = fc.integer({ min: 1, max: 60 });
const quota = fc.integer({ min: 1, max: 9 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    advanceMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
    plan: fc.nat(),
    requests: fc.integer({ min: 1, max: 4 }),
  }),
  { minLength: 5, maxLength: 60 },
);

const window = fc.record({ quota, windowMs });
const logs = fc.array(
  fc.uniqueArray(window, { minLength: 1, maxLength: 3, selector: ({ windowMs: ms }) => ms }),
  {
    minLength: 2,
    maxLength: 4,
  },
);

const kinds = [
  { algorithm: "sliding-window" },
  { algorithm: "token-bucket" },
  { algorithm: "fixed-window" },
  { algorithm: "fixed-window", from: "first-use" },
  { algorithm: "sliding-counter" },
] as const;
const edgeless = [kinds[0], kinds[1], kinds[4]];
const quotas = fc.uniqueArray(quota, { minLength: 2, maxLength: 4 });
const anyLimit = fc
  .tuple(quota, windowMs, fc.constantFrom(...kinds))
  .map(([one, ms, kind]) => ({ quota: one, windowMs: ms, ...kind }));

/** Compiles the limits of one layer, whose plans share its memory. */
function plansOf(inputs: readonly Parameters<typeof compileLimits>[1][]): LimitSet[] {
  const memory = new Map();
  return inputs.map((input) => compileLimits("layer", input, memory));
}

/** Plays a history under plans that change. @param check called for each admitted request, before it is charged. */
function play(
  plans: readonly LimitSet[],
  history: readonly Step[],
  check: (truth: Oracle, requests: number, now: number) => void = () => {},
): Oracle {
  const store = memoryStore();
  const truth = oracle();
  let now = start;
  for (const { advanceMs, plan, requests } of history) {
    now += advanceMs;
    const limits = plans[plan % plans.length] as LimitSet;
    const outcome = store.decide([{ ...partition, limits, ...amountsOf(limits, { requests }) }], now, false);
    if (!outcome.admitted) continue;
    check(truth, requests, now);
    truth.spend(partition, "requests", requests, now);
  }
  return truth;
}

const partition = { space: "layer", key: "caller" };
const start = Date.UTC(2026, 0, 1);

describe("limits that change", () => {
  it("decide like the latest limits would if they had always applied, for sliding windows", () => {
    fc.assert(
      fc.property(logs, steps, (inputs, history) => {
        const plans = plansOf(inputs);
        const store = memoryStore();
        const truth = oracle();
        let now = start;
        for (const { advanceMs, plan, requests } of history) {
          now += advanceMs;
          const limits = plans[plan % plans.length] as LimitSet;
          const outcome = store.decide(
            [{ ...partition, limits, ...amountsOf(limits, { requests }) }],
            now,
            false,
          );
          const wanted = truth.decide([{ ...partition, limits: limits.limits }], { requests }, now);
          expect(outcome.admitted).toBe(wanted.admitted);
          expect(outcome.readings).toEqual(wanted.readings);
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each(kinds)(
    "admit, after changes of the quota, no request that the largest quota would refuse: %j",
    (kind) => {
      fc.assert(
        fc.property(quotas, windowMs, steps, (each, ms, history) => {
          const plans = plansOf(each.map((one) => ({ quota: one, windowMs: ms, ...kind })));
          const largest = plans[each.indexOf(Math.max(...each))] as LimitSet;
          play(plans, history, (truth, requests, now) => {
            const { admitted } = truth.decide(
              [{ ...partition, limits: largest.limits }],
              { requests },
              now,
              true,
            );
            expect(admitted).toBe(true);
          });
        }),
        { numRuns: 200 },
      );
    },
  );

  it("admit, after changes of the algorithm, at most twice the quota in a window", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...edgeless), { minLength: 2 }),
        quota,
        windowMs,
        steps,
        (each, one, ms, history) => {
          const plans = plansOf(each.map((kind) => ({ quota: one, windowMs: ms, ...kind })));
          const truth = play(plans, history);
          expect(truth.worst({ ...partition, limits: [] }, plans[0]?.limits[0] as Limit)).toBeLessThanOrEqual(
            2 * one,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("report an exact wait, whatever the earlier limits were", () => {
    fc.assert(
      fc.property(fc.array(anyLimit, { minLength: 2, maxLength: 4 }), steps, (inputs, history) => {
        const plans = plansOf(inputs);
        const store = memoryStore();
        let now = start;
        const ask = (limits: LimitSet, requests: number) =>
          store.decide([{ ...partition, limits, ...amountsOf(limits, { requests }) }], now, false);
        for (const { advanceMs, plan, requests } of history) {
          now += advanceMs;
          ask(plans[plan % plans.length] as LimitSet, requests);
        }
        for (const limits of plans) {
          const refused = ask(limits, 1);
          if (refused.admitted) continue;
          const waitMs = refused.readings[0]?.[0]?.waitMs ?? 0;
          now += waitMs - 1;
          expect(ask(limits, 1).admitted).toBe(false);
          now += 1;
          expect(ask(limits, 1).admitted).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
