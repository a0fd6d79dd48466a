import fc from "fast-check";
import { expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { eraMs } from "../stores/memory/rings.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import type { Limiter } from "./contract.ts";
import { createLimiter } from "./limiter.ts";

/** The behaviours of a key function. */
const keys: readonly (() => unknown)[] = [
  () => "ann",
  () => "bob",
  () => 7,
  () => "7",
  () => "\u0000unidentified",
  () => "x".repeat(1024),
  () => "x".repeat(1025),
  () => null,
  () => undefined,
  () => "",
  () => 0.5,
  () => {
    throw new Error("no session");
  },
];

/** The first five are sliding windows over requests only, which the fast path requires. */
const policies = [
  "3/second; 9/minute",
  "5/second; 9/minute",
  "2/minute",
  "40/minute",
  "5/40 days",
  "4/minute token-bucket",
  "4/minute fixed-window",
  "2000/minute",
  "3/minute; 50 tokens/minute",
  "3/minute; 1 concurrent",
  "unlimited",
  "blocked",
] as const;

type Step = { readonly user: number; readonly ip: number; readonly moveMs: number } & (
  | {
      readonly do:
        | "admit"
        | "shared"
        | "keep"
        | "give back"
        | "give back last"
        | "settle"
        | "reset"
        | "unblock"
        | "peek"
        | "observe"
        | "penalise"
        | "hold"
        | "shadow"
        | "no prefix"
        | "end override";
    }
  | { readonly do: "cost"; readonly requests: number }
  | {
      readonly do: "policy" | "override" | "prefix" | "block";
      readonly text: (typeof policies)[number];
      readonly forMs: number;
    }
);

const base = {
  user: fc.oneof({ weight: 8, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(keys.length - 1) }),
  ip: fc.oneof({ weight: 8, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(keys.length - 1) }),
  moveMs: fc.oneof(
    { weight: 14, arbitrary: fc.constant(0) },
    { weight: 14, arbitrary: fc.nat(700) },
    { weight: 3, arbitrary: fc.nat(70_000) },
    { weight: 1, arbitrary: fc.constantFrom(-1, -500, -90_000, 86_400_000, eraMs - 1, eraMs, 5 * eraMs) },
  ),
};
const step = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constantFrom("admit", "keep"), ...base }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "shared",
        "give back",
        "give back last",
        "give back last",
        "settle",
        "reset",
        "reset",
        "unblock",
        "peek",
        "observe",
        "penalise",
        "hold",
        "shadow",
        "no prefix",
        "end override",
      ),
      ...base,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cost"), requests: fc.nat(3), ...base }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("policy", "policy", "override", "prefix", "block"),
      text: fc.constantFrom(...policies.slice(0, 4), ...policies),
      forMs: fc.constantFrom(1, 900, 50_000),
      ...base,
    }),
  },
) as fc.Arbitrary<Step>;

interface Caller {
  readonly user: number;
  readonly ip: number;
}

/** A limiter, and a second one with the same store and name. */
function player(isPlain: boolean, most: number, now: () => number) {
  const own = memoryStore({ maxPartitions: most });
  // A copy of the store uses whole questions only.
  const store = isPlain ? own : { ...own };
  const errors: string[] = [];
  const make = (): Limiter<Caller> =>
    createLimiter<Caller>({
      name: "chat",
      clock: { now },
      store,
      units: ["tokens"],
      layers: [
        { name: "user", key: ({ user }) => (keys[user] as () => string)(), limits: policies[0] },
        { name: "ip", key: ({ ip }) => (keys[ip] as () => string)(), limits: "8/second" },
      ],
      onWarning() {},
      onError: (error) => errors.push(String(error)),
    });
  const [limiter, other] = [make(), make()];
  let stop: (() => void) | undefined;
  const kept: Admitted[] = [];
  const layersOf = (text: string) => [
    { name: "user", limits: text },
    { name: "ip", limits: "8/second" },
  ];
  const play = (step: Step): unknown => {
    const caller = { user: step.user, ip: step.ip };
    switch (step.do) {
      case "policy":
        limiter.setPolicy(layersOf(step.text));
        other.setPolicy(layersOf(step.text));
        return;
      case "override":
        return limiter.override(caller, { limits: step.text, forMs: step.forMs });
      case "block":
        return other.block(caller, { layer: "ip", forMs: step.forMs });
      case "prefix":
        return other.overridePrefix(
          { layer: "user", prefix: step.user === 1 ? "b" : "ann" },
          { limits: step.text, forMs: step.forMs },
        );
      case "no prefix":
        return limiter.endPrefixOverride({ layer: "user", prefix: "ann" });
      case "end override":
        return limiter.endOverride(caller);
      case "unblock":
        return limiter.unblock(caller, { layer: "ip" });
      case "observe":
        if (stop === undefined) stop = limiter.observe({ decided() {} });
        else {
          stop();
          stop = undefined;
        }
        return;
      case "shadow":
        if (limiter.shadowReport() === undefined) limiter.setShadow(layersOf("2/second"));
        else limiter.endShadow();
        return;
      case "peek":
        return limiter.peek(caller);
      case "reset":
        return limiter.reset(caller);
      case "penalise":
        return limiter.penalise(caller, { requests: 2 });
      case "give back":
        return kept.shift()?.end("nothing");
      case "give back last":
        return kept.pop()?.end("nothing");
      case "settle":
        return kept.pop()?.end({ requests: 3 });
      case "shared":
        return other.admit(caller);
      case "hold":
        return limiter.admit(caller, { cost: { tokens: 20 } });
      case "cost":
        return limiter.admit(caller, { cost: { requests: step.requests } });
    }
    const admission = limiter.admit(caller);
    if (admission instanceof Promise) throw new Error("a store of this process answered later");
    if (step.do === "keep" && admission.admitted) kept.push(admission);
    return admission;
  };
  return {
    errors,
    play(step: Step): string {
      try {
        return JSON.stringify(play(step)) ?? "";
      } catch (error) {
        return String(error);
      }
    },
  };
}

it.each([[1000], [4]])(
  "decides the same by keys and by complete charges, with room for %i",
  (most) => {
    let refused = 0;
    let admitted = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 90 }), (steps) => {
        let now = 1_800_000_000_000;
        const [one, two] = [player(true, most, () => now), player(false, most, () => now)];
        for (const step of steps) {
          now += step.moveMs;
          const shown = one.play(step);
          expect(shown).toBe(two.play(step));
          if (shown.startsWith('{"admitted":false')) refused += 1;
          if (shown.startsWith('{"admitted":true')) admitted += 1;
        }
        expect(one.errors).toEqual(two.errors);
      }),
      { numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(100);
    expect(admitted).toBeGreaterThan(1000);
  },
  60_000,
);

it("calls the store's decide if it has been replaced", () => {
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

it("refunds charges made after a reset in the same millisecond, but not charges from before it", () => {
  const limiter = createLimiter({
    name: "chat",
    clock: fakeClock(),
    layers: [{ name: "user", key: (user: string) => user, limits: "3/minute" }],
  });
  const admit = () => {
    const admission = limiter.admit("ann");
    if (admission instanceof Promise || !admission.admitted) throw new Error("not admitted at once");
    return admission;
  };
  const remaining = () => limiter.peek("ann");
  const before = admit();
  limiter.reset("ann");
  const [kept, returned] = [admit(), admit()];
  before.end("nothing");
  expect(remaining()).toMatchObject({ tightest: { remaining: 1 } });
  returned.end("nothing");
  expect(remaining()).toMatchObject({ tightest: { remaining: 2 } });
  kept.end("nothing");
  expect(remaining()).toMatchObject({ tightest: { remaining: 3 } });
});

it("calls each key function once", () => {
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

it("has the charges of each admission", () => {
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
