import { expect, test } from "vitest";
import { parentalPay, sickPay, statutoryPayOf } from "./statutory-pay.ts";

// https://www.gov.uk/guidance/rates-and-thresholds-for-employers-2026-to-2027
test("the rates of 2026/27", () => {
  expect(statutoryPayOf["2026/27"]).toMatchObject({ sick: 123.25, parental: 194.32, earningsLimit: 129 });
});

test.each([
  [52_000, 12_325],
  [15_406, 12_325],
  [15_407, 12_325],
  [15_405, 12_324],
  [10_000, 8_000],
  [0, 0],
])("sick pay on %d pence a week in 2026/27", (weekly, pay) => {
  expect(sickPay(weekly, "2026/27")).toBe(pay);
});

test("before 6 April 2026 sick pay needs the lower earnings limit, and is flat", () => {
  expect(sickPay(12_499, "2025/26")).toBe(0);
  expect(sickPay(12_500, "2025/26")).toBe(11_875);
  expect(sickPay(12_300, "2024/25")).toBe(11_675);
});

test.each([
  [60_000, 54_000, 19_432],
  [18_000, 16_200, 16_200],
  [12_899, 0, 0],
  // A fraction of a penny is rounded up.
  [2_400_000 / 52, 41_539, 19_432],
])("maternity pay on %d pence a week", (weekly, first, further) => {
  expect(parentalPay(weekly, "2026/27")).toEqual({ first, further });
});
