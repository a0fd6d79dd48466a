import { shareOf, toPence } from "./pence.ts";
import { ratesOf, type TaxYear } from "./rates.ts";

/**
 * Returns the employee's contributions (class 1, category A) on a year's pay from one job, by the annual method, in
 * pence.
 */
export function employeeInsurance(pay: number, taxYear: TaxYear): number {
  const { from, rate, upperFrom, upperRate } = ratesOf[taxYear].employee;
  const main = Math.max(0, Math.min(pay, toPence(upperFrom)) - toPence(from));
  const upper = Math.max(0, pay - toPence(upperFrom));
  return shareOf(main, rate) + shareOf(upper, upperRate);
}

/** Returns the employer's contributions on a year's pay from one job, in pence. */
export function employerInsurance(pay: number, taxYear: TaxYear): number {
  const { from, rate } = ratesOf[taxYear].employer;
  return shareOf(Math.max(0, pay - toPence(from)), rate);
}

/** Returns the rates on the next pound and on the last pound, in hundredths of a per cent. */
export function marginalInsurance(pay: number, taxYear: TaxYear): { next: number; last: number } {
  const { from, rate, upperFrom, upperRate } = ratesOf[taxYear].employee;
  const next = pay >= toPence(upperFrom) ? upperRate : pay >= toPence(from) ? rate : 0;
  const last = pay > toPence(upperFrom) ? upperRate : pay > toPence(from) ? rate : 0;
  return { next, last };
}
