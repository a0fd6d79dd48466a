/**
 * UK salary arithmetic: a thin, careful layer over `@saving-tool/hmrc-income-tax`, which owns every rate and threshold.
 * It rounds to the penny, combines student loans, and steps around two oddities of the calculator (1.2.0) named below.
 * One it leaves alone: the calculator's Scottish bands begin £1 late, so Scottish tax is up to 26p a year below HMRC's.
 */
import {
  calculateEmployeeNationalInsurance,
  calculateIncomeTax,
  calculatePersonalAllowance,
  calculateStudentLoanRepayments,
  getHmrcRates,
  isScottishTaxRates,
} from "@saving-tool/hmrc-income-tax";
import type { Country, SalaryBreakdown, StudentLoanPlan, TaxYear } from "../../contract.ts";
import { taxYearsKnownFor } from "./tax-years.ts";

export const largestSalary = 10_000_000;

/** Whose salary, when and where. Pounds a year. */
export interface Circumstances {
  salary: number;
  taxYear: TaxYear;
  country: Country;
  studentLoanPlans: readonly StudentLoanPlan[];
}

/** A question that the calculator cannot answer; the message is a sentence for a person. */
export class SalaryError extends Error {
  override name = "SalaryError";
}

/** Unrounded, so that differences of a penny keep their meaning. Pounds a year. */
interface Deductions {
  incomeTax: number;
  nationalInsurance: number;
  studentLoan: number;
}

const weeksPerYear = 52;

/** Rounds pounds to the penny, half away from zero, undoing the binary noise that `salary / 52 * 52` leaves. */
export function toPenny(pounds: number): number {
  return Math.round(Number((pounds * 100).toFixed(6))) / 100;
}

/** @throws {SalaryError} naming what is out of range and what would be right. */
export function checkCircumstances({
  salary,
  taxYear,
  country,
}: Omit<Circumstances, "studentLoanPlans">): void {
  if (!Number.isFinite(salary) || salary < 0 || salary > largestSalary) {
    throw new SalaryError(`A salary is from £0 to £10,000,000 a year; got ${salary}.`);
  }
  const known = taxYearsKnownFor(country);
  if (!known.includes(taxYear)) {
    throw new SalaryError(`For ${country} the tax years known are ${known.join(", ")}; got ${taxYear}.`);
  }
}

/**
 * The plan whose threshold counts: borrowers with several undergraduate plans make one repayment of 9%, above the
 * lowest of their thresholds (https://www.gov.uk/repaying-your-student-loan/what-you-pay).
 */
function undergraduatePlanOwing({
  taxYear,
  country,
  studentLoanPlans,
}: Circumstances): StudentLoanPlan | undefined {
  const thresholds = studentLoanThresholds(taxYear, country);
  return studentLoanPlans
    .filter((plan) => plan !== "postgrad")
    .toSorted((one, other) => thresholds[one] - thresholds[other])[0];
}

function studentLoan(circumstances: Circumstances): { undergraduate: number; postgraduate: number } {
  const { salary: taxableAnnualIncome, taxYear, country, studentLoanPlans } = circumstances;
  const repayment = (studentLoanPlanNo: StudentLoanPlan | undefined) =>
    studentLoanPlanNo === undefined
      ? 0
      : calculateStudentLoanRepayments({ taxYear, country, taxableAnnualIncome, studentLoanPlanNo });
  return {
    undergraduate: repayment(undergraduatePlanOwing(circumstances)),
    postgraduate: repayment(studentLoanPlans.includes("postgrad") ? "postgrad" : undefined),
  };
}

function nationalInsurance({ salary, taxYear, country }: Circumstances): number {
  const upperThreshold = getHmrcRates({ taxYear, country }).NI_UPPER_BRACKET * weeksPerYear;
  // At exactly the upper threshold the calculator falls between its two branches and charges nothing.
  const taxableAnnualIncome = salary === upperThreshold ? salary - 1e-8 : salary;
  return calculateEmployeeNationalInsurance({ taxYear, country, taxableAnnualIncome });
}

function incomeTax({ salary: taxableAnnualIncome, taxYear, country }: Circumstances) {
  const personalAllowance = calculatePersonalAllowance({ taxYear, country, taxableAnnualIncome });
  const tax = calculateIncomeTax({ taxYear, country, taxableAnnualIncome, personalAllowance });
  return { personalAllowance, tax };
}

function deductions(circumstances: Circumstances): Deductions {
  const loan = studentLoan(circumstances);
  return {
    incomeTax: incomeTax(circumstances).tax.total,
    nationalInsurance: nationalInsurance(circumstances),
    studentLoan: loan.undergraduate + loan.postgraduate,
  };
}

/** A rate as the statute writes it: differences of pence carry binary noise, rates have at most four decimals. */
function rate(share: number): number {
  return Number(share.toFixed(4));
}

/**
 * What of the next pound earned goes where. Found from the calculator itself, by the difference that one more penny
 * makes: a whole pound would straddle a threshold and show a mixture of two rates.
 */
export function marginalRates(circumstances: Circumstances) {
  checkCircumstances(circumstances);
  const now = deductions(circumstances);
  const penny = 0.01;
  const then = deductions({ ...circumstances, salary: circumstances.salary + penny });
  const share = (name: keyof Deductions) => rate((then[name] - now[name]) / penny);
  const incomeTaxRate = share("incomeTax");
  const nationalInsuranceRate = share("nationalInsurance");
  const studentLoanRate = share("studentLoan");
  const marginalRate = rate(incomeTaxRate + nationalInsuranceRate + studentLoanRate);
  return { incomeTaxRate, nationalInsuranceRate, studentLoanRate, marginalRate };
}

/** The income-tax bands of a year and country, in the order in which income fills them. */
export function bandsOf(taxYear: TaxYear, country: Country) {
  const rates = getHmrcRates({ taxYear, country });
  if (isScottishTaxRates(rates)) {
    return [
      {
        name: "Starter rate",
        key: "starterRateTax",
        rate: rates.STARTER_RATE,
        above: rates.DEFAULT_PERSONAL_ALLOWANCE,
      },
      { name: "Basic rate", key: "basicRateTax", rate: rates.BASIC_RATE, above: rates.BASIC_BRACKET },
      {
        name: "Intermediate rate",
        key: "intermediateRateTax",
        rate: rates.INTERMEDIATE_RATE,
        above: rates.INTERMEDIATE_BRACKET,
      },
      { name: "Higher rate", key: "higherRateTax", rate: rates.HIGHER_RATE, above: rates.HIGHER_BRACKET },
      {
        name: "Advanced rate",
        key: "advancedRateTax",
        rate: rates.ADVANCED_RATE,
        above: rates.ADVANCED_BRACKET,
      },
      { name: "Top rate", key: "topRateTax", rate: rates.TOP_RATE, above: rates.TOP_BRACKET },
    ];
  }
  return [
    {
      name: "Basic rate",
      key: "basicRateTax",
      rate: rates.BASIC_RATE,
      above: rates.DEFAULT_PERSONAL_ALLOWANCE,
    },
    { name: "Higher rate", key: "higherRateTax", rate: rates.HIGHER_RATE, above: rates.HIGHER_BRACKET },
    {
      name: "Additional rate",
      key: "additionalRateTax",
      rate: rates.ADDITIONAL_RATE,
      above: rates.ADDITIONAL_BRACKET,
    },
  ];
}

/** Student loan thresholds in pounds a year, to the penny, and the shares repaid above them. */
export function studentLoanThresholds(taxYear: TaxYear, country: Country): Record<StudentLoanPlan, number> {
  const rates = getHmrcRates({ taxYear, country });
  const yearly = (weekly: number) => toPenny(weekly * weeksPerYear);
  return {
    1: yearly(rates.STUDENT_LOAN_PLAN_1_WEEKLY_THRESHOLD),
    2: yearly(rates.STUDENT_LOAN_PLAN_2_WEEKLY_THRESHOLD),
    4: yearly(rates.STUDENT_LOAN_PLAN_4_WEEKLY_THRESHOLD),
    5: yearly(rates.STUDENT_LOAN_PLAN_5_WEEKLY_THRESHOLD),
    postgrad: yearly(rates.STUDENT_LOAN_POSTGRAD_WEEKLY_THRESHOLD),
  };
}

/** The personal allowance at a salary, with what it shrinks from and where. Pounds a year. */
export function personalAllowanceAt(circumstances: Omit<Circumstances, "studentLoanPlans">) {
  checkCircumstances(circumstances);
  const { salary: taxableAnnualIncome, taxYear, country } = circumstances;
  const rates = getHmrcRates({ taxYear, country });
  return {
    personalAllowance: toPenny(calculatePersonalAllowance({ taxYear, country, taxableAnnualIncome })),
    standardAllowance: rates.DEFAULT_PERSONAL_ALLOWANCE,
    shrinksAbove: rates.PERSONAL_ALLOWANCE_DROPOFF,
  };
}

/** National Insurance at a salary, with the thresholds and rates it came from. Pounds a year. */
export function nationalInsuranceAt(circumstances: Circumstances) {
  checkCircumstances(circumstances);
  const rates = getHmrcRates(circumstances);
  return {
    nationalInsurance: toPenny(nationalInsurance(circumstances)),
    mainRate: rates.NI_MIDDLE_RATE,
    mainThreshold: toPenny(rates.NI_MIDDLE_BRACKET * weeksPerYear),
    upperRate: rates.NI_UPPER_RATE,
    upperThreshold: toPenny(rates.NI_UPPER_BRACKET * weeksPerYear),
  };
}

/** Student loan repayments at a salary: one 9% for all undergraduate plans, and 6% more for a postgraduate loan. */
export function studentLoanAt(circumstances: Circumstances) {
  checkCircumstances(circumstances);
  const rates = getHmrcRates(circumstances);
  const thresholds = studentLoanThresholds(circumstances.taxYear, circumstances.country);
  const { undergraduate, postgraduate } = studentLoan(circumstances);
  const owing = undergraduatePlanOwing(circumstances);
  const repayments: { plans: StudentLoanPlan[]; threshold: number; rate: number; repayment: number }[] = [];
  if (owing !== undefined) {
    repayments.push({
      plans: circumstances.studentLoanPlans.filter((plan) => plan !== "postgrad"),
      threshold: thresholds[owing],
      rate: rates.STUDENT_LOAN_REPAYMENT_AMOUNT,
      repayment: toPenny(undergraduate),
    });
  }
  if (circumstances.studentLoanPlans.includes("postgrad")) {
    repayments.push({
      plans: ["postgrad"],
      threshold: thresholds.postgrad,
      rate: rates.STUDENT_LOAN_REPAYMENT_AMOUNT_POSTGRAD,
      repayment: toPenny(postgraduate),
    });
  }
  return { studentLoan: toPenny(undergraduate + postgraduate), repayments };
}

/**
 * Works one salary out in full.
 * @returns pounds a year, to the penny; what is taken and what is left add up to the salary exactly.
 * @throws {SalaryError} for a salary, year or country that the calculator does not cover.
 */
export function breakDownSalary(circumstances: Circumstances): SalaryBreakdown {
  checkCircumstances(circumstances);
  const { taxYear, country } = circumstances;
  const salary = toPenny(circumstances.salary);
  const studentLoanPlans = [...new Set(circumstances.studentLoanPlans)];
  const { personalAllowance, tax } = incomeTax({ ...circumstances, salary });
  const taxByBand: Record<string, number> = tax.breakdown;
  const incomeTaxBands = bandsOf(taxYear, country)
    .map(({ name, key, rate }) => ({ name, rate, tax: toPenny(taxByBand[key] ?? 0) }))
    .filter((band) => band.tax > 0);
  const loan = studentLoan({ ...circumstances, salary });
  const parts = {
    incomeTax: toPenny(incomeTaxBands.reduce((sum, band) => sum + band.tax, 0)),
    nationalInsurance: toPenny(nationalInsurance({ ...circumstances, salary })),
    studentLoan: toPenny(loan.undergraduate + loan.postgraduate),
  };
  const takeHome = toPenny(salary - parts.incomeTax - parts.nationalInsurance - parts.studentLoan);
  return {
    salary,
    taxYear,
    country,
    studentLoanPlans,
    personalAllowance: toPenny(personalAllowance),
    incomeTax: parts.incomeTax,
    incomeTaxBands,
    nationalInsurance: parts.nationalInsurance,
    studentLoan: parts.studentLoan,
    takeHome,
    takeHomeMonthly: toPenny(takeHome / 12),
    marginalRate: marginalRates({ ...circumstances, salary }).marginalRate,
  };
}
