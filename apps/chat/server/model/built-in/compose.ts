/**
 * Turns the results of tools into the text of an answer. The page shows a card, a table or a chart of the result, so the
 * text only gives the requested figure and details that the page does not show. All figures come from a tool or from the
 * question.
 */
import { type PayPeriod, periodsPerYear } from "../../../tax/pay-periods.ts";
import { toPence, toPounds } from "../../../tax/pence.ts";
import { usualTaxCode } from "../../../tax/tax-code.ts";
import type { Breakdown, Pay } from "../../../tax/work-out.ts";
import type {
  HouseholdOutput,
  SalaryForTakeHomeOutput,
  TakeHomeExtras,
  TaxRatesOutput,
} from "../tool-outputs.ts";
import type { Figure } from "./facts.ts";
import type { Sum } from "./understand.ts";
import { list, percent, planNames, pounds, roundPercent, table } from "./wording.ts";

export interface ToolResult {
  tool: string;
  output: unknown;
}

/** Returns the answer to a calculation, in Markdown, from the result of its tool. */
export function compose(sum: Sum, { tool, output }: ToolResult): string {
  const paragraphs = leads(sum, tool, output);
  return [
    ...(sum.first ? [sum.first] : []),
    ...paragraphs,
    ...(sum.notes.length > 0 ? [sum.notes.join(" ")] : []),
  ].join("\n\n");
}

// The output schemas of the tools guarantee these types.
function leads(sum: Sum, tool: string, output: unknown): string[] {
  switch (tool) {
    case "compare_salaries":
      return comparison(output as Comparison, sum);
    case "household":
      return household(output as HouseholdOutput, sum);
    case "salary_table":
      return salaryTable(output as { rows: Breakdown[] });
    case "salary_for_take_home":
      return salaryForTakeHome(output as SalaryForTakeHomeOutput, sum);
    case "tax_rates":
      return taxRates(output as TaxRatesOutput, sum);
    default: {
      const result = output as Result;
      return [
        ...figuresOf(sum).map((figure) => single[figure](result) + shareOf(figure, sum, result)),
        ...shares(result, sum),
        ...outgoings(result, sum),
        ...saving(result),
      ];
    }
  }
}

type Result = Breakdown & TakeHomeExtras;
interface Comparison {
  rows: Breakdown[];
  gains: number[];
  gainsMonthly: number[];
}
/** At most three: the rest is in the card. */
function figuresOf({ figures }: Sum): Figure[] {
  const deductions = figures.filter((figure) => figure !== "take-home");
  const all = figures.includes("take-home") ? ["take-home" as const, ...deductions] : figures;
  return [...new Set(all)].slice(0, 3);
}

const inWords: Record<PayPeriod, string> = {
  hour: "an hour",
  day: "a day",
  week: "a week",
  fortnight: "a fortnight",
  "four weeks": "every four weeks",
  month: "a month",
  quarter: "a quarter",
  year: "a year",
};

/** "£45,000", with its parts: "£49,500 (£45,000 + bonus £4,500)". */
function payWords({ pay, gross }: Breakdown): string {
  const extras = (pay.extras ?? []).map(({ name, amount }) => `${name} ${pounds(amount)}`);
  const jobs = pay.otherJobs ?? [];
  if (extras.length === 0 && jobs.length === 0) return pounds(pay.salary);
  return `${pounds(gross)} (${[pounds(pay.salary), ...jobs.map(pounds), ...extras].join(" + ")})`;
}

/** The circumstances of a figure: year, nation unless it is England, loans and pension. */
function basis({ pay, pensionContribution }: Breakdown): string {
  return `(${[
    pay.taxYear,
    ...(pay.nation === "England" ? [] : [pay.nation]),
    ...(pay.studentLoanPlans.length > 0 ? [planNames(pay.studentLoanPlans)] : []),
    ...(pay.pension ? [`${pounds(pensionContribution)} into the pension by ${pay.pension.kind}`] : []),
    ...(pay.taxCode ? [`tax code ${pay.taxCode}`] : []),
  ].join(", ")})`;
}

const count = new Intl.NumberFormat("en-GB");

function by(figure: "incomeTax" | "nationalInsurance" | "studentLoan", { shown }: Result): string {
  return shown === undefined || shown.period === "year"
    ? ""
    : `, ${pounds(shown[figure])} ${inWords[shown.period]}`;
}

/** ", counting 1,950 hours": how many of the period are in a year. */
function counting({ period, perYear }: NonNullable<TakeHomeExtras["shown"]>): string {
  const unit = period === "day" ? "working days" : "hours";
  return /day|hour/.test(period) ? `, counting ${count.format(perYear)} ${unit}` : "";
}

const single: Record<Figure, (result: Result) => string> = {
  "take-home": (result) => {
    const { takeHome, takeHomeMonthly, shown } = result;
    const lead = `On ${payWords(result)} you take home`;
    const loan =
      result.pay.studentLoanPlans.length > 0 && result.studentLoan === 0 ? ` ${noRepayment(result)}` : "";
    if (shown === undefined || shown.period === "year") {
      return `${lead} **${pounds(takeHome)}** a year, ${pounds(takeHomeMonthly)} a month ${basis(result)}.${loan}`;
    }
    return `${lead} **${pounds(shown.takeHome)} ${inWords[shown.period]}**${counting(shown)}, of ${pounds(shown.gross)} before deductions; ${pounds(takeHome)} a year ${basis(result)}.${loan}`;
  },
  deductions: (result) => {
    const { gross, takeHome, shown, pension } = result;
    const parts = [
      `income tax ${pounds(result.incomeTax)}`,
      `National Insurance ${pounds(result.nationalInsurance)}`,
      ...(result.studentLoan > 0 ? [`student loan ${pounds(result.studentLoan)}`] : []),
      ...(pension > 0 ? [`pension ${pounds(pension)}`] : []),
    ];
    const less = (all: number, kept: number) => pounds(toPounds(toPence(all) - toPence(kept)));
    const month =
      shown && shown.period !== "year"
        ? `, ${less(shown.gross, shown.takeHome)} ${inWords[shown.period]}`
        : "";
    return `On ${payWords(result)} **${less(gross, takeHome)}** a year goes in deductions${month}: ${list(parts)} ${basis(result)}.`;
  },
  "income-tax": (result) =>
    `On ${payWords(result)} income tax is **${pounds(result.incomeTax)}** a year${by("incomeTax", result)} ${basis(result)}.`,
  "national-insurance": (result) => {
    const why = result.pay.overPensionAge
      ? " Past State Pension age an employee pays none."
      : (result.pay.otherJobs ?? []).length > 0
        ? " Each job has its own threshold."
        : "";
    return `On ${payWords(result)} National Insurance is **${pounds(result.nationalInsurance)}** a year${by("nationalInsurance", result)} ${basis(result)}.${why}`;
  },
  "student-loan": (result) => {
    if (result.studentLoan === 0)
      return `On ${payWords(result)} the student loan takes **£0** ${basis(result)}. ${noRepayment(result)}`.trim();
    const parts = result.repayments.map(
      ({ plans, threshold, rate }) =>
        `${planNames(plans)}: ${percent(rate)} of pay above ${pounds(threshold)}`,
    );
    return `On ${payWords(result)} student loan repayments are **${pounds(result.studentLoan)}** a year${by("studentLoan", result)} ${basis(result)}. ${parts.join("; ")}.`;
  },
  "personal-allowance": (result) => {
    const why =
      result.pay.salary > 100_000 && !result.pay.taxCode
        ? " It shrinks by £1 for every £2 above £100,000."
        : "";
    return `On ${payWords(result)} the personal allowance is **${pounds(result.personalAllowance)}** ${basis(result)}.${why}`;
  },
  "marginal-rate": (result) => {
    const { marginal, marginalRateBelow } = result;
    const parts = [
      `income tax ${percent(marginal.incomeTax)}`,
      `National Insurance ${percent(marginal.nationalInsurance)}`,
      ...(result.pay.studentLoanPlans.length > 0 ? [`student loan ${percent(marginal.studentLoan)}`] : []),
    ];
    const isEdge = marginalRateBelow !== marginal.rate;
    return `On ${payWords(result)} the marginal rate is **${percent(marginal.rate)}**${isEdge ? " from here on" : ""}: of the next pound, ${list(parts)} ${basis(result)}.${isEdge ? ` Below it is ${percent(marginalRateBelow)}.` : ""}`;
  },
  "effective-rate": (result) => {
    const taken = Math.round((result.incomeTax + result.nationalInsurance) * 100) / 100;
    return `On ${payWords(result)}, **${roundPercent(result.effectiveRate)}** goes in income tax and National Insurance: ${pounds(taken)} a year ${basis(result)}. Of the next pound ${percent(result.marginal.rate)} goes.`;
  },
  "taxable-income": (result) => {
    const taxable = toPounds(result.incomeTaxBands.reduce((sum, { amount }) => sum + toPence(amount), 0));
    return `On ${payWords(result)} the taxable income is **${pounds(taxable)}** a year: what is above the personal allowance of ${pounds(result.personalAllowance)} ${basis(result)}.`;
  },
  gross: (result) => {
    const { gross, takeHome, shown } = result;
    if (shown === undefined || shown.period === "year")
      return `The pay before deductions is **${pounds(gross)}** a year; you take home ${pounds(takeHome)} ${basis(result)}.`;
    return `On ${payWords(result)} the pay before deductions is **${pounds(shown.gross)} ${inWords[shown.period]}**${counting(shown)}; you take home ${pounds(shown.takeHome)} ${inWords[shown.period]} ${basis(result)}.`;
  },
  pension: (result) => {
    const { pensionContribution } = result;
    return `On ${payWords(result)} **${pounds(toPounds(Math.round(toPence(pensionContribution) / 12)))} a month**, ${pounds(pensionContribution)} a year, goes into the pension ${basis(result)}.`;
  },
  "tax-band": (result) => {
    const band = result.incomeTaxBands.at(-1);
    if (band === undefined && result.pay.taxCode)
      return `On ${payWords(result)} no income tax is due ${basis(result)}.`;
    if (band === undefined)
      return `On ${payWords(result)} no income tax is due: that is within the personal allowance of ${pounds(result.personalAllowance)} ${basis(result)}.`;
    const part = result.incomeTaxBands.length === 1 ? "" : "the last ";
    return `On ${payWords(result)} you are ${/^[AI]/.test(band.name) ? "an" : "a"} **${band.name.toLowerCase()}** taxpayer: ${percent(band.rate)} is due on ${part}${pounds(band.amount)} of it ${basis(result)}.${byBand(result)}`;
  },
  employer: (result) => {
    const { nationalInsurance, cost } = result.employer;
    return `On ${payWords(result)} the employer pays **${pounds(nationalInsurance)}** of National Insurance on top: ${pounds(cost)} a year in all ${basis(result)}. Pension contributions of its own, levies and allowances are not in it.`;
  },
};

/** " By band: £37,700 at 20% and £9,730 at 40%." */
function byBand({ incomeTaxBands }: Breakdown): string {
  if (incomeTaxBands.length < 2) return "";
  return ` By band: ${list(incomeTaxBands.map(({ amount, rate }) => `${pounds(amount)} at ${percent(rate)}`))}.`;
}

/** "What percentage of 40k is National Insurance": the share of that deduction alone. */
function shareOf(figure: Figure, { figures }: Sum, result: Result): string {
  const part = figure === "national-insurance" ? result.nationalInsurance : result.incomeTax;
  const isAsked = figure === "national-insurance" || figure === "income-tax";
  if (!isAsked || !figures.includes("effective-rate") || result.gross === 0) return "";
  return ` That is ${roundPercent(part / result.gross)} of ${pounds(result.gross)}.`;
}

function noRepayment({ repayments }: Breakdown): string {
  const [first] = repayments;
  return first
    ? `The loan takes £0: the threshold is ${pounds(first.threshold)}.`
    : "The loan takes £0: no repayment was due in that year.";
}

/** "A third of the take-home is £877.77 a month", "Half of the take-home, for the rent, is £1,046.65 a month". */
function shares({ shares: found = [] }: Result, sum: Sum): string[] {
  return found.map(({ name, period, amount, yearly }, at) => {
    const words = sum.shares[at]?.words ?? "";
    const lead = `${capital(words)} of the take-home${name ? `, for the ${name},` : ""} is`;
    const year = period === "year" ? "" : `, ${pounds(yearly)} a year`;
    return `${lead} **${pounds(amount)}** ${inWords[period]}${year}.`;
  });
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function outgoings({ leftMonthly, shares: of = [] }: TakeHomeExtras, { request }: Sum): string[] {
  if (leftMonthly === undefined) return [];
  const { outgoings: sums = [] } = request.input as { outgoings?: { name: string }[] };
  const names = [...of, ...sums].flatMap(({ name }) => name ?? []);
  return [`After the ${list(names)}, **${pounds(leftMonthly)}** a month is left.`];
}

function saving({ saving: of }: TakeHomeExtras): string[] {
  if (of === undefined) return [];
  const { amount, monthly, months } = of;
  if (months === undefined) return [`Nothing is left to save up ${pounds(amount)}.`];
  return [
    `Saving ${pounds(monthly)} a month, you have ${pounds(amount)} after **${months} months** (without interest).`,
  ];
}

function salaryForTakeHome(
  { breakdown, wantedTakeHome, wantedMonthly, takeHomeNow, shown }: SalaryForTakeHomeOutput,
  sum: Sum,
): string[] {
  const by = shown ? `, ${pounds(shown.gross)} ${inWords[shown.period]}${counting(shown)}` : "";
  const now =
    takeHomeNow === undefined
      ? ""
      : ` That is ${pounds(takeHomeNow)}, the take-home now, and ${pounds(toPounds(toPence(wantedTakeHome) - toPence(takeHomeNow)))} more.`;
  return [
    `To take home ${pounds(wantedTakeHome)} a year, ${pounds(wantedMonthly)} a month, you need a salary of **${pounds(breakdown.pay.salary)}**${by} ${basis(breakdown)}.${now}`,
    // "if my net is 2k a month, how much tax did I pay"
    ...figuresOf(sum)
      .filter((figure) => figure !== "take-home" && figure !== "gross")
      .map((figure) => single[figure](breakdown)),
  ];
}

function pensionWords({ pay, pensionContribution }: Breakdown): string {
  return pay.pension ? `${pounds(pensionContribution)} into the pension` : "no pension";
}

/** The differences between the rows of a comparison. */
function labels(rows: readonly Breakdown[]): string[] {
  const differs = (of: (pay: Pay) => unknown) =>
    new Set(rows.map(({ pay }) => JSON.stringify(of(pay)))).size > 1;
  const salary = differs((pay) => pay.salary);
  const nation = differs((pay) => pay.nation);
  const taxYear = differs((pay) => pay.taxYear);
  const plans = differs((pay) => pay.studentLoanPlans);
  const pension = differs((pay) => pay.pension);
  const taxCode = differs((pay) => pay.taxCode);
  return rows.map((row) => {
    const { pay } = row;
    const parts = [
      ...(salary ? [payWords(row)] : []),
      ...(nation ? [pay.nation] : []),
      ...(taxYear ? [pay.taxYear] : []),
      ...(plans
        ? [pay.studentLoanPlans.length > 0 ? planNames(pay.studentLoanPlans) : "no student loan"]
        : []),
      ...(pension ? [pensionWords(row)] : []),
      ...(taxCode ? [`tax code ${pay.taxCode ?? usualTaxCode}`] : []),
    ];
    return parts.length > 0 ? parts.join(", ") : pounds(pay.salary);
  });
}

const figureOf: Partial<
  Record<Figure, { name: string; read: (row: Breakdown) => number; write: (value: number) => string }>
> = {
  "personal-allowance": { name: "Personal allowance", read: (row) => row.personalAllowance, write: pounds },
  "marginal-rate": { name: "Marginal rate", read: (row) => row.marginal.rate, write: percent },
  "effective-rate": { name: "Effective rate", read: (row) => row.effectiveRate, write: roundPercent },
  "income-tax": { name: "Income tax", read: (row) => row.incomeTax, write: pounds },
  "national-insurance": { name: "National Insurance", read: (row) => row.nationalInsurance, write: pounds },
  "student-loan": { name: "Student loan repayment", read: (row) => row.studentLoan, write: pounds },
  employer: {
    name: "Employer's National Insurance",
    read: (row) => row.employer.nationalInsurance,
    write: pounds,
  },
};

/** ", £12.34 a week": a yearly sum by the period asked for, if it is neither a year nor a month. */
function alsoBy(yearly: number, { shownBy }: Sum): string {
  if (shownBy === undefined || shownBy === "year" || shownBy === "month") return "";
  return `, ${pounds(toPounds(Math.round(toPence(Math.abs(yearly)) / periodsPerYear(shownBy))))} ${inWords[shownBy]}`;
}

/** The deductions, for questions about the deductions from a rise. */
const takenOf: Partial<Record<Figure, { name: string; read: (row: Breakdown) => number }>> = {
  "income-tax": { name: "income tax", read: (row) => row.incomeTax },
  "national-insurance": { name: "National Insurance", read: (row) => row.nationalInsurance },
  "student-loan": { name: "student loan repayments", read: (row) => row.studentLoan },
};

function riseTaken(
  first: Breakdown,
  second: Breakdown,
  { name, read }: { name: string; read: (row: Breakdown) => number },
): string {
  const exact = (amount: number) => pounds(Math.round(Math.abs(amount) * 100) / 100);
  const isCut = second.gross < first.gross;
  const lead = isCut
    ? `A cut of ${exact(second.gross - first.gross)} saves`
    : `Of the extra ${exact(second.gross - first.gross)},`;
  const goes = isCut ? `in ${name}` : `goes in ${name}`;
  return `${lead} **${exact(read(second) - read(first))}** a year ${goes}: from ${pounds(read(first))} on ${payWords(first)} to ${pounds(read(second))} on ${payWords(second)}`;
}

function comparison({ rows, gains, gainsMonthly }: Comparison, sum: Sum): string[] {
  const [first, second] = rows;
  const names = labels(rows);
  const [, gain] = gains;
  const [, monthly] = gainsMonthly;
  if (!first || !second || gain === undefined || monthly === undefined) return [];
  const start = rows.every(({ gross }) => gross === first.gross) ? `On ${payWords(first)}: ` : "";
  const same = sharedBasis(rows);
  const each = (read: (row: Breakdown) => string) =>
    list(rows.map((row, at) => `**${read(row)}** (${names[at]})`));
  const apartIn = ({ read, write }: NonNullable<(typeof figureOf)[Figure]>) => {
    const [one, other] = [read(first), read(second)];
    if (write !== pounds || rows.length > 2 || one === other) return "";
    const pence = Math.abs(toPence(one) - toPence(other));
    const yearly = toPounds(pence);
    const byPeriod = alsoBy(yearly, sum) || `, ${pounds(toPounds(Math.round(pence / 12)))} a month`;
    return ` The difference is **${pounds(yearly)}** a year${byPeriod}.`;
  };
  const taken = sum.isRise
    ? sum.figures.map((one) => takenOf[one]).find((one) => one !== undefined)
    : undefined;
  if (taken) return [`${riseTaken(first, second, taken)}${same}.`];
  const figures = [...new Set(sum.figures)].flatMap((one) => figureOf[one] ?? []);
  if (figures.length > 0)
    return figures.map(
      (one) => `${start}${one.name} is ${each((row) => one.write(one.read(row)))}${same}.${apartIn(one)}`,
    );
  if (rows.length > 2) return [`${start}Take-home a year is ${each((row) => pounds(row.takeHome))}${same}.`];
  const difference = `**${pounds(Math.abs(gain))}** a year, ${pounds(Math.abs(monthly))} a month${alsoBy(gain, sum)}`;
  if (sum.isRise) {
    const isCut = second.gross < first.gross;
    const change = pounds(Math.round(Math.abs(second.gross - first.gross) * 100) / 100);
    const kept = isCut ? `A cut of ${change} costs you` : `Of the extra ${change} you keep`;
    return [
      `${kept} ${difference}: from ${payWords(first)} to ${payWords(second)}, take-home goes from ${pounds(first.takeHome)} to ${pounds(second.takeHome)} a year${same}.`,
    ];
  }
  const more = gain === 0 ? "the same as" : `${difference} ${gain > 0 ? "more" : "less"} than`;
  return [
    `${start}${names[1]} leaves ${pounds(second.takeHome)}, ${more} ${names[0]}, which leaves ${pounds(first.takeHome)}${same}.`,
  ];
}

/** The circumstances that all rows share. */
function sharedBasis(rows: readonly Breakdown[]): string {
  const [first] = rows;
  if (!first) return "";
  const same = (of: (pay: Pay) => unknown) =>
    rows.every(({ pay }) => JSON.stringify(of(pay)) === JSON.stringify(of(first.pay)));
  const { pay } = first;
  const parts = [
    ...(same((one) => one.taxYear) ? [pay.taxYear] : []),
    ...(same((one) => one.nation) && pay.nation !== "England" ? [pay.nation] : []),
    ...(same((one) => one.studentLoanPlans) && pay.studentLoanPlans.length > 0
      ? [planNames(pay.studentLoanPlans)]
      : []),
    ...(same((one) => one.pension) && pay.pension ? [`pension by ${pay.pension.kind}`] : []),
    ...(same((one) => one.taxCode) && pay.taxCode ? [`tax code ${pay.taxCode}`] : []),
  ];
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

function household({ rows, takeHome, takeHomeMonthly, leftMonthly }: HouseholdOutput, sum: Sum): string[] {
  const each = rows.map((row) => `${pounds(row.takeHome)} on ${payWords(row)}`);
  return [
    `Together you take home **${pounds(takeHome)}** a year, ${pounds(takeHomeMonthly)} a month${alsoBy(takeHome, sum)}: ${list(each)}, each taxed alone${sharedBasis(rows.slice(0, 1))}.`,
    ...outgoings({ leftMonthly }, sum),
  ];
}

function salaryTable({ rows }: { rows: Breakdown[] }): string[] {
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last) return [];
  const highest = rows.reduce((one, row) => (row.marginal.rate > one.marginal.rate ? row : one));
  return [
    `From ${pounds(first.pay.salary)} to ${pounds(last.pay.salary)}, take-home goes from **${pounds(first.takeHome)}** to **${pounds(last.takeHome)}** a year${sharedBasis(rows)}. The next pound costs most at ${pounds(highest.pay.salary)}: ${percent(highest.marginal.rate)} of it goes.`,
  ];
}

function bandTable(title: string, bands: TaxRatesOutput["bands"]): string {
  return table(
    [title, "Above", "Rate"],
    bands.map(({ name, rate, above }) => [name, pounds(above), percent(rate)]),
  );
}

function taxRates(output: TaxRatesOutput, { figures }: Sum): string[] {
  const { taxYear, personalAllowance, allowanceShrinksAbove, sources } = output;
  // "employer's NI rate" asks for the rate of the employer alone.
  const named = figures.filter((figure) => figure !== "effective-rate");
  const asks = (...of: Figure[]) =>
    (named.length > 0 ? named : figures).some((figure) => of.includes(figure));
  const all = !asks(
    "personal-allowance",
    "income-tax",
    "tax-band",
    "national-insurance",
    "student-loan",
    "employer",
    "marginal-rate",
    "effective-rate",
  );
  const [main, upper] = output.employee;
  const source = (name: string) => `([source](${sources[name]}))`;
  return [
    `Rates of **${taxYear}**.`,
    ...(all || asks("personal-allowance", "income-tax", "tax-band", "marginal-rate", "effective-rate")
      ? [
          `The personal allowance is **${pounds(personalAllowance)}**; it shrinks by £1 for every £2 of income above ${pounds(allowanceShrinksAbove)} ${source("incomeTax")}.`,
        ]
      : []),
    ...(all || asks("income-tax", "tax-band", "marginal-rate", "effective-rate")
      ? [
          bandTable("England, Wales, Northern Ireland", output.bands),
          bandTable("Scotland", output.scottishBands),
          `Scotland's bands: ${source("scottishIncomeTax")}.`,
        ]
      : []),
    ...((all || asks("national-insurance", "employer")) && main && upper
      ? [
          `National Insurance: an employee pays ${percent(main.rate)} of pay above ${pounds(main.above)} and ${percent(upper.rate)} above ${pounds(upper.above)}; the employer ${percent(output.employer.rate)} above ${pounds(output.employer.above)} ${source("nationalInsurance")}.`,
        ]
      : []),
    ...(all || asks("student-loan")
      ? [
          table(
            ["Student loan", "Repaid above", "Rate"],
            output.studentLoans.map(({ plan, threshold, rate }) => [
              planNames([plan]),
              threshold === null ? "nothing due" : pounds(threshold),
              percent(rate),
            ]),
          ),
          `Student loans: ${source("studentLoans")}.`,
        ]
      : []),
  ];
}
