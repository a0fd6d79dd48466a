import { redisFixture } from "@headgate/test-servers/redis-fixture.ts";
import { type Ask, playTurns, type Turn, turnsByKind } from "@headgate/test-servers/turns.ts";
import fc from "fast-check";
import { expect, it } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { redisStore } from "./index.ts";

const longestTestMs = 60_000;

const redis = redisFixture();

let plays = 0;

async function play(turns: readonly Turn[]) {
  const clock = fakeClock();
  plays += 1;
  await playTurns(redisStore(redis.client, { clock, prefix: `play${plays}:` }), clock, turns);
  for (const key of await redis.client.keys(`play${plays}:*`))
    expect(await redis.client.pttl(key)).toBeGreaterThan(0);
}

it.each(turnsByKind)(
  "decides a batch like single requests: %s",
  (_, turns) => fc.assert(fc.asyncProperty(turns, play), { numRuns: 100 }),
  longestTestMs,
);

it("appends to a long log that all callers share", async () => {
  const limits = compileLimits("global", "150/2 seconds; 700/minute");
  const charge: Charge = { space: "global", key: "all", limits, ...amountsOf(limits, undefined) };
  const turns = Array.from({ length: 320 }, (_, turn) => ({
    advanceMs: turn === 300 ? 58_000 : 7 + (turn % 3),
    asks: Array.from({ length: 1 + (turn % 4) }, (): Ask => ({ do: "decide", charges: [charge] })),
  }));
  await play(turns);
});

it("keeps no stamp that is older than the widest window", async () => {
  const clock = fakeClock();
  const store = redisStore(redis.client, { clock, prefix: "kept:" });
  const limits = compileLimits("user", "9/10 seconds");
  const charge: Charge = { space: "user", key: "steady", limits, ...amountsOf(limits, undefined) };
  for (let n = 0; n < 40; n += 1) {
    clock.advance(4_000);
    expect((await store.decide([charge], 0, false)).admitted).toBe(true);
    expect(await redis.client.strlen("kept:{user:steady}")).toBeLessThanOrEqual(26 + 3 * 14);
  }
});

it("decides thousands of partitions in one request", async () => {
  const limits = compileLimits("user", "2/minute");
  const charges = Array.from({ length: 2_500 }, (_, n): Charge => {
    return { space: "user", key: `of-many-${n}`, limits, ...amountsOf(limits, undefined) };
  });
  const store = redisStore(redis.client);
  const outcomes = await Promise.all([1, 2, 3].map(() => store.decide(charges, 0, false)));
  expect(outcomes.map(({ admitted }) => admitted)).toEqual([true, true, false]);
  const left = (outcome: Outcome | undefined) =>
    new Set(outcome?.readings.flat().map(({ remaining }) => remaining));
  expect(outcomes.map(left)).toEqual([new Set([1]), new Set([0]), new Set([0])]);
});

it("charges a partition twice if one request names it twice", async () => {
  const limits = compileLimits("user", "5/minute");
  const charge: Charge = { space: "user", key: "twice", limits, ...amountsOf(limits, undefined) };
  const store = redisStore(redis.client);
  await store.decide([charge, charge], 0, false);
  expect((await store.decide([charge], 0, true)).readings[0]?.[0]?.remaining).toBe(3);
});

it("neither counts in nor overwrites a value of another type among many new keys", async () => {
  const limits = compileLimits("user", "2/minute");
  const store = redisStore(redis.client, { prefix: "typed:" });
  await redis.client.rpush("typed:{user:caller7}", "a list of another program");
  const asked = Array.from({ length: 10 }, (_, n) =>
    store.decide([{ space: "user", key: `caller${n}`, limits, ...amountsOf(limits, undefined) }], 0, false),
  );
  const settled = await Promise.allSettled(asked);
  expect(settled.map(({ status }) => status)).toEqual(
    settled.map((_, n) => (n === 7 ? "rejected" : "fulfilled")),
  );
  expect(await redis.client.type("typed:{user:caller7}")).toBe("list");
});
