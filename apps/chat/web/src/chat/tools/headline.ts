/** The headline of a card: the requested figure. */
import type { PayPeriod, WorkingWeek } from "../../../../tax/pay-periods.ts";
import type { Breakdown } from "../../../../tax/work-out.ts";
import { percent, perPeriod, pounds } from "./figures.ts";

export interface Shown {
  figure: string;
  period: PayPeriod;
  week: WorkingWeek;
}

/** Returns the figure that a tool call asks to show; by default, take-home pay a year. */
export function shownBy(input: unknown): Shown {
  const plain: Shown = { figure: "take-home", period: "year", week: {} };
  if (typeof input !== "object" || input === null || !("show" in input)) return plain;
  const { show } = input;
  if (typeof show !== "object" || show === null) return plain;
  const { figure, period, hoursPerWeek, daysPerWeek, weeksPerYear }: Record<string, unknown> = {
    ...plain,
    ...show,
  };
  const count = (value: unknown) => (typeof value === "number" && value > 0 ? value : undefined);
  return {
    figure: String(figure),
    period: typeof period === "string" && period in periodWords ? (period as PayPeriod) : "year",
    week: { hours: count(hoursPerWeek), days: count(daysPerWeek), weeks: count(weeksPerYear) },
  };
}

export const periodWords: Record<PayPeriod, string> = {
  year: "a year",
  quarter: "a quarter",
  month: "a month",
  "four weeks": "every four weeks",
  fortnight: "a fortnight",
  week: "a week",
  day: "a day",
  hour: "an hour",
};

export interface Headline {
  label: string;
  value: string;
  /** The period, such as "a year"; empty for a rate. */
  unit: string;
}

export function headlineOf(row: Breakdown, { figure, period, week }: Shown): Headline {
  const pay = pounds(row.gross);
  const money = (label: string, yearly: number): Headline => ({
    label,
    value: pounds(perPeriod(yearly, period, week)),
    unit: periodWords[period],
  });
  const rate = (label: string, value: string): Headline => ({ label, value, unit: "" });
  switch (figure) {
    case "income-tax":
      return money(`Income tax on ${pay}`, row.incomeTax);
    case "national-insurance":
      return money(`National Insurance on ${pay}`, row.nationalInsurance);
    case "student-loan":
      return money(`Student loan on ${pay}`, row.studentLoan);
    case "employer":
      return money(`Employer's National Insurance on ${pay}`, row.employer.nationalInsurance);
    case "personal-allowance":
      return rate(`Personal allowance on ${pay}`, pounds(row.personalAllowance));
    case "marginal-rate":
      return rate(`Marginal rate at ${pay}`, percent(row.marginal.rate));
    case "effective-rate":
      return rate(`Income tax and National Insurance on ${pay}`, `${(row.effectiveRate * 100).toFixed(1)}%`);
    case "tax-band":
      return rate(`Highest band on ${pay}`, row.incomeTaxBands.at(-1)?.name ?? "No income tax");
    default:
      return money(`Take-home on ${pay}`, row.takeHome);
  }
}
