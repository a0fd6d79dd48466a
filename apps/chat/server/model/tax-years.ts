import type { Country, TaxYear } from "../../contract.ts";

/** The tax years that the calculator has rates for, oldest first. Scotland: see `taxYearsKnownFor`. */
export const taxYearsKnown: readonly TaxYear[] = ["2022/23", "2023/24", "2024/25", "2025/26"];

/** The year that a question is answered for when it names none. */
export const latestTaxYear: TaxYear = "2025/26";

export const countries: readonly Country[] = ["England/NI/Wales", "Scotland"];

const scottishTaxYears: readonly TaxYear[] = ["2024/25", "2025/26"];

/** The tax years known for one country, oldest first. */
export function taxYearsKnownFor(country: Country): readonly TaxYear[] {
  return country === "Scotland" ? scottishTaxYears : taxYearsKnown;
}

export function isKnownTaxYear(text: string): text is TaxYear {
  return (taxYearsKnown as readonly string[]).includes(text);
}

/** `2025` is "2025/26": the tax year that begins on 6 April of that calendar year. */
export function taxYearBeginning(calendarYear: number): string {
  return `${calendarYear}/${String((calendarYear + 1) % 100).padStart(2, "0")}`;
}

const dateInLondon = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Europe/London",
  year: "numeric",
  month: "numeric",
  day: "numeric",
});

/**
 * The calendar year in which the tax year of a moment began.
 * @param nowMs milliseconds since the epoch; a tax year begins on 6 April, in London's time.
 */
export function beginningOfTaxYearAt(nowMs: number): number {
  const parts = dateInLondon.formatToParts(nowMs);
  const number = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const year = number("year");
  const month = number("month");
  return month > 4 || (month === 4 && number("day") >= 6) ? year : year - 1;
}

/** The tax year under way at a moment, such as "2026/27", whether its rates are known or not. */
export function taxYearAt(nowMs: number): string {
  return taxYearBeginning(beginningOfTaxYearAt(nowMs));
}

/** What a reader must know of a year's figures that a plain annual sum does not show; `undefined` if nothing. */
export function caveatOf(taxYear: TaxYear): string | undefined {
  if (taxYear === "2022/23") {
    return "National Insurance changed during 2022/23; this uses the rates of July to November 2022 for the whole year";
  }
  if (taxYear === "2023/24") {
    return "National Insurance was cut in January 2024; this uses the lower rate for the whole of 2023/24";
  }
  return undefined;
}
