/** One person's pay of a year, worked out in full by the annual method. Pounds at this boundary, pence inside. */
import { incomeTax, marginalIncomeTax } from "./income-tax.ts";
import { employeeInsurance, employerInsurance, marginalInsurance } from "./national-insurance.ts";
import { shareOf, toPence, toPounds } from "./pence.ts";
import { type Nation, nations, type StudentLoanPlan, type TaxYear } from "./rates.ts";
import { marginalRepayment, type Repayment, repayments } from "./student-loan.ts";
import { isKnownTaxYear, taxYears } from "./tax-year.ts";

export const largestSalary = 10_000_000;

export type PensionKind = "salary sacrifice" | "net pay" | "relief at source";

export interface Pension {
  kind: PensionKind;
  /** What goes into the pension: a share of the salary (0.05 is 5%), or pounds a year. With relief at source, with the relief. */
  share?: number | undefined;
  amount?: number | undefined;
}

/** Pounds a year. */
export interface Pay {
  salary: number;
  taxYear: TaxYear;
  nation: Nation;
  studentLoanPlans: StudentLoanPlan[];
  /** Taxed as pay of the same job: a bonus, overtime, a car allowance. */
  extras?: { name: string; amount: number }[] | undefined;
  /** The salaries of further jobs. */
  otherJobs?: number[] | undefined;
  pension?: Pension | undefined;
  /** Past State Pension age: no employee's National Insurance. */
  overPensionAge?: boolean | undefined;
}

/** Pounds a year, to the penny. What is taken and what is left add up to `gross` exactly. */
export interface Breakdown {
  pay: Pay;
  /** All pay before anything is taken. */
  gross: number;
  personalAllowance: number;
  incomeTax: number;
  /** Band by band, in the order in which income fills them; bands with no income are left out. `rate` 0.2 is 20%. */
  incomeTaxBands: { name: string; rate: number; amount: number; tax: number }[];
  nationalInsurance: number;
  studentLoan: number;
  repayments: { plans: StudentLoanPlan[]; threshold: number; rate: number; repayment: number }[];
  /** What the pension takes from pay. With relief at source 80% of what goes in: the provider claims the rest. */
  pension: number;
  /** What goes into the pension. */
  pensionContribution: number;
  takeHome: number;
  takeHomeMonthly: number;
  /** Income tax and National Insurance as a share of `gross`. */
  effectiveRate: number;
  /** What of the next pound of pay goes where. 0.42 is 42%. */
  marginal: { rate: number; incomeTax: number; nationalInsurance: number; studentLoan: number };
  /** What of the last pound went: other than `marginal.rate` only where a band begins. */
  marginalRateBelow: number;
  /** What the employer pays on top of `gross`, and in all; without the employer's own pension contribution. */
  employer: { nationalInsurance: number; cost: number };
}

/** A question that cannot be worked out; the message is a sentence for a person. */
export class PayError extends Error {
  override name = "PayError";
}

function checkAmount(amount: number, what: string): void {
  if (Number.isFinite(amount) && amount >= 0 && amount <= largestSalary) return;
  throw new PayError(`${what} is from £0 to £10,000,000 a year; got ${amount}.`);
}

/** @throws {PayError} naming what is out of range and what would be right */
export function checkPay(pay: Pay): void {
  checkAmount(pay.salary, "A salary");
  for (const { name, amount } of pay.extras ?? []) checkAmount(amount, `A ${name}`);
  for (const salary of pay.otherJobs ?? []) checkAmount(salary, "A salary");
  if (!isKnownTaxYear(pay.taxYear)) {
    throw new PayError(`The tax years known are ${taxYears.join(", ")}; got ${pay.taxYear}.`);
  }
  if (!nations.includes(pay.nation)) {
    throw new PayError(`The nations are ${nations.join(", ")}; got ${pay.nation}.`);
  }
  const { share = 0, amount = 0 } = pay.pension ?? {};
  if (!(share >= 0 && share <= 1)) throw new PayError(`A pension share is from 0 to 1; got ${share}.`);
  checkAmount(amount, "A pension contribution");
  if (amount > pay.salary) {
    throw new PayError(`A pension contribution of £${amount} is more than the salary of £${pay.salary}.`);
  }
}

/** The share of a contribution under relief at source that the employee pays: the basic rate is the provider's to claim. */
const paidAtSource = 8000;

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);

/** @throws {PayError} for pay that is out of range, or a year without a table */
export function workOut(pay: Pay): Breakdown {
  checkPay(pay);
  const { taxYear, nation } = pay;
  const salary = toPence(pay.salary);
  const mainJob = salary + sum((pay.extras ?? []).map(({ amount }) => toPence(amount)));
  const otherJobs = (pay.otherJobs ?? []).map(toPence);
  const gross = mainJob + sum(otherJobs);

  const contribution = pay.pension
    ? toPence(pay.pension.amount ?? toPounds(Math.round(salary * (pay.pension.share ?? 0))))
    : 0;
  const kind = pay.pension?.kind;
  const sacrificed = kind === "salary sacrifice" ? contribution : 0;
  const deducted = kind === "net pay" ? contribution : 0;
  const reliefAtSource = kind === "relief at source" ? contribution : 0;
  const pension = sacrificed + deducted + shareOf(reliefAtSource, paidAtSource);

  const jobs = [mainJob - sacrificed, ...otherJobs];
  const taxed = { income: gross - sacrificed - deducted, nation, taxYear, reliefAtSource };
  const tax = incomeTax(taxed);
  const nationalInsurance = pay.overPensionAge ? 0 : sum(jobs.map((job) => employeeInsurance(job, taxYear)));
  const repaid = jobs.flatMap((job) => repayments(job, pay.studentLoanPlans, taxYear));
  const studentLoan = sum(repaid.map(({ repayment }) => repayment));
  const takeHome = gross - pension - tax.tax - nationalInsurance - studentLoan;
  const employerNationalInsurance = sum(jobs.map((job) => employerInsurance(job, taxYear)));

  const none = { next: 0, last: 0 };
  const [job = 0] = jobs;
  const onTax = marginalIncomeTax(taxed);
  const onInsurance = pay.overPensionAge ? none : marginalInsurance(job, taxYear);
  const onLoan = marginalRepayment(job, pay.studentLoanPlans, taxYear);

  return {
    pay: { ...pay, salary: toPounds(salary), studentLoanPlans: [...new Set(pay.studentLoanPlans)] },
    gross: toPounds(gross),
    personalAllowance: toPounds(tax.allowance),
    incomeTax: toPounds(tax.tax),
    incomeTaxBands: tax.bands
      .filter(({ amount }) => amount > 0)
      .map(({ name, rate, amount, tax: due }) => ({
        name,
        rate: rate / 10_000,
        amount: toPounds(amount),
        tax: toPounds(due),
      })),
    nationalInsurance: toPounds(nationalInsurance),
    studentLoan: toPounds(studentLoan),
    repayments: merged(repaid),
    pension: toPounds(pension),
    pensionContribution: toPounds(contribution),
    takeHome: toPounds(takeHome),
    takeHomeMonthly: toPounds(Math.round(takeHome / 12)),
    effectiveRate: gross === 0 ? 0 : (tax.tax + nationalInsurance) / gross,
    marginal: {
      rate: (onTax.next + onInsurance.next + onLoan.next) / 10_000,
      incomeTax: onTax.next / 10_000,
      nationalInsurance: onInsurance.next / 10_000,
      studentLoan: onLoan.next / 10_000,
    },
    marginalRateBelow: (onTax.last + onInsurance.last + onLoan.last) / 10_000,
    employer: {
      nationalInsurance: toPounds(employerNationalInsurance),
      cost: toPounds(gross + employerNationalInsurance),
    },
  };
}

/** The same loan repaid from several jobs is one line. */
function merged(found: readonly Repayment[]): Breakdown["repayments"] {
  const lines = new Map<string, Repayment>();
  for (const one of found) {
    const key = one.plans.join();
    lines.set(key, { ...one, repayment: one.repayment + (lines.get(key)?.repayment ?? 0) });
  }
  return [...lines.values()].map((line) => ({
    ...line,
    rate: line.rate / 10_000,
    repayment: toPounds(line.repayment),
  }));
}
