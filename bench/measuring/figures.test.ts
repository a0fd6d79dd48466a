import { describe, expect, it } from "vitest";
import { figureOf, medianOf, percentileOf } from "./figures.ts";

describe("a figure", () => {
  it("is the median, with the lowest and the highest value", () => {
    expect(figureOf([30, 10, 20])).toEqual({ median: 20, low: 10, high: 30, rounds: 3 });
    expect(medianOf([4, 1, 2, 3])).toBe(2.5);
  });

  it("does not change its input", () => {
    const values = [3, 1, 2];
    figureOf(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it("needs at least one value", () => {
    expect(() => figureOf([])).toThrow("at least one measurement");
    expect(() => percentileOf([], 0.5)).toThrow("at least one measurement");
  });
});

it.each([
  [0.5, 50],
  [0.99, 99],
  [1, 100],
  [0.001, 1],
])("%f of a hundred values do not exceed their percentile", (share, value) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentileOf(values, share)).toBe(value);
});
