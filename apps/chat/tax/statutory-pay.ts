/**
 * Statutory pay from the employer, by the week.
 * Rates: https://www.gov.uk/guidance/rates-and-thresholds-for-employers-2026-to-2027 (and 2025-to-2026, 2024-to-2025).
 */
import { shareOf, toPence } from "./pence.ts";
import type { TaxYear } from "./rates.ts";

export const statutoryPaySources = {
  sick: "https://www.gov.uk/statutory-sick-pay",
  maternity: "https://www.gov.uk/maternity-pay-leave/pay",
  paternity: "https://www.gov.uk/paternity-pay-leave/pay",
} as const;

export interface StatutoryPayRates {
  /** Pounds a week. */
  sick: number;
  /** Whether it is paid from the first day, to all earnings, with a cap of 80% of them (Employment Rights Act 2025). */
  sickFromFirstDay: boolean;
  /** Maternity, paternity, adoption and shared parental pay, pounds a week. */
  parental: number;
  /** The average weekly earnings from which it is due, in pounds. */
  earningsLimit: number;
}

export const statutoryPayOf: Record<TaxYear, StatutoryPayRates> = {
  "2024/25": { sick: 116.75, sickFromFirstDay: false, parental: 184.03, earningsLimit: 123 },
  "2025/26": { sick: 118.75, sickFromFirstDay: false, parental: 187.18, earningsLimit: 125 },
  "2026/27": { sick: 123.25, sickFromFirstDay: true, parental: 194.32, earningsLimit: 129 },
};

export const longestSickPayWeeks = 28;
export const maternityWeeks = { earningsRelated: 6, flat: 33 } as const;

/** @param weekly average earnings of a week, in pence @returns pence a week */
export function sickPay(weekly: number, taxYear: TaxYear): number {
  const { sick, sickFromFirstDay, earningsLimit } = statutoryPayOf[taxYear];
  if (sickFromFirstDay) return Math.min(toPence(sick), shareOf(weekly, 8000));
  return weekly >= toPence(earningsLimit) ? toPence(sick) : 0;
}

/**
 * Fractions of a penny are rounded up (SI 1986/1960, regulation 28).
 * @param weekly average earnings of a week, in pence
 * @returns pence a week: of the first weeks, and of the others
 */
export function parentalPay(weekly: number, taxYear: TaxYear): { first: number; further: number } {
  const { parental, earningsLimit } = statutoryPayOf[taxYear];
  if (weekly < toPence(earningsLimit)) return { first: 0, further: 0 };
  const first = Math.ceil(Number((weekly * 0.9).toFixed(6)));
  return { first, further: Math.min(first, toPence(parental)) };
}
