import { expect, test } from "vitest";
import { chargePercent, childBenefit, childBenefitCharge } from "./child-benefit.ts";

// Written statement HCWS1100 of 26 November 2025: £27.05 and £17.90 a week from 6 April 2026.
test.each([
  [0, 0],
  [1, 2_705],
  [2, 4_495],
  [3, 6_285],
  [7, 13_445],
])("%d children in 2026/27", (children, weekly) => {
  expect(childBenefit(children, "2026/27")).toBe(weekly);
});

test.each([
  [60_000, 0],
  [60_199.99, 0],
  [60_200, 1],
  [67_000, 35],
  [70_000, 50],
  [79_999, 99],
  [80_000, 100],
  [200_000, 100],
])("the charge on an income of £%d", (income, percent) => {
  expect(chargePercent(Math.round(income * 100))).toBe(percent);
});

test("the charge is rounded down to the pound", () => {
  expect(childBenefitCharge(233_740, 7_000_000)).toBe(116_800);
});
