import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAmounts } from "../../core/cost.ts";
import type { LayerMemory } from "../../core/layer-memory.ts";
import { compileLimits, type LimitSet } from "../../core/limit-set.ts";
import type { Override } from "../../core/override.ts";
import type { Adjustment, Charge, Outcome } from "../../core/store.ts";
import { Accounts } from "./accounts.ts";
import { GeneralPath } from "./general.ts";
import { Held } from "./held.ts";
import { memoryStore } from "./index.ts";
import { hashKey } from "./key-hash.ts";
import { Overrides } from "./overrides.ts";
import { Resets } from "./resets.ts";
import { eraMs } from "./rings.ts";

/**
 * The plans of one layer: quotas, windows, algorithms and units between which callers may change. The first is the
 * usual one.
 */
const plans = [
  "3/second; 9/minute",
  "2/second; 12/minute",
  "9/minute; 3/second",
  "4/minute",
  "40/minute; 100/10 seconds",
  "3/minute token-bucket",
  "5/minute; 9/hour token-bucket",
  "3/second; 6 tokens/minute",
  "1200/minute",
  "unlimited",
] as const;

/** The same with coarse logs. The first two share one, the fourth has another window. */
const coarsePlans = ["1200/second", "1500/second", plans[0], "1100/minute", ...plans.slice(4)];

/** What the two layers of a request are limited by, and how much a request of several units costs. */
interface Setting {
  readonly name: string;
  readonly ofUser: readonly string[];
  readonly ofIp: string;
  readonly weight: number;
}

const settings: readonly Setting[] = [
  { name: "exact logs", ofUser: plans, ofIp: "4/second", weight: 1 },
  { name: "coarse logs", ofUser: coarsePlans, ofIp: "1100/second", weight: 350 },
  { name: "a coarse log after an exact one", ofUser: plans, ofIp: "1001/second", weight: 1 },
  { name: "a coarse log before an exact one", ofUser: coarsePlans, ofIp: "8/second; 70/minute", weight: 1 },
];

type Step =
  | { do: "ask"; user: number; ip: number; plan: number; requests: number; peek: boolean }
  | { do: "hold"; user: number; plan: number }
  | { do: "advance"; ms: number }
  | { do: "adjust"; user: number; plan: number; used: number; back: number }
  | { do: "reset"; user: number }
  | { do: "override"; user: number; limits: string | undefined; forMs: number };

const user = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 3 }) });
const plan = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat({ max: plans.length - 1 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      user,
      ip: user,
      plan,
      requests: fc.oneof(
        { weight: 9, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
      ),
      peek: fc.oneof(
        { weight: 5, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.oneof(
        { weight: 12, arbitrary: fc.nat({ max: 1200 }) },
        { weight: 2, arbitrary: fc.constantFrom(1000, 59_000, 60_000) },
        { weight: 1, arbitrary: fc.constantFrom(eraMs - 30_000, eraMs, 3 * eraMs) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hold" as const), user, plan: fc.constant(7) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("adjust" as const),
      user,
      plan,
      used: fc.nat({ max: 4 }),
      back: fc.nat({ max: 3000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), user }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("override" as const),
      user,
      limits: fc.constantFrom("blocked", "50/minute", undefined),
      forMs: fc.constantFrom(500, 5000, 100_000),
    }),
  },
);

/** The memory store, and its general path alone. Both must give the same answers to the same calls. */
function startBoth(most: number, setting: Setting) {
  const memories = new Map<string, LayerMemory>([
    ["user", new Map()],
    ["ip", new Map()],
  ]);
  const compile = (layer: string, limits: string): LimitSet =>
    compileLimits(layer, limits, memories.get(layer));
  const ofUser = setting.ofUser.map((limits) => compile("user", limits));
  const ofOverride = compile("user", "50/minute");
  const ofIp = compile("ip", setting.ofIp);
  const store = memoryStore({ maxPartitions: most });
  const accounts = new Accounts(most);
  const resets = new Resets();
  const general = new GeneralPath(accounts, new Held(), resets);
  const overrides = new Overrides();
  let now = 3 * eraMs - 45_000;
  let calls = 0;

  function chargeOf(space: string, key: string, limits: LimitSet, requests: number): Charge {
    const units = requests > 1 ? requests * setting.weight : requests;
    return { space, key, limits, ...readAmounts(limits, { requests: units }) };
  }

  function userCharge(place: number, planned: number, requests: number): Charge {
    return chargeOf("chat/user", `user:${place}`, ofUser[planned] as LimitSet, requests);
  }

  /** The same request under the override in force. */
  function overridden(place: number, charge: Charge): Charge {
    const found = overrides.find("chat/user", `user:${place}`, now);
    if (found === undefined || found.limits === "blocked") return charge;
    return { ...chargeOf(charge.space, charge.key, ofOverride, 1), override: found };
  }

  function decide(charges: readonly Charge[], peek: boolean, rid?: string): void {
    const hold = rid === undefined ? undefined : { rid, seq: 1 };
    const mine = store.decide(charges, now, peek, hold);
    const theirs = general.decide(charges, now, peek, hold, overrides.findAll(charges, now));
    expectAlike(mine, theirs);
  }

  function adjust(place: number, planned: number, used: number, back: number): void {
    const limits = ofUser[planned] as LimitSet;
    calls += 1;
    const each = <Value>(value: Value) => limits.groups.map(() => value);
    const adjustment: Adjustment = {
      ...userCharge(place, planned, 1),
      rid: String(calls).padStart(24, "0"),
      seq: 1,
      ended: true,
      raises: false,
      known: each(1),
      used: each(used),
      held: each(0),
      refunds: limits.groups.map((_, group) => ({ group, amount: 1, chargedAt: now - back, mark: 0 })),
    };
    expectAlike(store.adjust([adjustment], now), general.adjust([adjustment], now));
  }

  function override(place: number, text: string | undefined, forMs: number): void {
    const partitions = [{ space: "chat/user", key: `user:${place}` }];
    if (text === undefined) {
      store.override(partitions, undefined, now);
      overrides.end("chat/user", `user:${place}`);
      return;
    }
    calls += 1;
    const terms = { id: calls, limits: text, forMs };
    store.override(partitions, terms, now);
    overrides.set(partitions, terms, now);
  }

  return {
    play(one: Step): void {
      if (one.do === "advance") now += one.ms;
      else if (one.do === "ask") {
        const charges = [
          overridden(one.user, userCharge(one.user, one.plan, one.requests)),
          chargeOf("chat/ip", `ip:${one.ip}`, ofIp, one.requests),
        ];
        decide(charges, one.peek);
      } else if (one.do === "hold") {
        calls += 1;
        const charge = { ...userCharge(one.user, one.plan, 1), holds: [0, 2] };
        decide([charge], false, String(calls).padStart(24, "a"));
      } else if (one.do === "adjust") adjust(one.user, one.plan, one.used, one.back);
      else if (one.do === "override") override(one.user, one.limits, one.forMs);
      else {
        const { space, key, limits } = userCharge(one.user, 0, 1);
        store.reset([{ space, key, limits }], now);
        const hash = { high: 0, low: 0 };
        hashKey(key, hash);
        resets.note(space, key, now, accounts.reset(space, hash, now));
      }
      expect(store.size.partitions).toBe(accounts.held);
    },
  };
}

function expectAlike(mine: Outcome, theirs: Outcome): void {
  const said = ({ admitted, now, readings, refusedFor, overrides }: Outcome) => ({
    admitted,
    now,
    readings: readings.map((limits) =>
      limits.map(({ remaining, resetMs, waitMs, holders = false }) => ({
        remaining,
        resetMs,
        waitMs,
        holders,
      })),
    ),
    refusedFor,
    overrides: overrides?.map((one: Override | undefined) => one?.limits),
  });
  expect(said(mine)).toEqual(said(theirs));
}

describe("the plain path", () => {
  it.each(settings.flatMap((setting) => [100, 3].map((most) => ({ ...setting, most }))))(
    "decides like the general path under $name, with room for $most, even if requests alternate between both",
    ({ most, ...setting }) => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
          const both = startBoth(most, setting);
          for (const one of steps) both.play(one);
        }),
        { numRuns: 150 },
      );
    },
    30_000,
  );

  it("passes a caller with more charges than a ring holds to the general path, and loses no charge", () => {
    const limits = compileLimits("user", "3000/minute sliding-window exact; 5000/hour sliding-window exact");
    const store = memoryStore();
    const general = new GeneralPath(new Accounts(10), new Held(), new Resets());
    const charge: Charge = { space: "chat/user", key: "user:1", limits, ...readAmounts(limits, {}) };
    let refused = 0;
    for (let n = 0; n < 7000; n += 1) {
      const now = 1_000_000 + n * 9;
      const mine = store.decide([charge], now, false);
      expectAlike(mine, general.decide([charge], now, false, undefined));
      if (!mine.admitted) refused += 1;
    }
    // The first requests leave the minute after 6,667 requests.
    expect(refused).toBe(3667);
  });

  it("counts a quota that fills its coarse log like the general path, bucket after bucket", () => {
    const limits = compileLimits("user", "1500/minute");
    const store = memoryStore();
    const general = new GeneralPath(new Accounts(10), new Held(), new Resets());
    const charge: Charge = { space: "chat/user", key: "user:1", limits, ...readAmounts(limits, {}) };
    let refused = 0;
    for (let n = 0; n < 9000; n += 1) {
      // Some 20 ms apart, then a pause, so that buckets begin, fill, leave and are gone.
      const now = 1_000_000 + n * 23 + Math.floor(n / 3000) * 45_000;
      const isPeek = n % 7 === 0;
      const mine = store.decide([charge], now, isPeek);
      expectAlike(mine, general.decide([charge], now, isPeek, undefined));
      if (!mine.admitted) refused += 1;
    }
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(8000);
  });

  it("admits nobody twice if one clock is behind another", () => {
    const limits = compileLimits("user", "3/second; 5/minute");
    const store = memoryStore();
    const charge: Charge = { space: "chat/user", key: "user:1", limits, ...readAmounts(limits, {}) };
    const admits = (now: number) => store.decide([charge], now, false).admitted;
    expect([1000, 1001, 1002, 1003].map(admits)).toEqual([true, true, true, false]);
    expect([900, 1, 1999, 2000, 2001, 1500, 2002].map(admits)).toEqual([
      false,
      false,
      false,
      true,
      true,
      false,
      false,
    ]);
    expect([61_000, 61_000].map(admits)).toEqual([true, false]);
  });

  it("adds up several charges of a request to one partition", () => {
    const limits = compileLimits("user", "9/second");
    const store = memoryStore();
    const charge: Charge = { space: "chat/user", key: "user:1", limits, ...readAmounts(limits, {}) };
    for (let n = 0; n < 3; n += 1)
      expect(store.decide([charge, charge, charge], 1000, false).admitted).toBe(true);
    expect(store.decide([charge], 1000, false).admitted).toBe(false);
    expect(store.decide([charge], 2000, false).admitted).toBe(true);
  });
});
