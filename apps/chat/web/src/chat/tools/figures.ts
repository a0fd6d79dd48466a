import type { SalaryBreakdown } from "../../../../contract.ts";

const exactPounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
const wholePounds = new Intl.NumberFormat("en-GB", {
  style: "currency",
  currency: "GBP",
  maximumFractionDigits: 0,
});
const percents = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 2 });

/** `£35,278.60`; whole pounds are written without pennies. */
export function pounds(amount: number): string {
  return Number.isInteger(amount) ? wholePounds.format(amount) : exactPounds.format(amount);
}

/** `£35,278.60`, pennies always: for columns of amounts. */
export function exact(amount: number): string {
  return exactPounds.format(amount);
}

/** `£35,279` */
export function roundPounds(amount: number): string {
  return wholePounds.format(amount);
}

/** `£120k`, for the axes of a chart. */
export function thousands(amount: number): string {
  if (amount < 1000) return wholePounds.format(amount);
  return `£${Number((amount / 1000).toFixed(1))}k`;
}

/** `42%` of 0.42 */
export function percent(share: number): string {
  return percents.format(share);
}

/** `plan 2 and postgraduate` of the plans of a student loan; empty for none. */
export function plansInWords(plans: SalaryBreakdown["studentLoanPlans"]): string {
  const words = plans.map((plan) => (plan === "postgrad" ? "postgraduate" : `plan ${plan}`));
  return new Intl.ListFormat("en-GB").format(words);
}

/** `2025/26, Scotland, plan 2`: what the figures hold for. */
export function assumptions({ taxYear, country, studentLoanPlans }: SalaryBreakdown): string {
  const plans = plansInWords(studentLoanPlans);
  return [taxYear, country.replaceAll("/", ", "), ...(plans === "" ? [] : [`student loan ${plans}`])].join(
    " · ",
  );
}

/** What a salary is spent on, in the order in which charts stack it. */
export const shares = [
  { key: "takeHome", label: "Take-home", colour: "var(--chart-take-home)" },
  { key: "incomeTax", label: "Income tax", colour: "var(--chart-income-tax)" },
  { key: "nationalInsurance", label: "National Insurance", colour: "var(--chart-insurance)" },
  { key: "studentLoan", label: "Student loan", colour: "var(--chart-loan)" },
] as const satisfies readonly { key: keyof SalaryBreakdown; label: string; colour: string }[];

/** The shares that at least one of the rows has anything of. */
export function sharesOf(rows: readonly SalaryBreakdown[]): readonly (typeof shares)[number][] {
  return shares.filter(({ key }) => key !== "studentLoan" || rows.some((row) => row.studentLoan > 0));
}

const numbers = [
  "salary",
  "personalAllowance",
  "incomeTax",
  "nationalInsurance",
  "studentLoan",
  "takeHome",
  "takeHomeMonthly",
  "marginalRate",
] as const satisfies readonly (keyof SalaryBreakdown)[];

/** Whether a tool's output is a salary worked out: stored conversations may be older than this page. */
export function isSalaryBreakdown(value: unknown): value is SalaryBreakdown {
  if (typeof value !== "object" || value === null) return false;
  const row = value as Record<string, unknown>;
  return (
    numbers.every((key) => typeof row[key] === "number") &&
    typeof row.taxYear === "string" &&
    typeof row.country === "string" &&
    Array.isArray(row.studentLoanPlans) &&
    Array.isArray(row.incomeTaxBands)
  );
}

/** The rows of a table or comparison; `null` when the output is something else. */
export function salaryRows(output: unknown): SalaryBreakdown[] | null {
  if (typeof output !== "object" || output === null || !("rows" in output)) return null;
  const { rows } = output;
  return Array.isArray(rows) && rows.length > 0 && rows.every(isSalaryBreakdown) ? rows : null;
}
