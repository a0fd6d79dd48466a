import fc from "fast-check";
import { expect, test } from "vitest";
import { apprenticeshipLevy, grossFromCost } from "./umbrella.ts";

test("the parts add up to the total, within a penny or two of rounding", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 30_000_000 }),
      fc.constantFrom(0, apprenticeshipLevy),
      fc.constantFrom(0, 300),
      (total, levy, pension) => {
        const { gross, nationalInsurance, ...others } = grossFromCost(total, "2026/27", { levy, pension });
        const sum = gross + nationalInsurance + others.levy + others.pension;
        expect(Math.abs(sum - total)).toBeLessThanOrEqual(2);
      },
    ),
  );
});

test("£70,000 in all with a pension of 3%", () => {
  expect(grossFromCost(7_000_000, "2026/27", { pension: 300 }).gross).toBe(5_995_763);
});
