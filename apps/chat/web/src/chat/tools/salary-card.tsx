import { useState } from "react";
import { type Breakdown, type Pay, PayError, workOut } from "../../../../tax/work-out.ts";
import { announce } from "../../design/announcer.tsx";
import { Button } from "../../design/button.tsx";
import { exact, percent, percentagesIn, perPeriod, pounds, sharesOf } from "./figures.ts";
import { headlineOf, periodWords, type Shown } from "./headline.ts";
import { PayControls } from "./pay-controls.tsx";

interface SalaryCardProps {
  breakdown: Breakdown;
  /** The requested figure. */
  asked: Shown;
  /** Take-home pay minus outgoings, in pounds a month. */
  leftMonthly?: number | undefined;
}

/** One person's pay: the take-home, the deductions, and the assumptions as controls. */
export function SalaryCard({ breakdown, asked, leftMonthly }: SalaryCardProps) {
  const [pay, setPay] = useState<Pay>(breakdown.pay);
  const [period, setPeriod] = useState(asked.period);
  const [resets, setResets] = useState(0);
  const isChanged = pay !== breakdown.pay || period !== asked.period;
  const result = isChanged ? workedOut(pay) : breakdown;
  const row = typeof result === "string" ? breakdown : result;

  const change = (next: Pay) => {
    setPay(next);
    const after = workedOut(next);
    if (typeof after === "string") return announce(after);
    const { label, value, unit } = headlineOf(after, { ...asked, period });
    announce(`${label}: ${value} ${unit}`);
  };

  return (
    <section aria-label={`Take-home pay on ${pounds(breakdown.gross)}`} className="framed arrive">
      <Lead row={row} shown={{ ...asked, period }} />
      <Shares row={row} shown={{ ...asked, period }} />
      {leftMonthly !== undefined && !isChanged && (
        <p className="tabular my-0! px-5 pb-2 text-sm">
          <span className="font-medium">{exact(leftMonthly)}</span>{" "}
          <span className="text-quiet">a month left after outgoings</span>
        </p>
      )}
      <Bands row={row} />
      <p className="my-0! px-5 pb-3 text-quiet text-sm">
        Of the next £1 earned {percent(1 - row.marginal.rate)} is kept; the employer pays{" "}
        {pounds(row.employer.nationalInsurance)} of National Insurance on top.
      </p>
      {typeof result === "string" && <p className="my-0! px-5 pb-3 text-bad text-sm">{result}</p>}
      <PayControls
        // A new key resets the fields to their first values.
        key={resets}
        pay={pay}
        period={period}
        onPay={change}
        onPeriod={setPeriod}
      />
      {isChanged && (
        <p className="my-0! flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-t bg-sunken px-5 py-2 text-quiet text-sm">
          Changed here, after the answer.
          <Button
            size="small"
            onClick={() => {
              setPay(breakdown.pay);
              setPeriod(asked.period);
              setResets(resets + 1);
            }}
          >
            Back to the answer
          </Button>
        </p>
      )}
    </section>
  );
}

/** Returns the figures, or a sentence that says why there are none. */
function workedOut(pay: Pay): Breakdown | string {
  try {
    return workOut(pay);
  } catch (error) {
    if (error instanceof PayError) return error.message;
    throw error;
  }
}

function Lead({ row, shown }: { row: Breakdown; shown: Shown }) {
  const { label, value, unit } = headlineOf(row, shown);
  const isTakeHome = shown.figure === "take-home";
  const other = isTakeHome && shown.period === "year" ? "month" : "year";
  const extras = [
    ...(row.pay.otherJobs ?? []).map((salary) => `another job ${pounds(salary)}`),
    ...(row.pay.extras ?? []).map(({ name, amount }) => `${name} ${pounds(amount)}`),
    ...(row.pay.taxCode === undefined ? [] : [`tax code ${row.pay.taxCode}`]),
  ];
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3 px-5 pt-5">
      <div>
        <p className="my-0! font-medium text-quiet text-sm">{label}</p>
        <p className="tabular my-0! font-semibold text-[1.75rem] leading-tight tracking-tight">
          {value} <span className="font-normal text-base text-quiet tracking-normal">{unit}</span>
        </p>
        {extras.length > 0 && (
          <p className="my-0! text-quiet text-sm">
            Salary {pounds(row.pay.salary)}, {extras.join(", ")}
          </p>
        )}
      </div>
      <p className="tabular my-0! font-medium text-lg">
        {pounds(perPeriod(row.takeHome, other))}{" "}
        <span className="font-normal text-quiet text-sm">
          {isTakeHome ? periodWords[other] : "take-home a year"}
        </span>
      </p>
    </div>
  );
}

function Shares({ row, shown }: { row: Breakdown; shown: Shown }) {
  const parts = sharesOf([row]);
  const percentages = percentagesIn(row, parts);
  return (
    <>
      <div aria-hidden="true" className="mx-5 mt-4 flex h-2.5 gap-0.5 overflow-hidden rounded-full">
        {parts.map(({ key, colour }) => (
          <span
            key={key}
            className="min-w-0 first:rounded-s-full last:rounded-e-full"
            style={{ flexGrow: Math.max(row[key], 0), background: colour }}
          />
        ))}
      </div>
      <dl className="m-0 grid grid-cols-[1fr_auto_auto] gap-x-4 px-5 pt-4 pb-2 text-sm">
        {parts.map(({ key, label, colour }, index) => (
          <div key={key} className="col-span-3 grid grid-cols-subgrid items-baseline py-1">
            <dt className="flex items-baseline gap-2.5">
              <span aria-hidden="true" className="size-2.5 rounded-[3px]" style={{ background: colour }} />
              {label}
            </dt>
            <dd className="tabular text-end font-medium">
              {exact(perPeriod(row[key], shown.period, shown.week))}
            </dd>
            <dd className="tabular w-14 text-end text-quiet">{percentages[index]}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Bands({ row }: { row: Breakdown }) {
  if (row.incomeTaxBands.length === 0) return null;
  return (
    <details className="group mx-5 mb-3 text-sm">
      <summary className="inline-flex min-h-8 list-none items-center gap-1.5 rounded font-medium text-accent marker:content-none">
        <span aria-hidden="true" className="transition-transform group-open:rotate-90">
          ›
        </span>
        Income tax, band by band
      </summary>
      <table className="figures mt-1 mb-2 text-sm">
        <caption className="sr-only">Income tax on {pounds(row.gross)}, band by band</caption>
        <thead>
          <tr>
            <th scope="col">Band</th>
            <th scope="col" className="number">
              Rate
            </th>
            <th scope="col" className="number">
              Income
            </th>
            <th scope="col" className="number">
              Tax
            </th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Personal allowance</th>
            <td className="number">0%</td>
            <td className="number">{pounds(row.personalAllowance)}</td>
            <td className="number">{exact(0)}</td>
          </tr>
          {row.incomeTaxBands.map((band) => (
            <tr key={band.name}>
              <th scope="row">{band.name}</th>
              <td className="number">{percent(band.rate)}</td>
              <td className="number">{pounds(band.amount)}</td>
              <td className="number">{exact(band.tax)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
