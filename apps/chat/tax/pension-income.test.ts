import { expect, test } from "vitest";
import { fullStatePension, taxFreeQuarter } from "./pension-income.ts";

// DWP, 26 November 2025: £241.30 a week, £12,547.60 a year; £230.25 and £11,973 before.
test("the full new State Pension of a year", () => {
  expect(fullStatePension("2026/27")).toBe(1_254_760);
  expect(fullStatePension("2025/26")).toBe(1_197_300);
});

test("a quarter of a lump sum, never rounded up", () => {
  expect(taxFreeQuarter(1_600_000)).toBe(400_000);
  expect(taxFreeQuarter(1_003)).toBe(250);
});
