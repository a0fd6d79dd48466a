import { redisFixture } from "@headgate/test-servers/redis-fixture.ts";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge } from "../../core/store.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { type RedisStore, redisStore } from "./index.ts";

const hour = 3_600_000;
const key = "headgate:{user:mallory}";
const block = { id: 7, limits: "blocked" };

const redis = redisFixture();
let store: RedisStore;
beforeAll(() => {
  store = redisStore(redis.client);
});
beforeEach(() => redis.client.flushall());

function chargeOf(limits: string): Charge {
  const compiled = compileLimits("user", limits);
  return { space: "user", key: "mallory", limits: compiled, ...amountsOf(compiled, undefined) };
}

const decide = (charge: Charge) => store.decide([charge], 0, false);

it("a block is in the partition's single key, which expires when the block ends", async () => {
  const charge = chargeOf("5/second");
  await decide(charge);
  await store.override([charge], { ...block, forMs: hour }, 0);
  await store.reset([charge], 0);
  await decide(charge);
  expect(await redis.client.keys("*")).toEqual([key]);
  const left = await redis.client.pttl(key);
  expect(left).toBeGreaterThan(hour - 60_000);
  expect(left).toBeLessThanOrEqual(hour);
  await store.override([charge], undefined, 0);
  // No longer than the time for which spent or forgotten units would have counted.
  expect(await redis.client.pttl(key)).toBeLessThanOrEqual(2000);
});

it("a permanent block lasts for years, and its end shows the counts again", async () => {
  const charge = chargeOf("5/minute");
  await decide(charge);
  const before = await redis.client.getBuffer(key);
  await store.override([charge], block, 0);
  expect(await redis.client.pttl(key)).toBeGreaterThan(100 * 366 * 24 * hour);
  expect(await decide(charge)).toMatchObject({ admitted: false, refusedFor: "blocked" });
  await store.override([charge], undefined, 0);
  const after = await redis.client.getBuffer(key);
  // Everything except the expiry of the key.
  expect(after?.subarray(12)).toEqual(before?.subarray(12));
  expect(await redis.client.pttl(key)).toBeLessThan(80_000);
  expect((await decide(charge)).readings[0]?.[0]?.remaining).toBe(3);
});

it("a state that cannot be read cannot be blocked, and is left unchanged", async () => {
  const charge = chargeOf("5/minute");
  for (const value of ["\u0003", `\u0003${"\u00ff".repeat(40)}`, "something else"]) {
    await redis.client.set(key, value);
    await expect(store.override([charge], block, 0)).rejects.toThrow(/cannot read/);
    await expect(decide(charge)).rejects.toThrow(/cannot read/);
    expect(await redis.client.get(key)).toBe(value);
    await store.reset([charge], 0);
    expect((await decide(charge)).admitted).toBe(true);
  }
});

it("a limiter with a store by URL can block too", async () => {
  const limiter = createLimiter({
    name: "chat",
    layers: [{ name: "user", key: (user: string) => user, limits: "5/minute" }],
    store: redis.server.url,
  });
  await limiter.block("mallory", { forMs: hour });
  expect(await limiter.admit("mallory")).toMatchObject({ admitted: false, reason: "blocked" });
  await limiter.unblock("mallory");
  expect(await limiter.admit("mallory")).toMatchObject({ admitted: true });
  await limiter.close();
});
