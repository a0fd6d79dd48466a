import { expect, test } from "vitest";
import { approvedMileage } from "./mileage.ts";

test.each([
  [6_000, "2026/27", 3_300],
  [12_000, "2026/27", 6_000],
  [12_000, "2025/26", 5_000],
  [10_000, "2024/25", 4_500],
] as const)("%d miles in %s", (miles, taxYear, approved) => {
  expect(approvedMileage(miles, taxYear)).toBe(approved * 100);
});
