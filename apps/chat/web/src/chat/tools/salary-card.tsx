import type { SalaryBreakdown } from "../../../../contract.ts";
import { assumptions, exact, percent, pounds, sharesOf } from "./figures.ts";

/** One salary worked out: what is kept, and where the rest goes. */
export function SalaryCard({ breakdown }: { breakdown: SalaryBreakdown }) {
  const { salary, takeHome, takeHomeMonthly, marginalRate, personalAllowance, incomeTaxBands } = breakdown;
  const parts = sharesOf([breakdown]);
  return (
    <section aria-label={`Take-home pay on ${pounds(salary)}`} className="framed arrive">
      <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3 px-5 pt-5">
        <div>
          <p className="my-0! font-medium text-quiet text-sm">Take-home on {pounds(salary)}</p>
          <p className="tabular my-0! font-semibold text-[1.75rem] leading-tight tracking-tight">
            {pounds(takeHome)}{" "}
            <span className="font-normal text-base text-quiet tracking-normal">a year</span>
          </p>
        </div>
        <p className="tabular my-0! font-medium text-lg">
          {pounds(takeHomeMonthly)} <span className="font-normal text-quiet text-sm">a month</span>
        </p>
      </div>

      <div aria-hidden="true" className="mx-5 mt-4 flex h-2.5 gap-0.5 overflow-hidden rounded-full">
        {parts.map(({ key, colour }) => (
          <span
            key={key}
            className="min-w-0 first:rounded-s-full last:rounded-e-full"
            style={{ flexGrow: Math.max(breakdown[key], 0), background: colour }}
          />
        ))}
      </div>

      <dl className="m-0 grid grid-cols-[1fr_auto_auto] gap-x-4 px-5 pt-4 pb-2 text-sm">
        {parts.map(({ key, label, colour }) => (
          <div key={key} className="col-span-3 grid grid-cols-subgrid items-baseline py-1">
            <dt className="flex items-baseline gap-2.5">
              <span aria-hidden="true" className="size-2.5 rounded-[3px]" style={{ background: colour }} />
              {label}
            </dt>
            <dd className="tabular text-end font-medium">{exact(breakdown[key])}</dd>
            <dd className="tabular w-14 text-end text-quiet">
              {salary > 0 ? percent(Math.round((breakdown[key] / salary) * 1000) / 1000) : "–"}
            </dd>
          </div>
        ))}
      </dl>

      {incomeTaxBands.length > 0 && (
        <details className="group mx-5 mb-3 text-sm">
          <summary className="inline-flex min-h-8 list-none items-center gap-1.5 rounded font-medium text-accent marker:content-none">
            <span aria-hidden="true" className="transition-transform group-open:rotate-90">
              ›
            </span>
            Income tax, band by band
          </summary>
          <table className="figures mt-1 mb-2 text-sm">
            <caption className="sr-only">Income tax on {pounds(salary)}, band by band</caption>
            <thead>
              <tr>
                <th scope="col">Band</th>
                <th scope="col" className="number">
                  Rate
                </th>
                <th scope="col" className="number">
                  Tax
                </th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">Personal allowance, {pounds(personalAllowance)}</th>
                <td className="number">0%</td>
                <td className="number">{exact(0)}</td>
              </tr>
              {incomeTaxBands.map((band) => (
                <tr key={band.name}>
                  <th scope="row">{band.name}</th>
                  <td className="number">{percent(band.rate)}</td>
                  <td className="number">{exact(band.tax)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}

      <p className="my-0! border-line border-t bg-sunken px-5 py-2.5 text-quiet text-sm">
        {assumptions(breakdown)} · of the next £1 earned you keep {Math.round((1 - marginalRate) * 100)}p
      </p>
    </section>
  );
}
