import type { SalaryBreakdown } from "../../../../contract.ts";
import { ScrollRegion } from "../../design/scroll-region.tsx";
import { assumptions, exact, percent, pounds } from "./figures.ts";

const lines = [
  { label: "Take-home a year", of: (row) => exact(row.takeHome), strong: true },
  { label: "Take-home a month", of: (row) => exact(row.takeHomeMonthly) },
  { label: "Income tax", of: (row) => exact(row.incomeTax) },
  { label: "National Insurance", of: (row) => exact(row.nationalInsurance) },
  { label: "Student loan", of: (row) => exact(row.studentLoan), when: (row) => row.studentLoan > 0 },
  { label: "Personal allowance", of: (row) => pounds(row.personalAllowance) },
  { label: "Kept of the next £1", of: (row) => percent(1 - row.marginalRate) },
] satisfies {
  label: string;
  of: (row: SalaryBreakdown) => string;
  strong?: boolean;
  when?: (row: SalaryBreakdown) => boolean;
}[];

/** What columns are told apart by: the salary, and else whatever differs. */
function headingOf(row: SalaryBreakdown, rows: readonly SalaryBreakdown[]): string[] {
  const differ = (key: "taxYear" | "country") => new Set(rows.map((other) => other[key])).size > 1;
  return [
    pounds(row.salary),
    ...(differ("country") ? [row.country.replaceAll("/", ", ")] : []),
    ...(differ("taxYear") ? [row.taxYear] : []),
  ];
}

/** Salaries side by side, and for two of them what lies between. */
export function ComparisonTable({ rows }: { rows: readonly SalaryBreakdown[] }) {
  const shown = lines.filter((line) => !("when" in line) || rows.some(line.when));
  const [first, second] = rows;
  const sameAssumptions = new Set(rows.map(assumptions)).size === 1;
  const gain = rows.length === 2 && first && second ? second.takeHome - first.takeHome : null;
  return (
    <section aria-label="Comparison of salaries" className="framed arrive">
      <ScrollRegion label="Comparison table, scrolls sideways" className="scroll">
        <table className="figures text-sm">
          <caption className="sr-only">
            Comparison of {rows.map((row) => pounds(row.salary)).join(", ")}
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
