import fc from "fast-check";
import { expect, it } from "vitest";
import { compileLimits } from "../core/limit-set.ts";
import { shareOf, wholeOf } from "./share.ts";

const quotas = (text: string, instances: number) =>
  shareOf(compileLimits("user", text), instances).limits.map(({ quota }) => quota);

it("is a share of each quota, rounded down, and at least one unit", () => {
  expect(quotas("5/minute; 60/hour; 100000 tokens/day; 2 concurrent", 10)).toEqual([1, 6, 10_000, 1]);
  expect(quotas("10/minute", 3)).toEqual([3]);
  expect(quotas("100/minute; 29/hour", 7)).toEqual([14, 4]);
});

it("keeps everything except the quota, and which limits share a state", () => {
  const whole = compileLimits("user", [
    "5/minute; 60/hour",
    { quota: 3, windowMs: 3_600_000, algorithm: "token-bucket", name: "three" },
    { quota: 5, windowMs: 3_600_000, algorithm: "token-bucket", name: "five" },
  ]);
  const shared = shareOf(whole, 5);
  expect(shared.names).toEqual(whole.names);
  expect(shared.groupOf).toEqual(whole.groupOf);
  expect(shared.groups.map(({ id }) => id)).toEqual(whole.groups.map(({ id }) => id));
  expect(shared.groups.map(({ limits }) => limits.map(({ quota }) => quota))).toEqual([[1, 12], [1], [1]]);
  expect(wholeOf(shared)).toBe(whole);
  expect(shareOf(whole, 5)).toBe(shared);
  expect(shareOf(whole, 1)).toBe(whole);
  const unlimited = compileLimits("user", "unlimited");
  expect(shareOf(unlimited, 1000)).toBe(unlimited);
});

it("keeps only a few shares of the same limits, and knows the limits that each belongs to", () => {
  const whole = compileLimits("user", "1000/minute");
  const all = Array.from({ length: 1000 }, (_, n) => shareOf(whole, n + 2));
  expect(all.every((shared) => wholeOf(shared) === whole)).toBe(true);
  expect(shareOf(whole, 2)).not.toBe(all[0]);
  expect(shareOf(whole, 1001)).toBe(all.at(-1));
});

it("exists for every limit, even if a token bucket is almost too fine to count", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }).map((n) => n * 100_000),
      fc.integer({ min: 1, max: 1_000_000 }),
      (whole, instances) => {
        const [quota = 0] = quotas(`${whole} tokens/36525 days`, instances);
        expect(quota).toBeGreaterThanOrEqual(1);
        expect(quota).toBeLessThanOrEqual(Math.max(1, whole / instances));
      },
    ),
  );
});
