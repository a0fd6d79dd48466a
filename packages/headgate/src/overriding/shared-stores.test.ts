import { eachStore } from "@headgate/test-servers/each-store.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { countByHand } from "../testing/count-by-hand.ts";
import { fakeClock } from "../testing/index.ts";

const { memory, redis, postgres } = eachStore();
const stores = [
  ["memory", memory, 300],
  ["redis", redis, 60],
  ["postgres", postgres, 40],
] as const;

const second = 1000;
const minute = 60_000;
const plan = { quota: 5, windowMs: minute };

/** The overrides that an operator may set, and their meaning. */
const terms: Record<string, { quota: number; windowMs: number }> = {
  "8/minute": { quota: 8, windowMs: minute },
  "2/minute": { quota: 2, windowMs: minute },
  "6/10 minutes": { quota: 6, windowMs: 10 * minute },
  "3/10 seconds": { quota: 3, windowMs: 10 * second },
  unlimited: { quota: Number.POSITIVE_INFINITY, windowMs: minute },
  blocked: { quota: 0, windowMs: minute },
};

type Step =
  | { readonly do: "ask"; readonly process: number; readonly cost: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "override"; readonly process: number; readonly limits: string; readonly forMs?: number }
  | { readonly do: "end"; readonly process: number };

const oneProcess = fc.integer({ min: 0, max: 1 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("ask" as const),
        process: oneProcess,
        cost: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        ms: fc.integer({ min: 1, max: 50 * second }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record(
        {
          do: fc.constant("override" as const),
          process: oneProcess,
          limits: fc.constantFrom(...Object.keys(terms)),
          forMs: fc.integer({ min: second, max: 3 * minute }),
        },
        { requiredKeys: ["do", "process", "limits"] },
      ),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("end" as const), process: oneProcess }) },
  ),
  { minLength: 5, maxLength: 50 },
);

describe.each(stores)("overrides over %s", (name, make, runs) => {
  it(`admit the same requests as a simple count: two processes, ${runs} histories`, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (history: readonly Step[]) => {
        run += 1;
        const clock = fakeClock();
        const store = make(clock);
        const limiters = [0, 1].map(() =>
          createLimiter({
            name: "overrides",
            layers: [{ name: "user", key: (user: string) => user, limits: "5/minute" }],
            store,
            clock,
            timeouts: { storeMs: 10_000 },
            onWarning: () => {},
          }),
        ) as [Limited, Limited];
        const user = `user-${run}-${Math.random().toString(36).slice(2)}`;
        const count = countByHand(plan);
        for (const step of history) {
          if (step.do === "wait") clock.advance(step.ms);
          else if (step.do === "ask") {
            const { admitted } = await (limiters[step.process] as Limited).admit(user, {
              cost: { requests: step.cost },
            });
            const { must, may } = count.admits(clock.now(), step.cost);
            if (must || !may) expect(admitted).toBe(may);
            if (admitted) count.spend(clock.now(), step.cost);
          } else {
            const limiter = limiters[step.process] as Limited;
            if (step.do === "end") {
              await limiter.endOverride(user);
              count.limitTo(plan);
            } else {
              const { limits, forMs } = step;
              await limiter.override(user, { limits, ...(forMs === undefined ? {} : { forMs }) });
              if (limits === "unlimited") count.countsCoarsely();
              count.limitTo(terms[limits] ?? plan, clock.now() + (forMs ?? Number.POSITIVE_INFINITY));
            }
            // For this long, another process may refuse from memory.
            clock.advance(second);
          }
        }
        for (const limiter of limiters) await limiter.close();
      }),
      { numRuns: runs },
    );
  }, 120_000);

  it("never admit more than the looser of two overrides that alternate", async () => {
    const clock = fakeClock();
    const limiter = createLimiter({
      name: "flapping",
      layers: [
        { name: "user", key: (user: string) => user, limits: "10/minute; 100 tokens/minute fixed-window" },
      ],
      store: make(clock),
      clock,
      timeouts: { storeMs: 10_000 },
      onWarning: () => {},
    });
    const user = `flapping-${name}-${Math.random()}`;
    const admitted: number[] = [];
    for (let n = 0; n < 120; n += 1) {
      if (n % 3 === 0)
        await limiter.override(user, { limits: n % 2 === 0 ? "4/minute" : "7/minute token-bucket" });
      else if (n % 3 === 1) await limiter.endOverride(user);
      for (let k = 0; k < 4; k += 1) {
        const admission = await limiter.admit(user, { cost: { tokens: 1 } });
        if (!admission.admitted) continue;
        admitted.push(clock.now());
        await admission.end({ tokens: 1 });
      }
      clock.advance(second);
    }
    expect(admitted.length).toBeGreaterThan(12);
    // A bucket of seven admits up to thirteen a minute, by design. The plan admits ten.
    for (const at of admitted)
      expect(admitted.filter((other) => other > at - minute && other <= at).length).toBeLessThanOrEqual(13);
    await limiter.close();
  });
});

type Limited = ReturnType<typeof createLimiter<string>>;
