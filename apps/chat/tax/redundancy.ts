/** Statutory redundancy pay, and the tax on payments for the loss of a job. */
import { incomeTax } from "./income-tax.ts";
import { toPence } from "./pence.ts";
import type { Nation, TaxYear } from "./rates.ts";

export const redundancySources = {
  pay: "https://www.gov.uk/redundancy-your-rights/redundancy-pay",
  tax: "https://www.gov.uk/redundancy-your-rights/tax-and-national-insurance",
} as const;

/** The most that counts as a week's pay, in pounds: dismissals from 6 April in England, Scotland and Wales. */
export const weeklyCapOf: Record<TaxYear, number> = { "2024/25": 700, "2025/26": 719, "2026/27": 751 };

export const mostYears = 20;
export const fewestYears = 2;
/** Pounds: Income Tax (Earnings and Pensions) Act 2003, section 403. */
export const freeOfTax = 30_000;

/** Weeks of pay: half a week for each full year under 22, one from 22 to 40, one and a half from 41. */
export function redundancyWeeks(age: number, years: number): number {
  if (years < fewestYears) return 0;
  let weeks = 0;
  for (let back = 1; back <= Math.min(Math.floor(years), mostYears); back++) {
    const then = age - back;
    weeks += then >= 41 ? 1.5 : then >= 22 ? 1 : 0.5;
  }
  return weeks;
}

/** @param weekly pay of a week, in pence, also with a fraction @returns pence */
export function redundancyPay(age: number, years: number, weekly: number, taxYear: TaxYear): number {
  return Math.round(redundancyWeeks(age, years) * Math.min(weekly, toPence(weeklyCapOf[taxYear])));
}

/**
 * The income tax on a payment for the loss of a job, next to the year's pay. No employee's National Insurance is due.
 * @param payment without notice pay, holiday pay and wages, in pence
 * @param salary the pay of the year, in pence
 */
export function taxOnTermination(payment: number, salary: number, nation: Nation, taxYear: TaxYear) {
  const taxable = Math.max(0, payment - toPence(freeOfTax));
  const on = (income: number) => incomeTax({ income, nation, taxYear }).tax;
  return { taxable, tax: on(salary + taxable) - on(salary) };
}
