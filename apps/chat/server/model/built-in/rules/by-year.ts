import { beginningOfTaxYearAt } from "../../../../tax/tax-year.ts";

/**
 * Keeps what is made for a tax year, because patterns take long to compile.
 *
 * @param make gets the calendar year in which the tax year began
 * @returns a function of the time, in milliseconds since the epoch
 */
export function byYear<Made>(make: (year: number) => Made): (nowMs: number) => Made {
  const kept = new Map<number, Made>();
  return (nowMs) => {
    const year = beginningOfTaxYearAt(nowMs);
    const known = kept.get(year);
    if (known !== undefined) return known;
    const made = make(year);
    // One for the current year, and one more around the turn of a year.
    if (kept.size > 1) kept.clear();
    kept.set(year, made);
    return made;
  };
}
