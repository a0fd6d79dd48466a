import fc from "fast-check";
import { expect, test } from "vitest";
import { dividendTax, savingsTax, taxOnTop } from "./other-income.ts";
import type { TaxYear } from "./rates.ts";

const of = (pay: number, amount: number, taxYear: TaxYear = "2026/27") => ({
  pay: pay * 100,
  amount: amount * 100,
  nation: "England" as const,
  taxYear,
});

test.each([
  // Abishel, "Dividend tax increase 2026": £12,570 of pay and £37,700 of dividends.
  [12_570, 37_700, "2026/27", 3_999],
  [12_570, 37_700, "2025/26", 3_255],
  // GOV.UK, tax on dividends: £29,570 of wages and £3,000 of dividends: 8.75% of £2,500.
  [29_570, 3_000, "2025/26", 218.75],
  [12_570, 45_000, "2026/27", 6_608.75],
  [12_570, 45_000, "2025/26", 5_718.75],
  [50_000, 20_000, "2026/27", 6_971.25],
  [0, 13_070, "2026/27", 0],
  [80_000, 50_000, "2026/27", 22_899.21],
] as const)("£%d of pay and £%d of dividends in %s", (pay, dividends, taxYear, tax) => {
  expect(dividendTax(of(pay, dividends, taxYear)).tax).toBe(Math.round(tax * 100));
});

test.each([
  // GOV.UK, apply tax-free interest: £16,000 of wages leave a starting rate for savings of £1,570.
  [16_000, 200, 0],
  [16_000, 3_000, 86],
  [31_000, 1_400, 80],
  [55_000, 900, 160],
  [50_000, 600, 40],
  [130_000, 100, 45],
  [0, 18_570, 0],
  [0, 18_670, 20],
])("£%d of pay and £%d of interest", (pay, interest, tax) => {
  expect(savingsTax(of(pay, interest)).tax).toBe(tax * 100);
});

test("rent and profits are taxed at the rates of the nation", () => {
  expect(taxOnTop(of(42_000, 9_600))).toBe(218_600);
  expect(taxOnTop({ ...of(50_000, 1_000), nation: "Scotland" })).toBe(42_000);
});

test("more dividends never cost more than they bring, and tax grows with them", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 200_000 }), (pay, amount) => {
      const { tax } = dividendTax(of(pay, amount));
      const { tax: more } = dividendTax(of(pay, amount + 100));
      expect(tax).toBeLessThanOrEqual(amount * 100);
      expect(more).toBeGreaterThanOrEqual(tax);
    }),
  );
});
