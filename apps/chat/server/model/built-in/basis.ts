/** The last line of an answer: what it rests on, and what it leaves out. */
import type { SalaryBreakdown, StudentLoanPlan } from "../../../contract.ts";
import { caveatOf } from "../tax-years.ts";
import type { Sum } from "./understanding.ts";
import { place } from "./wording.ts";

/** What an answer rests on; what differs from row to row of a comparison is left out. */
export interface Basis {
  taxYear?: SalaryBreakdown["taxYear"];
  country?: SalaryBreakdown["country"];
  studentLoanPlans?: readonly StudentLoanPlan[];
}

/** Which rates, and that newer ones exist where the question left the year open. */
function ratesOf(taxYear: string, { unknownCurrentYear }: Sum): string {
  return `${taxYear} rates${unknownCurrentYear ? `, the latest I know (I don't have ${unknownCurrentYear} yet)` : ""}`;
}

/** One line in italics, and a second where there are remarks. */
export function assumptions(basis: Basis, sum: Sum, notes: readonly string[] = []): string {
  const { taxYear, country, studentLoanPlans } = basis;
  const parts = [
    taxYear && ratesOf(taxYear, sum),
    country && place(country),
    "one employee's salary under PAYE",
    studentLoanPlans?.length === 0 ? "no student loan" : undefined,
  ];
  const line = parts.filter((part) => part !== undefined).join("; ");
  const remarks = [
    taxYear && caveatOf(taxYear),
    studentLoanPlans?.includes(5)
      ? "Plan 5 repayments began only in April 2026; this shows what the threshold on record would take"
      : undefined,
    sum.smallForAYear
      ? "I took the amount as a yearly salary; add “a month” or “a week” if it isn't"
      : undefined,
    ...notes,
  ].filter((remark) => remark !== undefined);
  const basisLine = `*${line.charAt(0).toUpperCase()}${line.slice(1)}.*`;
  return remarks.length === 0 ? basisLine : `${basisLine}\n\n*${remarks.join(". ")}.*`;
}
