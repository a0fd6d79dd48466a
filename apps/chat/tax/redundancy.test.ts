import { expect, test } from "vitest";
import { redundancyPay, redundancyWeeks, taxOnTermination, weeklyCapOf } from "./redundancy.ts";

// Rows of the ready reckoner: https://www.gov.uk/calculate-your-redundancy-pay
test.each([
  [17, 1, 0],
  [20, 2, 1],
  [23, 5, 3],
  [30, 8, 8],
  [41, 10, 10],
  [42, 10, 10.5],
  [44, 11, 12.5],
  [61, 20, 30],
  [65, 30, 30],
])("at %d with %d years", (age, years, weeks) => {
  expect(redundancyWeeks(age, years)).toBe(weeks);
});

// GOV.UK: the most is £22,530 from 6 April 2026, £21,570 before, £21,000 from April 2024.
test.each([
  ["2026/27", 22_530],
  ["2025/26", 21_570],
  ["2024/25", 21_000],
] as const)("the most in %s", (taxYear, most) => {
  expect(redundancyPay(64, 25, 500_000, taxYear)).toBe(most * 100);
  expect(weeklyCapOf[taxYear] * 30).toBe(most);
});

test("£30,000 is free of tax, the rest is the top of the income", () => {
  expect(taxOnTermination(3_000_000, 4_100_000, "England", "2026/27")).toEqual({ taxable: 0, tax: 0 });
  expect(taxOnTermination(4_500_000, 4_100_000, "England", "2026/27")).toEqual({
    taxable: 1_500_000,
    tax: 414_600,
  });
});
