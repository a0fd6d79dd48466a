/** Salaries to work out: the rows of a table, and the salary that leaves a wanted take-home. */
import { breakDownSalary, type Circumstances, largestSalary, SalaryError, toPenny } from "./salary.ts";

const fewestTableRows = 2;
export const mostTableRows = 60;

/** A step that people would choose themselves, giving some ten to twenty-one rows where the range allows it. */
export function comfortableStep(from: number, to: number): number {
  const steps = [
    100, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000, 20_000, 25_000, 50_000, 100_000, 250_000, 500_000,
  ];
  return steps.find((step) => (to - from) / step <= 20) ?? 500_000;
}

/**
 * The salaries of a table: `from`, and on by `step` while not past `to`. Pounds a year.
 * @throws {SalaryError} when that is fewer than 2 or more than 60 rows, saying which step would do.
 */
export function salariesBetween(from: number, to: number, step: number): number[] {
  if (!(to > from))
    throw new SalaryError(`A table goes from a lower to a higher salary; got ${from} to ${to}.`);
  if (!(step > 0)) throw new SalaryError(`The step between rows is more than £0; got ${step}.`);
  const rows = Math.floor(Number(((to - from) / step).toFixed(6))) + 1;
  if (rows < fewestTableRows) {
    throw new SalaryError(`A step of ${step} leaves one row; at most ${to - from} gives two.`);
  }
  if (rows > mostTableRows) {
    const enough = Math.ceil((to - from) / (mostTableRows - 1));
    throw new SalaryError(
      `A table holds up to ${mostTableRows} rows; a step of ${step} makes ${rows}. Take a step of at least ${enough}.`,
    );
  }
  return Array.from({ length: rows }, (_, row) => toPenny(from + row * step));
}

/**
 * The lowest whole-pound salary that leaves at least `takeHome`. Pounds a year.
 * @throws {SalaryError} when no salary up to the largest leaves so much.
 */
export function salaryForTakeHome(takeHome: number, where: Omit<Circumstances, "salary">): number {
  const leaves = (salary: number) => breakDownSalary({ ...where, salary }).takeHome;
  if (!(takeHome >= 0) || takeHome > leaves(largestSalary)) {
    throw new SalaryError(`No salary up to £10,000,000 a year leaves ${takeHome}.`);
  }
  let low = 0;
  let high = largestSalary;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (leaves(middle) >= takeHome) high = middle;
    else low = middle + 1;
  }
  return low;
}
