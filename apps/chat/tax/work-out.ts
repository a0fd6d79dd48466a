/**
 * Works out one person's pay for a year by the annual method. Inputs and outputs are in pounds, calculations in pence.
 */
import { incomeTax, marginalIncomeTax } from "./income-tax.ts";
import { employeeInsurance, employerInsurance, marginalInsurance } from "./national-insurance.ts";
import { shareOf, toPence, toPounds } from "./pence.ts";
import { type Nation, nations, type StudentLoanPlan, type TaxYear } from "./rates.ts";
import { marginalRepayment, type Repayment, repayments } from "./student-loan.ts";
import { taxCodeOf, taxCodeProblem } from "./tax-code.ts";
import { isKnownTaxYear, taxYears } from "./tax-year.ts";

export const largestSalary = 10_000_000;

export type PensionKind = "salary sacrifice" | "net pay" | "relief at source";

export interface Pension {
  kind: PensionKind;
  /**
   * The contribution: a share of the salary (0.05 is 5%), or pounds a year. With relief at source, it includes the
   * relief.
   */
  share?: number | undefined;
  amount?: number | undefined;
}

/** A person's pay and circumstances. Amounts are in pounds a year. */
export interface Pay {
  salary: number;
  taxYear: TaxYear;
  nation: Nation;
  studentLoanPlans: StudentLoanPlan[];
  /** Other pay of the same job, such as a bonus, overtime or a car allowance. */
  extras?: { name: string; amount: number }[] | undefined;
  /** The salaries of further jobs. */
  otherJobs?: number[] | undefined;
  pension?: Pension | undefined;
  /** Whether the person is over State Pension age and pays no employee's National Insurance. */
  overPensionAge?: boolean | undefined;
  /** The tax code of the only job, without the prefix of the nation: "1100L", "K475", "BR". Usually 1257L. */
  taxCode?: string | undefined;
}

/** The result in pounds a year, to the penny. Deductions and take-home add up to `gross` exactly. */
export interface Breakdown {
  pay: Pay;
  /** All pay before deductions. */
  gross: number;
  personalAllowance: number;
  incomeTax: number;
  /** Income tax by band, lowest band first. Bands without income are left out. A `rate` of 0.2 is 20%. */
  incomeTaxBands: { name: string; rate: number; amount: number; tax: number }[];
  nationalInsurance: number;
  studentLoan: number;
  repayments: { plans: StudentLoanPlan[]; threshold: number; rate: number; repayment: number }[];
  /** The deduction from pay. With relief at source, it is 80% of the contribution; the provider claims the rest. */
  pension: number;
  /** The contribution to the pension. */
  pensionContribution: number;
  takeHome: number;
  takeHomeMonthly: number;
  /** Income tax and National Insurance as a share of `gross`. */
  effectiveRate: number;
  /** The deductions from the next pound of pay. 0.42 is 42%. */
  marginal: { rate: number; incomeTax: number; nationalInsurance: number; studentLoan: number };
  /** The rate of the deductions from the last pound. It differs from `marginal.rate` only where a band begins. */
  marginalRateBelow: number;
  /** The employer's National Insurance, and the total cost, without the employer's pension contribution. */
  employer: { nationalInsurance: number; cost: number };
}

/** The error of pay that cannot be worked out. The message is for the user. */
export class PayError extends Error {
  override name = "PayError";
}

function checkAmount(amount: number, what: string): void {
  if (Number.isFinite(amount) && amount >= 0 && amount <= largestSalary) return;
  throw new PayError(`${what} is from £0 to £10,000,000 a year; got ${amount}.`);
}

/** @throws {PayError} with the value that is out of range, and the range */
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
  // A bonus can be given up too.
  const whole = (pay.extras ?? []).reduce((sum, extra) => sum + extra.amount, pay.salary);
  if (amount > whole) {
    throw new PayError(`A pension contribution of £${amount} is more than the pay of £${whole}.`);
  }
  if (pay.taxCode === undefined) return;
  const problem = taxCodeProblem(pay.taxCode, pay.nation);
  if (problem !== undefined) throw new PayError(problem);
  if ((pay.otherJobs ?? []).length > 0)
    throw new PayError(
      `Tax code ${pay.taxCode} is for one job. Leave it out to work out several jobs together.`,
    );
}

/** The employee's share of a contribution under relief at source. The provider claims the basic rate. */
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
  const taxCode = pay.taxCode === undefined ? undefined : taxCodeOf(pay.taxCode, nation);
  // If there is a tax code, it includes relief above the basic rate.
  const widening = taxCode ? 0 : reliefAtSource;
  const taxed = { income: gross - sacrificed - deducted, nation, taxYear, reliefAtSource: widening, taxCode };
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
    personalAllowance: Math.max(0, toPounds(tax.allowance)),
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

/** Merges repayments of the same loan from several jobs. */
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
