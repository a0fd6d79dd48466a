/** What the salary tools give back, described for models and checked in tests. */
import { z } from "zod";
import type { SalaryBreakdown } from "../../contract.ts";

export const plan = z.literal([1, 2, 4, 5, "postgrad"]);

const circumstancesOut = {
  salary: z.number(),
  taxYear: z.enum(["2022/23", "2023/24", "2024/25", "2025/26"]),
  country: z.enum(["England/NI/Wales", "Scotland"]),
};
const pounds = (what: string) => z.number().describe(`${what}, pounds a year`);
const share = (what: string) => z.number().describe(`${what}; 0.42 is 42%`);
const bands = z.array(z.object({ name: z.string(), rate: share("Rate"), tax: pounds("Tax in this band") }));

export const breakdown: z.ZodType<SalaryBreakdown> = z
  .object({
    ...circumstancesOut,
    studentLoanPlans: z.array(plan),
    personalAllowance: pounds("Income that is free of income tax"),
    incomeTax: pounds("Income tax"),
    incomeTaxBands: bands,
    nationalInsurance: pounds("Employee's National Insurance"),
    studentLoan: pounds("Student loan repayments"),
    takeHome: pounds("What is left"),
    takeHomeMonthly: z.number().describe("What is left, pounds a month"),
    marginalRate: share("What of the next pound is not taken home"),
  })
  .describe("One salary worked out in full");

export const incomeTaxOut = z.object({
  ...circumstancesOut,
  personalAllowance: pounds("Personal allowance"),
  incomeTax: pounds("Income tax"),
  incomeTaxBands: bands,
});

export const nationalInsuranceOut = z.object({
  ...circumstancesOut,
  nationalInsurance: pounds("Employee's National Insurance, class 1 category A"),
  mainRate: share("Rate between the thresholds"),
  mainThreshold: pounds("Where contributions begin"),
  upperRate: share("Rate above the upper threshold"),
  upperThreshold: pounds("Upper threshold"),
});

export const personalAllowanceOut = z.object({
  ...circumstancesOut,
  personalAllowance: pounds("Personal allowance at this salary"),
  standardAllowance: pounds("Personal allowance before it shrinks"),
  shrinksAbove: pounds("Income above which it shrinks by £1 for every £2"),
});

export const studentLoanOut = z.object({
  ...circumstancesOut,
  studentLoanPlans: z.array(plan),
  studentLoan: pounds("All repayments"),
  repayments: z.array(
    z.object({
      plans: z.array(plan),
      threshold: pounds("Income above which it is repaid"),
      rate: share("Share of income above the threshold"),
      repayment: pounds("Repayment"),
    }),
  ),
});

export const marginalRateOut = z.object({
  ...circumstancesOut,
  studentLoanPlans: z.array(plan),
  marginalRate: share("What of the next pound is not taken home"),
  incomeTaxRate: share("Of it, income tax"),
  nationalInsuranceRate: share("Of it, National Insurance"),
  studentLoanRate: share("Of it, student loan"),
});

export const payPeriodsOut = z.object({
  ...circumstancesOut,
  studentLoanPlans: z.array(plan),
  takeHome: pounds("Take-home"),
  periods: z.array(
    z.object({
      period: z.enum(["month", "four weeks", "week"]),
      gross: z.number().describe("Pay before deductions, pounds a period"),
      takeHome: z.number().describe("Pay after deductions, pounds a period"),
    }),
  ),
});

export const taxRatesOut = z.object({
  taxYear: circumstancesOut.taxYear,
  country: circumstancesOut.country,
  personalAllowance: pounds("Personal allowance before it shrinks"),
  personalAllowanceShrinksAbove: pounds("Income above which it shrinks"),
  incomeTaxBands: z.array(
    z.object({ name: z.string(), rate: share("Rate"), above: pounds("Income where it begins") }),
  ),
  nationalInsurance: z.array(z.object({ rate: share("Rate"), above: pounds("Income where it begins") })),
  studentLoans: z.array(z.object({ plan, threshold: pounds("Threshold") })),
});

export type IncomeTaxOutput = z.infer<typeof incomeTaxOut>;
export type NationalInsuranceOutput = z.infer<typeof nationalInsuranceOut>;
export type PersonalAllowanceOutput = z.infer<typeof personalAllowanceOut>;
export type StudentLoanOutput = z.infer<typeof studentLoanOut>;
export type MarginalRateOutput = z.infer<typeof marginalRateOut>;
export type PayPeriodsOutput = z.infer<typeof payPeriodsOut>;
export type TaxRatesOutput = z.infer<typeof taxRatesOut>;
