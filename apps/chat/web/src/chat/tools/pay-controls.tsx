/** Controls for a card's assumptions. Each change updates the card. */
import { type ReactNode, useId, useState } from "react";
import type { PayPeriod } from "../../../../tax/pay-periods.ts";
import { type Nation, nations, type StudentLoanPlan, type TaxYear } from "../../../../tax/rates.ts";
import { readTaxCode, usualTaxCode } from "../../../../tax/tax-code.ts";
import { taxYears } from "../../../../tax/tax-year.ts";
import type { Pay, PensionKind } from "../../../../tax/work-out.ts";
import { announce } from "../../design/announcer.tsx";
import { periodWords } from "./headline.ts";

const undergraduate = [1, 2, 4, 5] as const satisfies readonly StudentLoanPlan[];
const pensionKinds: readonly PensionKind[] = ["salary sacrifice", "net pay", "relief at source"];
const periods = Object.keys(periodWords) as PayPeriod[];

interface PayControlsProps {
  pay: Pay;
  period: PayPeriod;
  onPay: (pay: Pay) => void;
  onPeriod: (period: PayPeriod) => void;
}

export function PayControls({ pay, period, onPay, onPeriod }: PayControlsProps) {
  return (
    <fieldset className="relative m-0 grid grid-cols-2 gap-x-3 gap-y-2 border-0 border-line border-t bg-sunken px-5 py-3 text-sm sm:grid-cols-3">
      <legend className="sr-only">Assumptions</legend>
      <Choice
        label="Tax year"
        value={pay.taxYear}
        options={taxYears.map((year) => [year, year])}
        onChange={(taxYear) => onPay({ ...pay, taxYear: taxYear as TaxYear })}
      />
      <Choice
        label="Lives in"
        value={pay.nation}
        options={nations.map((nation) => [nation, nation])}
        onChange={(nation) => onPay({ ...pay, nation: nation as Nation })}
      />
      <Choice
        label="Shown"
        value={period}
        options={periods.map((one) => [one, periodWords[one]])}
        onChange={(one) => onPeriod(one as PayPeriod)}
      />
      <LoanControls pay={pay} onPay={onPay} />
      <PensionControls pay={pay} onPay={onPay} />
      {/* A tax code can be set only if there is one job. */}
      {pay.otherJobs === undefined && <TaxCodeControl pay={pay} onPay={onPay} />}
    </fieldset>
  );
}

type PartProps = Pick<PayControlsProps, "pay" | "onPay">;

/** Several undergraduate plans have one repayment, so the control offers single plans, or the answer's combination. */
function LoanControls({ pay, onPay }: PartProps) {
  const id = useId();
  const postgraduate = pay.studentLoanPlans.includes("postgrad");
  const own = pay.studentLoanPlans.filter((plan) => plan !== "postgrad");
  const several: [string, string][] = own.length > 1 ? [[own.join(), `Plans ${own.join(" and ")}`]] : [];
  const set = (plans: StudentLoanPlan[], withPostgraduate: boolean) =>
    onPay({ ...pay, studentLoanPlans: [...plans, ...(withPostgraduate ? (["postgrad"] as const) : [])] });
  return (
    <>
      <Choice
        label="Student loan"
        value={own.join()}
        options={[
          ["", "None"],
          ...several,
          ...undergraduate.map((plan): [string, string] => [String(plan), `Plan ${plan}`]),
        ]}
        onChange={(value) =>
          set(
            value === own.join() ? own : undergraduate.filter((plan) => String(plan) === value),
            postgraduate,
          )
        }
      />
      <Labelled label="Postgraduate loan" id={id}>
        <span className="flex min-h-9 items-center pointer-coarse:min-h-11">
          <input
            id={id}
            type="checkbox"
            className="size-5 accent-accent"
            checked={postgraduate}
            onChange={(event) => set(own, event.target.checked)}
          />
        </span>
      </Labelled>
    </>
  );
}

function PensionControls({ pay, onPay }: PartProps) {
  const id = useId();
  const { pension } = pay;
  const isAmount = pension?.amount !== undefined;
  const most = isAmount ? pay.salary : 100;
  const value = isAmount ? (pension.amount ?? 0) : Number(((pension?.share ?? 0) * 100).toFixed(2));
  const kind = pension?.kind ?? "salary sacrifice";
  const set = (typed: string) => {
    const number = Math.min(Math.max(Number(typed) || 0, 0), most);
    const { pension: _, ...rest } = pay;
    if (number === 0 && !isAmount) return onPay(rest);
    onPay({ ...rest, pension: isAmount ? { kind, amount: number } : { kind, share: number / 100 } });
  };
  return (
    <>
      <Labelled label={isAmount ? "Pension, £ a year" : "Pension, %"} id={id}>
        <input
          id={id}
          type="number"
          inputMode="decimal"
          min={0}
          max={most}
          step={isAmount ? 100 : 0.5}
          defaultValue={value}
          className={controlClass}
          onChange={(event) => set(event.target.value)}
        />
      </Labelled>
      {pension && (
        <Choice
          label="Pension by"
          value={kind}
          options={pensionKinds.map((one) => [one, one.charAt(0).toUpperCase() + one.slice(1)])}
          onChange={(one) => onPay({ ...pay, pension: { ...pension, kind: one as PensionKind } })}
        />
      )}
    </>
  );
}

/**
 * While a code is typed, the card is updated if the code exists. If it does not, an explanation appears when the field
 * is left.
 */
function TaxCodeControl({ pay, onPay }: PartProps) {
  const id = useId();
  const [problem, setProblem] = useState<string>();
  const set = (typed: string) => {
    const read = readTaxCode(typed, pay.nation);
    if ("problem" in read) return;
    setProblem(undefined);
    const { taxCode: _, ...rest } = pay;
    onPay({ ...rest, nation: read.nation, ...(read.code === undefined ? {} : { taxCode: read.code }) });
  };
  const check = (typed: string) => {
    const read = readTaxCode(typed, pay.nation);
    const found = "problem" in read ? read.problem : undefined;
    setProblem(found);
    if (found !== undefined) announce(found);
  };
  return (
    <>
      <Labelled label="Tax code" id={id}>
        <input
          id={id}
          type="text"
          autoCapitalize="characters"
          autoComplete="off"
          spellCheck={false}
          maxLength={12}
          defaultValue={pay.taxCode ?? usualTaxCode}
          className={`${controlClass} uppercase`}
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
          onChange={(event) => set(event.target.value)}
          onBlur={(event) => check(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") check(event.currentTarget.value);
          }}
        />
      </Labelled>
      {problem !== undefined && (
        <p id={`${id}-problem`} className="col-span-full my-0! text-bad">
          {problem} The figures are those of {pay.taxCode ?? usualTaxCode}.
        </p>
      )}
    </>
  );
}

const controlClass =
  "min-h-9 w-full min-w-0 rounded-lg border border-line-strong bg-raised px-2 text-[0.9375rem] pointer-coarse:min-h-11 pointer-coarse:text-base";

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <Labelled label={label} id={id}>
      <select
        id={id}
        className={controlClass}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

function Labelled({ label, id, children }: { label: string; id: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="block text-quiet text-xs">
        {label}
      </label>
      {children}
    </div>
  );
}
