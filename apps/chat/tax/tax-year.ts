import { ratesOf, type TaxYear } from "./rates.ts";

/** The tax years with a table, oldest first. */
export const taxYears = Object.keys(ratesOf).sort() as TaxYear[];

export function isKnownTaxYear(text: string): text is TaxYear {
  return text in ratesOf;
}

/** Returns the tax year that begins on 6 April of a calendar year: "2025/26" for `2025`. */
export function taxYearBeginning(calendarYear: number): string {
  return `${calendarYear}/${String((calendarYear + 1) % 100).padStart(2, "0")}`;
}

const dateInLondon = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Europe/London",
  year: "numeric",
  month: "numeric",
  day: "numeric",
});

export interface CalendarDate {
  year: number;
  /** The month; 1 is January. */
  month: number;
  day: number;
}

/** Returns the date in London of a moment, in milliseconds since the epoch. */
export function dateAt(nowMs: number): CalendarDate {
  const parts = dateInLondon.formatToParts(nowMs);
  const number = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return { year: number("year"), month: number("month"), day: number("day") };
}

/** Returns the calendar year in which the tax year of a moment began, on 6 April in London time. */
export function beginningOfTaxYearAt(nowMs: number): number {
  const { year, month, day } = dateAt(nowMs);
  return month > 4 || (month === 4 && day >= 6) ? year : year - 1;
}

/** Returns the tax year of a moment, such as "2026/27", even if it has no table. */
export function taxYearAt(nowMs: number): string {
  return taxYearBeginning(beginningOfTaxYearAt(nowMs));
}

/** Returns the default tax year for questions; `undefined` if the current year has no table yet. */
export function currentTaxYear(nowMs: number): TaxYear | undefined {
  const running = taxYearAt(nowMs);
  return isKnownTaxYear(running) ? running : undefined;
}

/** The latest year with a table. */
export const latestTaxYear = taxYears.at(-1) as TaxYear;
