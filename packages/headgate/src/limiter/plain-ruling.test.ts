import fc from "fast-check";
import { expect, it } from "vitest";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import type { Limiter } from "./contract.ts";
import { createLimiter } from "./limiter.ts";

interface Caller {
  readonly user: number | null;
  readonly ip: number;
}

type Step = { readonly advanceMs: number; readonly caller: Caller } & (
  | {
      readonly do:
        | "admit"
        | "give back"
        | "reset"
        | "block"
        | "unblock"
        | "penalise"
        | "peek"
        | "prefix"
        | "no prefix";
    }
  | { readonly do: "cost"; readonly requests: number }
  | { readonly do: "policy"; readonly limits: string }
);

const caller = fc.record({
  user: fc.oneof({ weight: 6, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.constant(null) }),
  ip: fc.nat(1),
});
const advanceMs = fc.oneof(fc.constant(0), fc.nat(700), fc.nat(70_000));
const rare = fc.constantFrom(
  "give back",
  "reset",
  "block",
  "unblock",
  "penalise",
  "peek",
  "prefix",
  "no prefix",
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant("admit"), caller, advanceMs }) },
  { weight: 3, arbitrary: fc.record({ do: rare, caller, advanceMs }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("cost"), requests: fc.nat(3), caller, advanceMs }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("policy"),
      limits: fc.constantFrom(
        "4/second; 9/minute",
        "6/minute",
        "5/second token-bucket",
        "3/minute; 1 concurrent",
      ),
      caller,
      advanceMs,
    }),
  },
) as fc.Arbitrary<Step>;

/** Counts how often the limiter asks its store by a whole question. */
function player(clock: ReturnType<typeof fakeClock>, isWatched: boolean) {
  const limiter: Limiter<Caller> = createLimiter<Caller>({
    name: "chat",
    clock,
    store: memoryStore(),
    layers: [
      { name: "user", key: ({ user }) => user, limits: "4/second; 9/minute" },
      { name: "ip", key: ({ ip }) => ip, limits: "8/second" },
    ],
    onWarning() {},
  });
  if (isWatched) limiter.observe({ decided() {} });
  return (step: Step): unknown => {
    const { caller } = step;
    if (step.do === "policy") {
      limiter.setPolicy([
        { name: "user", limits: step.limits },
        { name: "ip", limits: "8/second" },
      ]);
      return undefined;
    }
    if (step.do === "reset" || step.do === "unblock" || step.do === "peek") return limiter[step.do](caller);
    if (step.do === "prefix")
      return limiter.overridePrefix({ layer: "user", prefix: "1" }, { limits: "2/minute", forMs: 3000 });
    if (step.do === "no prefix") return limiter.endPrefixOverride({ layer: "user", prefix: "1" });
    if (step.do === "block") return limiter.block(caller, { layer: "ip", forMs: 2000 });
    if (step.do === "penalise") return limiter.penalise(caller, { requests: 2 });
    const cost = step.do === "cost" ? { cost: { requests: step.requests } } : undefined;
    const admission = limiter.admit(caller, cost);
    if (admission instanceof Promise) throw new Error("a store of this process answered later");
    if (step.do === "give back" && admission.admitted) admission.end("nothing");
    return admission;
  };
}

it("decides alike whether or not somebody watches, whatever comes between", () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
      const clock = fakeClock();
      const [plain, watched] = [player(clock, false), player(clock, true)];
      for (const step of steps) {
        clock.advance(step.advanceMs);
        const shown = JSON.stringify(plain(step));
        expect(shown).toBe(JSON.stringify(watched(step)));
        if (shown?.startsWith('{"admitted":false')) refused += 1;
      }
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(300);
});

it("asks a store by decide where somebody has put another in its place", () => {
  const store = memoryStore();
  const asked: string[] = [];
  const { decide } = store;
  store.decide = (charges, ...others) => {
    asked.push(charges.map(({ key }) => key).join());
    return decide(charges, ...others);
  };
  const limiter = createLimiter({
    name: "chat",
    store,
    layers: [{ name: "user", key: (user: string) => user, limits: "5/minute" }],
  });
  limiter.admit("ann");
  expect(asked).toEqual(["ann"]);
});

it("asks for each key once", () => {
  let asked = 0;
  const key = () => {
    asked += 1;
    return "ann";
  };
  const limiter = createLimiter({
    name: "chat",
    layers: [{ name: "user", key, limits: "5/minute token-bucket" }],
  });
  limiter.admit(undefined);
  expect(asked).toBe(1);
});

it("says of each admission what it was charged to", () => {
  const limiter = createLimiter({
    name: "chat",
    clock: fakeClock(),
    layers: [
      { name: "user", key: (user: string) => user, limits: "2/minute" },
      { name: "all", key: () => "all", limits: "9/minute" },
    ],
  });
  const first = limiter.admit("ann");
  limiter.admit("ann");
  const third = limiter.admit("ann");
  expect(first).toMatchObject({
    admitted: true,
    tightest: { name: "user-per-minute", remaining: 1 },
    decidedBy: "store",
    policy: limiter.policy.hash,
  });
  expect(third).toMatchObject({ admitted: false, binding: { layer: "user" }, retryAfterSeconds: 60 });
});
