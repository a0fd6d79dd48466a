import fc from "fast-check";
import { expect, test } from "vitest";
import { axisTicks, labelStep } from "./scale.ts";

test.each([
  [120_000, [0, 25_000, 50_000, 75_000, 100_000]],
  [60_000, [0, 20_000, 40_000, 60_000]],
  [100, [0, 25, 50, 75, 100]],
  [0, [0]],
  [Number.NaN, [0]],
])("the axis up to %d has the expected ticks", (highest, ticks) => {
  expect(axisTicks(highest)).toEqual(ticks);
});

test("an axis has a handful of even steps within its range", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 1e8, noNaN: true }), (highest) => {
      const ticks = axisTicks(highest);
      expect(ticks.length).toBeGreaterThanOrEqual(4);
      expect(ticks.length).toBeLessThanOrEqual(8);
      expect(ticks.at(-1)).toBeLessThanOrEqual(highest * (1 + 1e-8));
    }),
  );
});

test("labels never overlap", () => {
  expect(labelStep(11, 600, 50)).toBe(1);
  expect(labelStep(60, 600, 50)).toBe(5);
  expect(labelStep(5, 10, 50)).toBe(5);
});
