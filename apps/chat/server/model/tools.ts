import { tool, zodSchema } from "ai";
import { z } from "zod";
import { grossFromNet } from "../../tax/gross-from-net.ts";
import { type PayPeriod, periodsPerYear, type WorkingWeek } from "../../tax/pay-periods.ts";
import { toPence, toPounds } from "../../tax/pence.ts";
import { nations, type Rates, ratesOf, sources, type TaxYear } from "../../tax/rates.ts";
import { latestTaxYear, taxYears } from "../../tax/tax-year.ts";
import { type Breakdown, largestSalary, type Pay, workOut } from "../../tax/work-out.ts";
import { comfortableStep, salariesBetween } from "./salary-table.ts";
import {
  breakdown,
  type HouseholdOutput,
  householdOut,
  period,
  plan,
  type SalaryForTakeHomeOutput,
  salaryForTakeHomeOut,
  type TakeHomeExtras,
  type TaxRatesOutput,
  takeHomeExtras,
  taxRatesOut,
} from "./tool-outputs.ts";

const amount = (what: string) => z.number().min(0).max(largestSalary).describe(`${what}, pounds a year`);

const salary = amount("Gross salary of the main job, from 0 to 10,000,000");

const taxYear = z
  .enum(taxYears, { error: `The tax years known are ${taxYears.join(", ")}` })
  .default(latestTaxYear)
  .describe(`Tax year, 6 April to 5 April. Without one: ${latestTaxYear}`);

const circumstances = {
  taxYear,
  nation: z
    .enum(nations)
    .default("England")
    .describe("Where the person lives, which determines the income tax system"),
  studentLoanPlans: z
    .array(plan)
    .max(5)
    .default([])
    .describe(
      'Student loan plans being repaid: 1, 2, 4, 5 and "postgrad" (the postgraduate loan, also called plan 3)',
    ),
  extras: z
    .array(z.object({ name: z.string().max(40), amount: amount("Amount") }))
    .max(8)
    .optional()
    .describe("Other pay of the same job: a bonus, overtime, a car allowance"),
  otherJobs: z.array(amount("Salary")).max(5).optional().describe("Salaries of further jobs"),
  pension: z
    .object({
      kind: z.enum(["salary sacrifice", "net pay", "relief at source"]).default("salary sacrifice"),
      share: z.number().min(0).max(1).optional().describe("Share of the salary; 0.05 is 5%"),
      amount: amount("Or the contribution").optional(),
    })
    .optional()
    .describe("The employee's contribution; with relief at source including the provider's tax relief"),
  overPensionAge: z.boolean().optional().describe("Past State Pension age: no employee's National Insurance"),
  taxCode: z
    .string()
    .max(8)
    .optional()
    .describe(
      "Tax code of an only job, unless it is 1257L: 1100L, K475, 0T, BR, D0, D1, NT. Without the prefix S or C: give the nation",
    ),
};
const pay = { salary, ...circumstances };

/** The figures that a card can show first. */
const figures = [
  "take-home",
  "income-tax",
  "national-insurance",
  "student-loan",
  "personal-allowance",
  "marginal-rate",
  "effective-rate",
  "tax-band",
  "employer",
] as const;
const outgoings = z
  .array(z.object({ name: z.string().max(40), amount: amount("Amount") }))
  .max(8)
  .optional()
  .describe("Such as rent: taken off the take-home");
const shownPeriod = {
  period: period.optional(),
  hoursPerWeek: z.number().positive().max(168).optional().describe("For pay by the hour; usually 37.5"),
  daysPerWeek: z.number().positive().max(7).optional().describe("For pay by the day; usually 5"),
  weeksPerYear: z.number().positive().max(53).optional().describe("Weeks paid in a year; usually 52"),
};

/** Creates the JSON Schema once. From a plain Zod schema, the SDK would create it again in every round. */
function inputOf<Shape extends z.ZodRawShape>(shape: Shape) {
  return zodSchema(z.object(shape));
}

/**
 * The tools for all models, including the built-in one. They are the only source of numbers in an answer. They use the
 * rates of `tax/rates.ts`. Their errors say what is supported.
 */
export const salaryTools = {
  take_home: tool({
    description:
      "Calculates one person's UK pay in full: income tax by band, National Insurance, student loan, pension, take-home, marginal and effective rate, what the employer pays. The page draws it as a card.",
    inputSchema: inputOf({
      ...pay,
      outgoings,
      shares: z
        .array(z.object({ name: z.string().max(40).optional(), share: z.number().min(0).max(1) }))
        .max(8)
        .optional()
        .describe("Shares of the take-home; 0.5 is half. One with a name, such as rent, is taken off it"),
      goal: amount("Sum to save up")
        .optional()
        .describe("Pounds to save up, from the outgoing or share called savings, or from all that is left"),
      show: z
        .object({ figure: z.enum(figures), ...shownPeriod })
        .optional()
        .describe("What the question asks for: the card shows it first"),
    }),
    outputSchema: z.intersection(breakdown, takeHomeExtras),
    execute: ({ outgoings = [], shares = [], goal, show, ...input }): Breakdown & TakeHomeExtras => {
      const output = workOut(input as Pay);
      const period = show?.period ?? "month";
      const found = shares.map(({ name, share }) => ({
        ...(name === undefined ? {} : { name }),
        share,
        period,
        amount: perPeriod(output.takeHome * share, period, weekOf(show)),
        yearly: perPeriod(output.takeHome * share, "year"),
      }));
      const spent = [
        ...outgoings.map((one) => one.amount),
        ...shares.flatMap(({ name, share }) => (name === undefined ? [] : output.takeHome * share)),
      ];
      const left = spent.reduce((rest, one) => rest - one, output.takeHome);
      const put = [
        ...outgoings.map((one) => ({ name: one.name, yearly: one.amount })),
        ...shares.map(({ name, share }) => ({ name, yearly: output.takeHome * share })),
      ].find(({ name }) => name === "savings");
      const saved = put?.yearly ?? left;
      const saving = { amount: goal ?? 0, monthly: perPeriod(saved, "month") };
      return {
        ...output,
        ...(goal === undefined
          ? {}
          : { saving: saved > 0 ? { ...saving, months: Math.ceil((goal * 12) / saved) } : saving }),
        ...(show?.period ? { shown: inPeriod(output, show.period, show) } : {}),
        ...(found.length > 0 ? { shares: found } : {}),
        ...(spent.length > 0 ? { leftMonthly: perPeriod(left, "month") } : {}),
      };
    },
  }),
  compare_salaries: tool({
    description:
      "Calculates 2 to 8 cases for comparison. They may differ in salary, tax year, nation, student loan, pension and the rest. The page draws a table.",
    inputSchema: inputOf({ cases: z.array(z.object(pay)).min(2).max(8) }),
    outputSchema: z.object({
      rows: z.array(breakdown).describe("In the order of the cases"),
      gains: z
        .array(z.number())
        .describe("The difference of each row's take-home from the first row's, in pounds a year"),
      gainsMonthly: z.array(z.number()).describe("The same, pounds a month"),
    }),
    execute: ({ cases }) => {
      const rows = cases.map((one) => workOut(one as Pay));
      const first = rows[0]?.takeHome ?? 0;
      const gains = rows.map((row) => perPeriod(row.takeHome - first, "year"));
      return { rows, gains, gainsMonthly: gains.map((gain) => perPeriod(gain, "month")) };
    },
  }),
  household: tool({
    description: "Calculates the pay of 2 to 6 people, each taxed separately, and their total take-home.",
    inputSchema: inputOf({ people: z.array(z.object(pay)).min(2).max(6), outgoings }),
    outputSchema: householdOut,
    execute: ({ people, outgoings: spent = [] }): HouseholdOutput => {
      const rows = people.map((one) => workOut(one as Pay));
      const takeHome = toPounds(rows.reduce((sum, row) => sum + toPence(row.takeHome), 0));
      const left = spent.reduce((rest, one) => rest - one.amount, takeHome);
      return {
        rows,
        takeHome,
        takeHomeMonthly: perPeriod(takeHome, "month"),
        ...(spent.length > 0 ? { leftMonthly: perPeriod(left, "month") } : {}),
      };
    },
  }),
  salary_table: tool({
    description: "Calculates every salary of a range, 2 to 60 rows. The page draws the result as a chart.",
    inputSchema: inputOf({
      from: salary,
      to: salary,
      step: z
        .number()
        .positive()
        .optional()
        .describe("Pounds between rows. Default: a step that gives about ten to twenty rows"),
      ...circumstances,
    }),
    outputSchema: z.object({ rows: z.array(breakdown), from: z.number(), to: z.number(), step: z.number() }),
    execute: ({ from, to, step = comfortableStep(from, to), ...rest }) => ({
      rows: salariesBetween(from, to, step).map((each) => workOut({ ...rest, salary: each } as Pay)),
      from,
      to,
      step,
    }),
  }),
  salary_for_take_home: tool({
    description:
      "The lowest whole-pound UK salary that leaves at least a given take-home, worked out in full. With `from`, the take-home is that of the salary now plus the sum given.",
    inputSchema: inputOf({
      takeHome: amount("Wanted take-home, or the sum on top of the take-home now"),
      from: amount("Salary now").optional(),
      show: z.object(shownPeriod).optional().describe("Also give the salary by this period"),
      ...circumstances,
    }),
    outputSchema: salaryForTakeHomeOut,
    execute: ({ takeHome, from, show, ...rest }): SalaryForTakeHomeOutput => {
      const now = from === undefined ? undefined : workOut({ ...rest, salary: from } as Pay).takeHome;
      const wanted = toPounds(toPence(takeHome) + toPence(now ?? 0));
      const found = workOut({ ...rest, salary: grossFromNet(wanted, rest as Pay) } as Pay);
      return {
        wantedTakeHome: wanted,
        wantedMonthly: perPeriod(wanted, "month"),
        ...(now === undefined ? {} : { takeHomeNow: now }),
        ...(show?.period ? { shown: inPeriod(found, show.period, show) } : {}),
        breakdown: found,
      };
    },
  }),
  tax_rates: tool({
    description:
      "Returns the published rates, bands and thresholds of one tax year, with their sources: income tax in both systems, National Insurance, student loans, minimum wage.",
    inputSchema: inputOf({ taxYear }),
    outputSchema: taxRatesOut,
    execute: ({ taxYear: year }): TaxRatesOutput => taxRates(year),
  }),
};

/** Converts pounds a year to pounds per period, to the penny. Default: 52 weeks, 260 days or 1,950 hours a year. */
function perPeriod(yearly: number, period: PayPeriod, week?: WorkingWeek): number {
  return toPounds(toPence(yearly / periodsPerYear(period, week)));
}

interface Week {
  hoursPerWeek?: number | undefined;
  daysPerWeek?: number | undefined;
  weeksPerYear?: number | undefined;
}

function weekOf({ hoursPerWeek: hours, daysPerWeek: days, weeksPerYear: weeks }: Week = {}): WorkingWeek {
  return { hours, days, weeks };
}

function inPeriod(output: Breakdown, period: PayPeriod, show: Week): NonNullable<TakeHomeExtras["shown"]> {
  const week = weekOf(show);
  const of = (yearly: number) => perPeriod(yearly, period, week);
  return {
    period,
    perYear: periodsPerYear(period, week),
    gross: of(output.gross),
    takeHome: of(output.takeHome),
    incomeTax: of(output.incomeTax),
    nationalInsurance: of(output.nationalInsurance),
    studentLoan: of(output.studentLoan),
  };
}

function taxRates(year: TaxYear): TaxRatesOutput {
  const rates = ratesOf[year];
  return {
    taxYear: year,
    personalAllowance: rates.personalAllowance,
    allowanceShrinksAbove: rates.allowanceShrinksAbove,
    bands: bandsAbove(rates, rates.bands),
    scottishBands: bandsAbove(rates, rates.scottishBands),
    employee: [
      { rate: rates.employee.rate / 10_000, above: rates.employee.from },
      { rate: rates.employee.upperRate / 10_000, above: rates.employee.upperFrom },
    ],
    employer: { rate: rates.employer.rate / 10_000, above: rates.employer.from },
    studentLoans: ([1, 2, 4, 5, "postgrad"] as const).map((each) => ({
      plan: each,
      threshold: rates.studentLoans[each].threshold,
      rate: rates.studentLoans[each].rate / 10_000,
    })),
    minimumWage: { ...rates.minimumWage },
    sources: { ...sources },
  };
}

/** Returns where each band begins, including the allowance. The last begins where no allowance is left. */
function bandsAbove({ personalAllowance }: Rates, bands: Rates["bands"]): TaxRatesOutput["bands"] {
  let above = personalAllowance;
  return bands.map(({ name, rate, upTo }) => {
    const band = { name, rate: rate / 10_000, above };
    above = upTo === null ? above : upTo + (upTo < 100_000 ? personalAllowance : 0);
    return band;
  });
}

export type SalaryTools = typeof salaryTools;
export type SalaryToolName = keyof SalaryTools;
