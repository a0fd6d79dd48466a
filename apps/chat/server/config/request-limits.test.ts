import { createLimiter, parseLimits } from "headgate";
import { expect, test } from "vitest";
import { joinLimits, mostAtOnce } from "./request-limits.ts";

test.each([
  ["5/minute", "60/hour", "5/minute; 60/hour"],
  ["2/hour", "60/hour", "2/hour"],
  ["90/hour", "60/hour", "60/hour"],
  ["5/minute; 100/day", "60/hour | 50/day", "5/minute; 50/day; 60/hour"],
  ["3/60 seconds", "2/minute", "2/minute"],
  ["5/day fixed-window", "4/day", "5/day fixed-window; 4/day"],
])("%s and %s are %s", (one, other, joined) => {
  expect(joinLimits(one, other)).toBe(joined);
  const limits = { name: "user", key: (caller: string) => caller, limits: joined };
  expect(() => createLimiter({ name: "chat", layers: [limits], onWarning: () => {} }).close()).not.toThrow();
});

test("the maximum at once is the lowest quota, whatever its window", () => {
  expect(mostAtOnce("30/minute")).toBe(30);
  expect(mostAtOnce("30/minute; 10/day")).toBe(10);
  expect(parseLimits("10000/hour")[0]?.quota).toBe(mostAtOnce("10000/hour"));
});
