/** The salaries of a table. */
import { toPence, toPounds } from "../../tax/pence.ts";
import { PayError } from "../../tax/work-out.ts";

const fewestTableRows = 2;
export const mostTableRows = 60;

/** Returns a round step that gives about ten to twenty-one rows, if the range allows it. */
export function comfortableStep(from: number, to: number): number {
  const steps = [
    100, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000, 20_000, 25_000, 50_000, 100_000, 250_000, 500_000,
  ];
  const fitting = steps.filter((step) => (to - from) / step <= 20);
  // A step that ends at the last salary, if it leaves enough rows.
  const exact = fitting.find((step) => (to - from) % step === 0 && (to - from) / step >= 5);
  return exact ?? fitting[0] ?? 500_000;
}

/**
 * Returns the salaries from `from` to `to` in steps of `step`, in pounds a year.
 * @throws {PayError} for fewer than 2 or more than 60 rows, with a step that would work
 */
export function salariesBetween(from: number, to: number, step: number): number[] {
  if (!(to > from))
    throw new PayError(`A table must go from a lower to a higher salary; got ${from} to ${to}.`);
  if (!(step > 0)) throw new PayError(`The step between rows must be more than £0; got ${step}.`);
  const rows = Math.floor(Number(((to - from) / step).toFixed(6))) + 1;
  if (rows < fewestTableRows) {
    throw new PayError(`A step of ${step} gives only one row. A step of at most ${to - from} gives two.`);
  }
  if (rows > mostTableRows) {
    const enough = Math.ceil((to - from) / (mostTableRows - 1));
    throw new PayError(
      `A table has at most ${mostTableRows} rows; a step of ${step} gives ${rows}. Use a step of at least ${enough}.`,
    );
  }
  return Array.from({ length: rows }, (_, row) => toPounds(toPence(from + row * step)));
}
