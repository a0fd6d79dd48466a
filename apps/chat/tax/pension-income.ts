/** The State Pension, and lump sums from a private pension. */
import { toPence } from "./pence.ts";
import type { TaxYear } from "./rates.ts";

export const pensionIncomeSources = {
  statePension: "https://www.gov.uk/new-state-pension/what-youll-get",
  tax: "https://www.gov.uk/tax-on-pension",
  lumpSum: "https://www.gov.uk/tax-on-your-private-pension/lump-sum-allowance",
  claim: "https://www.gov.uk/claim-tax-refund/you-get-a-pension",
} as const;

/** The full new State Pension, in pounds a week. */
export const statePensionOf: Record<TaxYear, number> = {
  "2024/25": 221.2,
  "2025/26": 230.25,
  "2026/27": 241.3,
};

/** Pounds a week of voluntary Class 3 contributions. */
export const class3Of: Record<TaxYear, number> = { "2024/25": 17.45, "2025/26": 17.75, "2026/27": 18.4 };

/** Pounds: the most that all lump sums of a life can be free of tax. */
export const lumpSumAllowance = 268_275;
/** Pounds a year that may still be paid into a pension after taking taxed money from it. */
export const laterContributions = 10_000;

/** @returns pence a year: 52 weeks */
export function fullStatePension(taxYear: TaxYear): number {
  return toPence(statePensionOf[taxYear]) * 52;
}

/** A quarter of a lump sum is free of tax. */
export function taxFreeQuarter(lumpSum: number): number {
  return Math.floor(lumpSum / 4);
}
