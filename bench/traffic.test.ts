import { describe, expect, it } from "vitest";
import { startOfPass, visitsACycle } from "./memory/cadence.ts";
import { crowdOf, ipOf, limits, shuffled, userOf } from "./traffic.ts";

describe("callers", () => {
  it("are read from the crowd's bytes unchanged", () => {
    const crowd = crowdOf(1_000);
    for (const index of [0, 1, 149, 150, 999]) {
      expect(crowd.make(index)).toEqual({ user: userOf(index), ip: ipOf(index) });
    }
  });

  it("have different addresses, all of the same length", () => {
    const far = [0, 1, 150, 22_500, 3_375_000, 4_999_999, 9_999_999];
    expect(new Set(far.map(ipOf)).size).toBe(far.length);
    for (const index of far) expect(ipOf(index)).toMatch(/^\d{3}\.\d{3}\.\d{3}\.\d{3}$/);
    expect(new Set(Array.from({ length: 100_000 }, (_, index) => ipOf(index))).size).toBe(100_000);
  });

  it("come once each, in an order that is not numerical", () => {
    const order = shuffled(10_000);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
    expect([...order.slice(0, 10)]).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(shuffled(10_000)).toEqual(order);
  });
});

it("the cadence of visits stays within the product's limits, at any position in a pass", () => {
  // The first pass has another order, so a caller's first visit may be up to ten seconds later.
  const visits = Array.from({ length: 200 }, (_, pass) => startOfPass(pass) + (pass === 0 ? 9_999 : 0));
  for (const { quota, windowMs } of Object.values(limits)) {
    for (const at of visits) {
      const within = visits.filter((ms) => ms > at - windowMs && ms <= at);
      expect(within.length).toBeLessThanOrEqual(quota);
    }
  }
  expect(visitsACycle).toBe(limits.userPerMinute.quota);
});
