import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../../../test-servers/redis.ts";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Outcome, Store } from "../../core/store.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { memoryStore } from "../memory/index.ts";
import { redisStore } from "./index.ts";

const longestTestMs = 60_000;

let server: RedisServer;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
}, longestTestMs);
afterAll(async () => {
  client?.disconnect();
  await server?.remove();
});

type Plans = Readonly<Record<"user" | "ip" | "global", readonly string[]>>;

/**
 * Limits of a partition that differ from call to call, as plans do. The widest window is always the same: how much is
 * still known of what came before a wider one is for each store to say.
 */
const windows: Plans = {
  user: ["3/10 seconds; 7/minute", "2/5 seconds; 9/minute", "5/minute"],
  ip: ["12/2 minutes", "13/2 minutes; 4/10 seconds"],
  global: ["30/minute"],
};
const mixed: Plans = {
  user: [...windows.user, "3/10 seconds; 7/minute; 10 tokens/minute"],
  ip: windows.ip,
  global: [...windows.global, "30/minute; 40/minute token-bucket"],
};

type Ask =
  | { readonly do: "decide" | "peek"; readonly charges: readonly Charge[] }
  | { readonly do: "adjust"; readonly which: number; readonly spend: number }
  | { readonly do: "reset"; readonly charge: Charge };

function chargeArbitrary(plans: Plans): fc.Arbitrary<Charge> {
  const compiled = new Map(
    Object.entries(plans).map(([space, texts]) => [space, texts.map((text) => compileLimits(space, text))]),
  );
  return fc
    .record({
      space: fc.constantFrom("user", "user", "ip", "global"),
      caller: fc.integer({ min: 0, max: 2 }),
      plan: fc.nat(),
      requests: fc.constantFrom(1, 1, 1, 2, 0),
    })
    .map(({ space, caller, plan, requests }): Charge => {
      const choice = compiled.get(space) ?? [];
      const limits = choice[plan % choice.length] ?? compileLimits(space, "1/minute");
      const key = space === "global" ? "all" : `caller${caller}`;
      return { space, key, limits, ...amountsOf(limits, { requests, tokens: requests }) };
    });
}

function turnArbitrary(plans: Plans, advancesMs: readonly number[], spends: readonly number[]) {
  const charge = chargeArbitrary(plans);
  const charges = fc.uniqueArray(charge, {
    minLength: 1,
    maxLength: 3,
    selector: ({ space, key }) => `${space} ${key}`,
  });
  const asking: fc.Arbitrary<Ask> = fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant("decide" as const), charges }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("peek" as const), charges }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("adjust" as const),
        which: fc.nat(),
        spend: fc.constantFrom(...spends),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), charge }) },
  );
  return fc.record({
    advanceMs: fc.constantFrom(...advancesMs),
    // Runs of the same, which travel as one.
    asks: fc
      .array(fc.record({ ask: asking, times: fc.constantFrom(1, 1, 2, 5) }), { minLength: 1, maxLength: 8 })
      .map((runs) => runs.flatMap(({ ask, times }) => Array.from({ length: times }, () => ask))),
  });
}

interface Admitted {
  readonly charges: readonly Charge[];
  readonly outcome: Outcome;
}

/** Gives back all that was charged, or spends so much beyond it. */
function adjustmentsOf({ charges, outcome }: Admitted, spend: number): Adjustment[] {
  return charges.map(({ space, key, limits, spends }, c) => ({
    space,
    key,
    limits,
    refunds: spends.flatMap((amount, group) =>
      amount === 0 || spend > 0
        ? []
        : [{ group, amount, chargedAt: outcome.now, mark: outcome.marks[c]?.[group] ?? 0 }],
    ),
    renewals: [],
    spends: spends.map(() => spend),
  }));
}

/** What one store answers, asked all at once; what it admitted is added to `admitted`. */
async function ask(store: Store, asks: readonly Ask[], now: number, admitted: Admitted[]) {
  const before = [...admitted];
  const answers = asks.map(async (one) => {
    if (one.do === "reset") return void (await store.reset([one.charge], now));
    if (one.do === "adjust") {
      const old = before[one.which % (before.length || 1)];
      if (old === undefined) return undefined;
      const { readings } = await store.adjust(adjustmentsOf(old, one.spend), now);
      return { admitted: true, readings };
    }
    const outcome = await store.decide(one.charges, now, one.do === "peek");
    return { admitted: outcome.admitted, readings: outcome.readings, outcome };
  });
  const settled = await Promise.all(answers);
  return settled.map((answer, n) => {
    const one = asks[n];
    if (answer?.outcome?.admitted && one?.do === "decide") {
      admitted.push({ charges: one.charges, outcome: answer.outcome });
    }
    return answer && { admitted: answer.admitted, readings: answer.readings };
  });
}

let plays = 0;

/** Both stores are asked the same, one by one and all of a turn together. */
async function play(turns: readonly { readonly advanceMs: number; readonly asks: readonly Ask[] }[]) {
  const clock = fakeClock();
  plays += 1;
  const shared = redisStore(client, { clock, prefix: `play${plays}:` });
  const memory = memoryStore();
  const [ours, theirs]: [Admitted[], Admitted[]] = [[], []];
  for (const { advanceMs, asks } of turns) {
    clock.set(clock.now() + advanceMs);
    const now = clock.now();
    expect(await ask(shared, asks, now, ours)).toEqual(await ask(memory, asks, now, theirs));
  }
  for (const key of await client.keys(`play${plays}:*`)) expect(await client.pttl(key)).toBeGreaterThan(0);
}

it.each([
  ["of windows and buckets", mixed, [0, 1, 400, 400, 3_000, 9_999, 10_000, 61_000, 130_000], [0, 0, 5]],
  // Where nothing leaves its widest window, and nothing is given back: the stores may differ in what they know of that.
  ["of windows, under a clock that is set back", windows, [0, 1, 400, 3_000, 5_001, -300, -4_000], [5]],
] as const)(
  "decides what travels together as if each had come alone: %s",
  async (_, plans, advancesMs, spends) => {
    const turns = fc.array(turnArbitrary(plans, advancesMs, spends), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(turns, (each) => play(each)),
      { numRuns: 100 },
    );
  },
  longestTestMs,
);

it("appends to a long log that everybody shares", async () => {
  const limits = compileLimits("global", "150/2 seconds; 700/minute");
  const charge: Charge = { space: "global", key: "all", limits, ...amountsOf(limits, undefined) };
  const turns = Array.from({ length: 320 }, (_, turn) => ({
    advanceMs: turn === 300 ? 58_000 : 7 + (turn % 3),
    asks: Array.from({ length: 1 + (turn % 4) }, (): Ask => ({ do: "decide", charges: [charge] })),
  }));
  await play(turns);
});

it("keeps no stamp that has left the widest window", async () => {
  const clock = fakeClock();
  const store = redisStore(client, { clock, prefix: "kept:" });
  const limits = compileLimits("user", "9/10 seconds");
  const charge: Charge = { space: "user", key: "steady", limits, ...amountsOf(limits, undefined) };
  for (let n = 0; n < 40; n += 1) {
    clock.advance(4_000);
    expect((await store.decide([charge], 0, false)).admitted).toBe(true);
    expect(await client.strlen("kept:{user:steady}")).toBeLessThanOrEqual(26 + 3 * 14);
  }
});

it("decides thousands of partitions in one request", async () => {
  const limits = compileLimits("user", "2/minute");
  const charges = Array.from({ length: 2_500 }, (_, n): Charge => {
    return { space: "user", key: `of-many-${n}`, limits, ...amountsOf(limits, undefined) };
  });
  const store = redisStore(client);
  const outcomes = await Promise.all([1, 2, 3].map(() => store.decide(charges, 0, false)));
  expect(outcomes.map(({ admitted }) => admitted)).toEqual([true, true, false]);
  const left = (outcome: Outcome | undefined) =>
    new Set(outcome?.readings.flat().map(({ remaining }) => remaining));
  expect(outcomes.map(left)).toEqual([new Set([1]), new Set([0]), new Set([0])]);
});

it("charges twice a partition that one request names twice", async () => {
  const limits = compileLimits("user", "5/minute");
  const charge: Charge = { space: "user", key: "twice", limits, ...amountsOf(limits, undefined) };
  const store = redisStore(client);
  await store.decide([charge, charge], 0, false);
  expect((await store.decide([charge], 0, true)).readings[0]?.[0]?.remaining).toBe(3);
});

it("neither counts in nor overwrites a value of another type among many that are new", async () => {
  const limits = compileLimits("user", "2/minute");
  const store = redisStore(client, { prefix: "typed:" });
  await client.rpush("typed:{user:caller7}", "a list of another program");
  const asked = Array.from({ length: 10 }, (_, n) =>
    store.decide([{ space: "user", key: `caller${n}`, limits, ...amountsOf(limits, undefined) }], 0, false),
  );
  const settled = await Promise.allSettled(asked);
  expect(settled.map(({ status }) => status)).toEqual(
    settled.map((_, n) => (n === 7 ? "rejected" : "fulfilled")),
  );
  expect(await client.type("typed:{user:caller7}")).toBe("list");
});
