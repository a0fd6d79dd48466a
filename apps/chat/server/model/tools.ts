import { tool, zodSchema } from "ai";
import { z } from "zod";
import {
  bandsOf,
  breakDownSalary,
  type Circumstances,
  largestSalary,
  marginalRates,
  nationalInsuranceAt,
  personalAllowanceAt,
  studentLoanAt,
  studentLoanThresholds,
  toPenny,
} from "./salary.ts";
import { comfortableStep, salariesBetween, salaryForTakeHome } from "./salary-search.ts";
import { latestTaxYear } from "./tax-years.ts";
import {
  breakdown,
  type IncomeTaxOutput,
  incomeTaxOut,
  type MarginalRateOutput,
  marginalRateOut,
  type NationalInsuranceOutput,
  nationalInsuranceOut,
  type PayPeriodsOutput,
  type PersonalAllowanceOutput,
  payPeriodsOut,
  personalAllowanceOut,
  plan,
  type StudentLoanOutput,
  studentLoanOut,
  type TaxRatesOutput,
  taxRatesOut,
} from "./tool-outputs.ts";

const salary = z
  .number()
  .min(0)
  .max(largestSalary)
  .describe("Gross salary in pounds a year, from 0 to 10,000,000");

const taxYear = z
  .enum(["2022/23", "2023/24", "2024/25", "2025/26"], {
    error: "The tax years known are 2022/23, 2023/24, 2024/25 and 2025/26 (Scotland: 2024/25 and 2025/26)",
  })
  .default(latestTaxYear)
  .describe(`Tax year, 6 April to 5 April; Scotland is known from 2024/25 on. Without one: ${latestTaxYear}`);

const country = z
  .enum(["England/NI/Wales", "Scotland"])
  .default("England/NI/Wales")
  .describe("Where the employee is resident for tax");

const studentLoanPlans = z
  .array(plan)
  .max(5)
  .default([])
  .describe(
    'Student loan plans being repaid: 1, 2, 4, 5 and "postgrad" (the postgraduate loan, also called plan 3)',
  );

const where = { taxYear, country };
const circumstances = { salary, ...where, studentLoanPlans };

const given = ({ salary, taxYear, country }: Omit<Circumstances, "studentLoanPlans">) => ({
  salary,
  taxYear,
  country,
});

/** Described to the model once: for a bare Zod schema the SDK makes the JSON Schema anew with every round. */
function inputOf<Shape extends z.ZodRawShape>(shape: Shape) {
  return zodSchema(z.object(shape));
}

/**
 * What any model may call, the built-in one included: the only source of numbers in an answer.
 * Each computes with `@saving-tool/hmrc-income-tax` and throws a sentence that says what is supported.
 */
export const salaryTools = {
  take_home: tool({
    description:
      "Works one UK salary out in full: income tax by band, National Insurance, student loan, take-home.",
    inputSchema: inputOf(circumstances),
    outputSchema: breakdown,
    execute: (input) => breakDownSalary(input),
  }),
  compare_salaries: tool({
    description:
      "Works 2 to 8 cases out side by side. They may differ in salary, tax year, country or student loan plans.",
    inputSchema: inputOf({ cases: z.array(z.object(circumstances)).min(2).max(8) }),
    outputSchema: z.object({
      rows: z.array(breakdown).describe("In the order of the cases"),
      gains: z.array(z.number()).describe("Take-home of each row above that of the first, pounds a year"),
    }),
    execute: ({ cases }) => {
      const rows = cases.map((one) => breakDownSalary(one));
      const first = rows[0]?.takeHome ?? 0;
      return { rows, gains: rows.map((row) => toPenny(row.takeHome - first)) };
    },
  }),
  salary_table: tool({
    description: "Works out every salary of a range, 2 to 60 rows. The page draws the result as a chart.",
    inputSchema: inputOf({
      from: salary,
      to: salary,
      step: z
        .number()
        .positive()
        .optional()
        .describe("Pounds between rows; without one, a comfortable step is chosen"),
      ...where,
      studentLoanPlans,
    }),
    outputSchema: z.object({ rows: z.array(breakdown), from: z.number(), to: z.number(), step: z.number() }),
    execute: ({ from, to, step = comfortableStep(from, to), ...rest }) => ({
      rows: salariesBetween(from, to, step).map((salary) => breakDownSalary({ ...rest, salary })),
      from,
      to,
      step,
    }),
  }),
  income_tax: tool({
    description: "Income tax on one UK salary, by band.",
    inputSchema: inputOf({ salary, ...where }),
    outputSchema: incomeTaxOut,
    execute: (input): IncomeTaxOutput => {
      const { personalAllowance, incomeTax, incomeTaxBands } = breakDownSalary({
        ...input,
        studentLoanPlans: [],
      });
      return { ...given(input), personalAllowance, incomeTax, incomeTaxBands };
    },
  }),
  national_insurance: tool({
    description: "Employee's National Insurance (class 1, category A) on one UK salary.",
    inputSchema: inputOf({ salary, ...where }),
    outputSchema: nationalInsuranceOut,
    execute: (input): NationalInsuranceOutput => ({
      ...given(input),
      ...nationalInsuranceAt({ ...input, studentLoanPlans: [] }),
    }),
  }),
  personal_allowance: tool({
    description: "The income-tax personal allowance at one UK salary; it shrinks above £100,000.",
    inputSchema: inputOf({ salary, ...where }),
    outputSchema: personalAllowanceOut,
    execute: (input): PersonalAllowanceOutput => ({ ...given(input), ...personalAllowanceAt(input) }),
  }),
  student_loan: tool({
    description: "Student loan repayments on one UK salary, for one or several plans.",
    inputSchema: inputOf({ ...circumstances, studentLoanPlans: studentLoanPlans.unwrap().min(1) }),
    outputSchema: studentLoanOut,
    execute: (input): StudentLoanOutput => {
      const plans = [...new Set(input.studentLoanPlans)];
      return {
        ...given(input),
        studentLoanPlans: plans,
        ...studentLoanAt({ ...input, studentLoanPlans: plans }),
      };
    },
  }),
  marginal_rate: tool({
    description: "What of the next pound earned goes in income tax, National Insurance and student loan.",
    inputSchema: inputOf(circumstances),
    outputSchema: marginalRateOut,
    execute: (input): MarginalRateOutput => ({
      ...given(input),
      studentLoanPlans: input.studentLoanPlans,
      ...marginalRates(input),
    }),
  }),
  pay_periods: tool({
    description: "One UK salary and its take-home by month, four weeks and week.",
    inputSchema: inputOf(circumstances),
    outputSchema: payPeriodsOut,
    execute: (input): PayPeriodsOutput => {
      const { salary, takeHome, studentLoanPlans } = breakDownSalary(input);
      const period = (name: "month" | "four weeks" | "week", perYear: number) => ({
        period: name,
        gross: toPenny(salary / perYear),
        takeHome: toPenny(takeHome / perYear),
      });
      return {
        ...given(input),
        studentLoanPlans,
        takeHome,
        periods: [period("month", 12), period("four weeks", 13), period("week", 52)],
      };
    },
  }),
  salary_for_take_home: tool({
    description:
      "The lowest whole-pound UK salary that leaves at least a given take-home, worked out in full.",
    inputSchema: inputOf({
      takeHome: z.number().min(0).max(largestSalary).describe("Wanted take-home in pounds a year"),
      ...where,
      studentLoanPlans,
    }),
    outputSchema: z.object({ wantedTakeHome: z.number(), breakdown }),
    execute: ({ takeHome, ...rest }) => ({
      wantedTakeHome: takeHome,
      breakdown: breakDownSalary({ ...rest, salary: salaryForTakeHome(takeHome, rest) }),
    }),
  }),
  tax_rates: tool({
    description: "The rates, bands and thresholds of one tax year and country.",
    inputSchema: inputOf(where),
    outputSchema: taxRatesOut,
    execute: ({ taxYear, country }): TaxRatesOutput => {
      const allowance = personalAllowanceAt({ salary: 0, taxYear, country });
      const insurance = nationalInsuranceAt({ salary: 0, taxYear, country, studentLoanPlans: [] });
      const thresholds = studentLoanThresholds(taxYear, country);
      return {
        taxYear,
        country,
        personalAllowance: allowance.standardAllowance,
        personalAllowanceShrinksAbove: allowance.shrinksAbove,
        incomeTaxBands: bandsOf(taxYear, country).map(({ name, rate, above }) => ({ name, rate, above })),
        nationalInsurance: [
          { rate: insurance.mainRate, above: insurance.mainThreshold },
          { rate: insurance.upperRate, above: insurance.upperThreshold },
        ],
        studentLoans: ([1, 2, 4, 5, "postgrad"] as const).map((plan) => ({
          plan,
          threshold: thresholds[plan],
        })),
      };
    },
  }),
};

export type SalaryTools = typeof salaryTools;
export type SalaryToolName = keyof SalaryTools;
