import { type PayPeriod, periodsPerYear, type WorkingWeek } from "../../../../tax/pay-periods.ts";
import { toPence, toPounds } from "../../../../tax/pence.ts";
import { percentagesOf } from "../../../../tax/percentages.ts";
import type { StudentLoanPlan } from "../../../../tax/rates.ts";
import type { Breakdown } from "../../../../tax/work-out.ts";

const exactPounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
const wholePounds = new Intl.NumberFormat("en-GB", {
  style: "currency",
  currency: "GBP",
  maximumFractionDigits: 0,
});
const percents = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 2 });

/** Formats `£35,278.60`, or whole pounds without pence. */
export function pounds(amount: number): string {
  return Number.isInteger(amount) ? wholePounds.format(amount) : exactPounds.format(amount);
}

/** Formats `£35,278.60`, always with pence, for columns of amounts. */
export function exact(amount: number): string {
  return exactPounds.format(amount);
}

/** Formats whole pounds, such as `£35,279`. */
export function roundPounds(amount: number): string {
  return wholePounds.format(amount);
}

/** Formats thousands, such as `£120k`, for the axes of a chart. */
export function thousands(amount: number): string {
  if (amount < 1000) return wholePounds.format(amount);
  return `£${Number((amount / 1000).toFixed(1))}k`;
}

/** Formats 0.42 as `42%`. */
export function percent(share: number): string {
  return percents.format(share);
}

/** Converts pounds a year to pounds a period, to the penny. Default: 52 weeks of 5 days or 37.5 hours. */
export function perPeriod(yearly: number, period: PayPeriod, week: WorkingWeek = {}): number {
  return toPounds(toPence(yearly / periodsPerYear(period, week)));
}

/** Formats student loan plans, such as `plan 2 and postgraduate`; empty for none. */
export function plansInWords(plans: readonly StudentLoanPlan[]): string {
  const words = plans.map((plan) => (plan === "postgrad" ? "postgraduate" : `plan ${plan}`));
  return new Intl.ListFormat("en-GB").format(words);
}

/** Formats the assumptions of the figures, such as `2026/27 · Scotland · student loan plan 2`. */
export function assumptions({ pay }: Breakdown): string {
  const plans = plansInWords(pay.studentLoanPlans);
  const { pension } = pay;
  return [
    pay.taxYear,
    pay.nation,
    ...(plans === "" ? [] : [`student loan ${plans}`]),
    ...(pension
      ? [`pension ${pension.share === undefined ? pounds(pension.amount ?? 0) : percent(pension.share)}`]
      : []),
    ...(pay.taxCode === undefined ? [] : [`tax code ${pay.taxCode}`]),
  ].join(" · ");
}

/** The shares of pay, in the order in which charts stack them. */
export const shares = [
  { key: "takeHome", label: "Take-home", colour: "var(--chart-take-home)" },
  { key: "incomeTax", label: "Income tax", colour: "var(--chart-income-tax)" },
  { key: "nationalInsurance", label: "National Insurance", colour: "var(--chart-insurance)" },
  { key: "studentLoan", label: "Student loan", colour: "var(--chart-loan)" },
  { key: "pension", label: "Pension", colour: "var(--chart-pension)" },
] as const satisfies readonly { key: keyof Breakdown; label: string; colour: string }[];

const always = new Set<string>(["takeHome", "incomeTax", "nationalInsurance"]);

/** Returns the shares that are above zero in at least one row. */
export function sharesOf(rows: readonly Breakdown[]): readonly (typeof shares)[number][] {
  return shares.filter(({ key }) => always.has(key) || rows.some((row) => row[key] > 0));
}

/** Formats each share, such as `79.8%`. Together they are exactly 100.0%. Empty strings if there is no pay. */
export function percentagesIn(row: Breakdown, parts: readonly (typeof shares)[number][]): string[] {
  if (row.gross === 0) return parts.map(() => "–");
  return percentagesOf(parts.map(({ key }) => row[key])).map((part) => `${part.toFixed(1)}%`);
}

const numbers = [
  "gross",
  "personalAllowance",
  "incomeTax",
  "nationalInsurance",
  "studentLoan",
  "pension",
  "takeHome",
  "takeHomeMonthly",
  "effectiveRate",
] as const satisfies readonly (keyof Breakdown)[];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Whether a tool's output is a breakdown. Stored conversations may be from an older version. */
export function isBreakdown(value: unknown): value is Breakdown {
  if (!isRecord(value) || !isRecord(value.pay) || !isRecord(value.marginal) || !isRecord(value.employer))
    return false;
  const { salary, taxYear, nation, studentLoanPlans } = value.pay;
  return (
    numbers.every((key) => typeof value[key] === "number") &&
    typeof value.marginal.rate === "number" &&
    typeof value.employer.nationalInsurance === "number" &&
    Array.isArray(value.incomeTaxBands) &&
    typeof salary === "number" &&
    typeof taxYear === "string" &&
    typeof nation === "string" &&
    Array.isArray(studentLoanPlans)
  );
}

/** Returns the rows of a table or comparison; `null` for any other output. */
export function breakdownRows(output: unknown): Breakdown[] | null {
  if (!isRecord(output)) return null;
  const { rows } = output;
  return Array.isArray(rows) && rows.length > 0 && rows.every(isBreakdown) ? rows : null;
}
