/** The outputs of the tools, described for models and checked in tests. */
import { z } from "zod";
import { nations, type StudentLoanPlan } from "../../tax/rates.ts";
import { taxYears } from "../../tax/tax-year.ts";
import type { Breakdown } from "../../tax/work-out.ts";

export const plan = z.literal([1, 2, 4, 5, "postgrad"] satisfies StudentLoanPlan[]);
const pounds = (what: string) => z.number().describe(`${what}, pounds a year`);
const share = (what: string) => z.number().describe(`${what}; 0.42 is 42%`);

const pay = z.object({
  salary: pounds("Salary"),
  taxYear: z.enum(taxYears),
  nation: z.enum(nations),
  studentLoanPlans: z.array(plan),
  extras: z.array(z.object({ name: z.string(), amount: pounds("Amount") })).optional(),
  otherJobs: z.array(pounds("Salary of another job")).optional(),
  pension: z
    .object({
      kind: z.enum(["salary sacrifice", "net pay", "relief at source"]),
      share: share("Share of the salary").optional(),
      amount: pounds("Contribution").optional(),
    })
    .optional(),
  overPensionAge: z.boolean().optional(),
  taxCode: z.string().optional(),
});

export const breakdown: z.ZodType<Breakdown> = z
  .object({
    pay: pay.describe("What was worked out"),
    gross: pounds("All pay before anything is taken"),
    personalAllowance: pounds("Income that is free of income tax"),
    incomeTax: pounds("Income tax"),
    incomeTaxBands: z.array(
      z.object({
        name: z.string(),
        rate: share("Rate"),
        amount: pounds("Income in this band"),
        tax: pounds("Tax in this band"),
      }),
    ),
    nationalInsurance: pounds("Employee's National Insurance"),
    studentLoan: pounds("Student loan repayments"),
    repayments: z.array(
      z.object({
        plans: z.array(plan),
        threshold: pounds("Pay above which it is repaid"),
        rate: share("Share of the pay above"),
        repayment: pounds("Repayment"),
      }),
    ),
    pension: pounds("What the pension takes from pay"),
    pensionContribution: pounds("What goes into the pension"),
    takeHome: pounds("What is left"),
    takeHomeMonthly: z.number().describe("What is left, pounds a month"),
    effectiveRate: share("Income tax and National Insurance as a share of gross"),
    marginal: z
      .object({
        rate: share("In all"),
        incomeTax: share("Income tax"),
        nationalInsurance: share("National Insurance"),
        studentLoan: share("Student loan"),
      })
      .describe("The part of the next pound that is not taken home"),
    marginalRateBelow: share("The part of the last pound that is not taken home"),
    employer: z.object({
      nationalInsurance: pounds("Employer's National Insurance"),
      cost: pounds("Pay and employer's National Insurance"),
    }),
  })
  .describe("One person's pay worked out in full");

export const period = z.enum(["hour", "day", "week", "fortnight", "four weeks", "month", "quarter", "year"]);

const shown = z
  .object({
    period,
    perYear: z.number().describe("How many periods are in a year"),
    gross: z.number(),
    takeHome: z.number(),
    incomeTax: z.number(),
    nationalInsurance: z.number(),
    studentLoan: z.number(),
  })
  .optional()
  .describe("The figures by the period asked for");
const leftMonthly = z.number().optional().describe("Take-home less outgoings, pounds a month");

export const takeHomeExtras = z.object({
  shown,
  shares: z
    .array(
      z.object({
        name: z.string().optional(),
        share: share("Share of the take-home"),
        period,
        amount: z.number().describe("Pounds a period"),
        yearly: pounds("The same"),
      }),
    )
    .optional(),
  leftMonthly,
  saving: z
    .object({
      amount: pounds("Sum to save up").describe("Pounds to save up"),
      monthly: z.number().describe("Saved, pounds a month"),
      months: z.number().optional().describe("Whole months until it is saved, without interest"),
    })
    .optional(),
});
export type TakeHomeExtras = z.infer<typeof takeHomeExtras>;

export const householdOut = z.object({
  rows: z.array(breakdown),
  takeHome: z.number(),
  takeHomeMonthly: z.number(),
  leftMonthly,
});
export type HouseholdOutput = z.infer<typeof householdOut>;

export const salaryForTakeHomeOut = z.object({
  wantedTakeHome: z.number(),
  wantedMonthly: z.number(),
  takeHomeNow: pounds("Take-home of the salary now").optional(),
  shown,
  breakdown,
});
export type SalaryForTakeHomeOutput = z.infer<typeof salaryForTakeHomeOut>;

const bands = z.array(
  z.object({
    name: z.string(),
    rate: share("Rate"),
    above: pounds("Income where it begins, allowance included"),
  }),
);

export const taxRatesOut = z.object({
  taxYear: z.enum(taxYears),
  personalAllowance: pounds("Personal allowance"),
  allowanceShrinksAbove: pounds("Income above which it shrinks by £1 for every £2"),
  bands: bands.describe("England, Wales and Northern Ireland"),
  scottishBands: bands,
  employee: z.array(z.object({ rate: share("Rate"), above: pounds("Pay where it begins") })),
  employer: z.object({ rate: share("Rate"), above: pounds("Pay where it begins") }),
  studentLoans: z.array(
    z.object({
      plan,
      threshold: pounds("Threshold; null where nothing was due").nullable(),
      rate: share("Rate"),
    }),
  ),
  minimumWage: z.object({
    from21: z.number().describe("Pounds an hour"),
    from18: z.number(),
    under18: z.number(),
    apprentice: z.number(),
  }),
  sources: z.record(z.string(), z.string()),
});

export type TaxRatesOutput = z.infer<typeof taxRatesOut>;
