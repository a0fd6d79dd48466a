/** Child Benefit, and the charge on it for high incomes. */
import { toPence } from "./pence.ts";
import type { TaxYear } from "./rates.ts";

export const childBenefitSources = {
  rates: "https://www.gov.uk/child-benefit/what-youll-get",
  charge: "https://www.gov.uk/child-benefit-tax-charge",
} as const;

/** Pounds a week. */
export const childBenefitOf: Record<TaxYear, { eldest: number; other: number }> = {
  "2024/25": { eldest: 25.6, other: 16.95 },
  "2025/26": { eldest: 26.05, other: 17.25 },
  "2026/27": { eldest: 27.05, other: 17.9 },
};

/** Income Tax (Earnings and Pensions) Act 2003, section 681C, from 6 April 2024. Pounds. */
export const charge = { from: 60_000, step: 200, wholeAt: 80_000 } as const;

/** @returns pence a week */
export function childBenefit(children: number, taxYear: TaxYear): number {
  const { eldest, other } = childBenefitOf[taxYear];
  return children < 1 ? 0 : toPence(eldest) + (children - 1) * toPence(other);
}

/** @param income the higher adjusted net income of the two, in pence @returns whole per cent of the benefit */
export function chargePercent(income: number): number {
  const over = Math.max(0, income - toPence(charge.from));
  return Math.min(100, Math.floor(over / toPence(charge.step)));
}

/** @param benefit of the year, in pence @returns pence, rounded down to the pound */
export function childBenefitCharge(benefit: number, income: number): number {
  return Math.floor((benefit * chargePercent(income)) / 10_000) * 100;
}
