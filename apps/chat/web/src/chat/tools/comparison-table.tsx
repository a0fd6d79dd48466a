import type { Breakdown } from "../../../../tax/work-out.ts";
import { ScrollRegion } from "../../design/scroll-region.tsx";
import { assumptions, exact, percent, plansInWords, pounds } from "./figures.ts";

const lines = [
  { label: "Take-home a year", of: (row) => exact(row.takeHome), strong: true },
  { label: "Take-home a month", of: (row) => exact(row.takeHomeMonthly) },
  { label: "Income tax", of: (row) => exact(row.incomeTax) },
  { label: "National Insurance", of: (row) => exact(row.nationalInsurance) },
  { label: "Student loan", of: (row) => exact(row.studentLoan), when: (row) => row.studentLoan > 0 },
  { label: "Pension", of: (row) => exact(row.pension), when: (row) => row.pension > 0 },
  { label: "Personal allowance", of: (row) => pounds(row.personalAllowance) },
  { label: "Kept of the next £1", of: (row) => percent(1 - row.marginal.rate) },
] satisfies {
  label: string;
  of: (row: Breakdown) => string;
  strong?: boolean;
  when?: (row: Breakdown) => boolean;
}[];

/** Returns the heading of a column: the pay, and other inputs that differ between the columns. */
function headingOf({ pay, gross }: Breakdown, rows: readonly Breakdown[]): string[] {
  const differs = (key: "taxYear" | "nation" | "studentLoanPlans" | "pension") =>
    new Set(rows.map((other) => JSON.stringify(other.pay[key]))).size > 1;
  const plans = plansInWords(pay.studentLoanPlans);
  return [
    pounds(gross),
    ...(differs("nation") ? [pay.nation] : []),
    ...(differs("taxYear") ? [pay.taxYear] : []),
    ...(differs("studentLoanPlans") ? [plans === "" ? "no loan" : plans] : []),
    ...(differs("pension") ? [pay.pension ? "with pension" : "no pension"] : []),
  ];
}

interface ComparisonTableProps {
  rows: readonly Breakdown[];
  /** What several people take home together, in pounds a year. If set, the columns are people, not alternatives. */
  together?: number | undefined;
}

/** Compares salaries side by side. Shows the difference between two of them, or the total of several people. */
export function ComparisonTable({ rows, together }: ComparisonTableProps) {
  const shown = lines.filter((line) => !("when" in line) || rows.some(line.when));
  const [first, second] = rows;
  const sameAssumptions = new Set(rows.map(assumptions)).size === 1;
  const gain =
    together === undefined && rows.length === 2 && first && second ? second.takeHome - first.takeHome : null;
  return (
    <section aria-label="Comparison of salaries" className="framed arrive">
      <ScrollRegion label="Comparison table, scrolls sideways" className="scroll">
        <table className="figures text-sm">
          <caption className="sr-only">
            Comparison of {rows.map((row) => pounds(row.gross)).join(", ")}
          </caption>
          <thead>
            <tr>
              <td />
              {rows.map((row, index) => {
                const [salary, ...rest] = headingOf(row, rows);
                return (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns never move
                  <th key={index} scope="col" className="number">
                    <span className="block font-semibold text-[0.9375rem] text-ink">{salary}</span>
                    {rest.map((line) => (
                      <span key={line} className="block font-normal">
                        {line}
                      </span>
                    ))}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {shown.map((line) => (
              <tr key={line.label}>
                <th scope="row" className={"strong" in line ? "font-semibold!" : "text-quiet"}>
                  {line.label}
                </th>
                {rows.map((row, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns never move
                  <td key={index} className={`number ${"strong" in line ? "font-semibold" : ""}`}>
                    {line.of(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {together !== undefined && (
        <p className="tabular my-0! border-line border-t px-3.5 py-2.5 font-semibold">
          {exact(together)} a year together
        </p>
      )}
      {(gain !== null || (sameAssumptions && first)) && (
        <p className="my-0! border-line border-t bg-sunken px-3.5 py-2.5 text-quiet text-sm">
          {sameAssumptions && first ? assumptions(first) : null}
          {sameAssumptions && gain !== null ? " · " : null}
          {gain !== null &&
            `${exact(Math.abs(Math.round(gain * 100) / 100))} a year ${gain < 0 ? "less" : "more"} in hand`}
        </p>
      )}
    </section>
  );
}
