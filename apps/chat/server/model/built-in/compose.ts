/** Turns the results of tools into a short answer. Every figure is a tool's or the question's: none is made here. */
import type { SalaryBreakdown, ToolOutputs } from "../../../contract.ts";
import { caveatOf } from "../tax-years.ts";
import type {
  IncomeTaxOutput,
  MarginalRateOutput,
  NationalInsuranceOutput,
  PayPeriodsOutput,
  PersonalAllowanceOutput,
  StudentLoanOutput,
  TaxRatesOutput,
} from "../tool-outputs.ts";
import type { SalaryToolName } from "../tools.ts";
import { assumptions, type Basis } from "./basis.ts";
import type { Topic } from "./topics.ts";
import type { Conversion, Sum } from "./understanding.ts";
import { percent, place, planNames, pounds, shortPlace, table } from "./wording.ts";

export interface ToolResult {
  tool: string;
  output: unknown;
}

function conversionLine({ value, period, perWeek, yearly }: Conversion): string {
  const each = period === "hour" ? "an hour" : period === "four weeks" ? "every four weeks" : `a ${period}`;
  const worked = perWeek === undefined ? "" : ` for ${perWeek} ${period}s a week`;
  return `${pounds(value)} ${each}${worked} is ${pounds(yearly)} a year.`;
}

function bandRows(bands: SalaryBreakdown["incomeTaxBands"]): string[][] {
  return bands.map(({ name, rate, tax }) => [`${name}, ${percent(rate)}`, pounds(tax)]);
}

/** What whoever shows this draws beside it (a card, a comparison, a chart) is not said again: only what it comes to. */
function takeHome(result: SalaryBreakdown, sum: Sum): string[] {
  const taken = [
    `income tax takes ${pounds(result.incomeTax)}`,
    `National Insurance ${pounds(result.nationalInsurance)}`,
    ...(result.studentLoanPlans.length > 0
      ? [`the student loan (${planNames(result.studentLoanPlans)}) ${pounds(result.studentLoan)}`]
      : []),
  ];
  const listed = `${taken.slice(0, -1).join(", ")} and ${taken.at(-1)}`;
  return [
    `On ${pounds(result.salary)} you take home **${pounds(result.takeHome)}** a year, which is ${pounds(result.takeHomeMonthly)} a month. Of the rest, ${listed}.`,
    assumptions(result, sum),
  ];
}

function salaryForTakeHome(
  output: { wantedTakeHome: number; breakdown: SalaryBreakdown },
  sum: Sum,
): string[] {
  const { breakdown, wantedTakeHome } = output;
  return [
    `To take home ${pounds(wantedTakeHome)} a year you need a salary of **${pounds(breakdown.salary)}**.`,
    table(
      ["", "A year"],
      [
        ["Salary", pounds(breakdown.salary)],
        ["Income tax", pounds(breakdown.incomeTax)],
        ["National Insurance", pounds(breakdown.nationalInsurance)],
        ...(breakdown.studentLoanPlans.length > 0 ? [["Student loan", pounds(breakdown.studentLoan)]] : []),
        ["**Take-home**", `**${pounds(breakdown.takeHome)}**`],
      ],
    ),
    assumptions(breakdown, sum),
  ];
}

function payPeriods(output: PayPeriodsOutput, sum: Sum): string[] {
  const shown = output.periods.find(({ period }) => period === (sum.shownBy ?? "month"));
  const lead = shown
    ? `On ${pounds(output.salary)} a year you take home about **${pounds(shown.takeHome)}** a ${shown.period}.`
    : `On ${pounds(output.salary)} you take home **${pounds(output.takeHome)}** a year.`;
  const rows = output.periods.map(({ period, gross, takeHome }) => [
    period === "four weeks" ? "Four weeks" : `A ${period}`,
    pounds(gross),
    pounds(takeHome),
  ]);
  return [
    lead,
    table(["", "Before", "Take-home"], [...rows, ["A year", pounds(output.salary), pounds(output.takeHome)]]),
    assumptions(output, sum, ["A payslip can differ by small roundings"]),
  ];
}

/** What tells the rows of a comparison apart, and so what the first column shows. */
function labels(rows: readonly SalaryBreakdown[]): string[] {
  const differs = (of: (row: SalaryBreakdown) => unknown) =>
    new Set(rows.map((row) => String(of(row)))).size > 1;
  const salary = differs((row) => row.salary);
  const country = differs((row) => row.country);
  const taxYear = differs((row) => row.taxYear);
  const plans = differs((row) => row.studentLoanPlans);
  return rows.map((row) => {
    const parts: string[] = [];
    if (salary) parts.push(pounds(row.salary));
    if (country) parts.push(shortPlace(row.country));
    if (taxYear) parts.push(row.taxYear);
    if (plans)
      parts.push(row.studentLoanPlans.length > 0 ? planNames(row.studentLoanPlans) : "no student loan");
    return parts.length > 0 ? parts.join(", ") : pounds(row.salary);
  });
}

const figureOf: Partial<Record<Topic, { name: string; read: (row: SalaryBreakdown) => string }>> = {
  "personal-allowance": { name: "Personal allowance", read: (row) => pounds(row.personalAllowance) },
  "marginal-rate": { name: "Marginal rate", read: (row) => percent(row.marginalRate) },
  "tax-rates": { name: "Marginal rate", read: (row) => percent(row.marginalRate) },
  "income-tax": { name: "Income tax", read: (row) => pounds(row.incomeTax) },
  "national-insurance": { name: "National Insurance", read: (row) => pounds(row.nationalInsurance) },
  "student-loan": { name: "Student loan", read: (row) => pounds(row.studentLoan) },
};

function comparison(output: ToolOutputs["compare_salaries"] & { gains?: number[] }, sum: Sum): string[] {
  const { rows, gains } = output;
  const [first, second] = rows;
  if (!first || !second) return ["There was nothing to compare."];
  const names = labels(rows);
  const figure = figureOf[sum.topic];
  const gain = gains?.[1];
  let lead: string;
  if (figure) {
    lead = `${figure.name}: ${rows.map((row, at) => `**${figure.read(row)}** (${names[at]})`).join(", ")}.`;
  } else if (rows.length === 2 && gain !== undefined) {
    const change =
      gain === 0 ? "the same as" : `**${pounds(Math.abs(gain))} ${gain > 0 ? "more" : "less"}** a year than`;
    lead = `${names[1]} leaves ${pounds(second.takeHome)}, ${change} ${names[0]} (${pounds(first.takeHome)}).`;
  } else {
    lead = `Take-home: ${rows.map((row, at) => `**${pounds(row.takeHome)}** (${names[at]})`).join(", ")}.`;
  }
  const same = (of: (row: SalaryBreakdown) => unknown) =>
    rows.every((row) => String(of(row)) === String(of(first)));
  const isOneYear = same((row) => row.taxYear);
  const basis: Basis = {
    ...(isOneYear ? { taxYear: first.taxYear } : {}),
    ...(same((row) => row.country) ? { country: first.country } : {}),
    ...(same((row) => row.studentLoanPlans) ? { studentLoanPlans: first.studentLoanPlans } : {}),
  };
  const caveats = isOneYear ? [] : rows.flatMap((row) => caveatOf(row.taxYear) ?? []);
  const onSalary = same((row) => row.salary) ? `On ${pounds(first.salary)}: ` : "";
  return [onSalary + lead, assumptions(basis, sum, [...new Set(caveats)])];
}

function salaryTable(output: ToolOutputs["salary_table"], sum: Sum): string[] {
  const first = output.rows[0];
  const last = output.rows.at(-1);
  if (!first || !last) return ["There was nothing in that range."];
  const highest = output.rows.reduce((one, other) => (other.marginalRate > one.marginalRate ? other : one));
  const lead = `From ${pounds(first.salary)} to ${pounds(last.salary)}, in steps of ${pounds(output.step)}, take-home goes from **${pounds(first.takeHome)}** to **${pounds(last.takeHome)}** a year.`;
  const note = `The next pound is dearest at ${pounds(highest.salary)}: ${percent(highest.marginalRate)} of it goes.`;
  return [lead, note, assumptions(first, sum)];
}

function incomeTax(output: IncomeTaxOutput, sum: Sum): string[] {
  const { salary, incomeTax, personalAllowance, incomeTaxBands } = output;
  const lead = `On ${pounds(salary)} income tax is **${pounds(incomeTax)}** a year.`;
  const free = `The first ${pounds(personalAllowance)} is free of tax${incomeTaxBands.length > 0 ? "; then:" : "."}`;
  const bands = incomeTaxBands.length > 0 ? [table(["Band", "Tax"], bandRows(incomeTaxBands))] : [];
  return [lead, free, ...bands, assumptions(output, sum)];
}

function nationalInsurance(output: NationalInsuranceOutput, sum: Sum): string[] {
  const { salary, mainRate, mainThreshold, upperRate, upperThreshold } = output;
  return [
    `On ${pounds(salary)} an employee's National Insurance is **${pounds(output.nationalInsurance)}** a year.`,
    `It is ${percent(mainRate)} of pay between ${pounds(mainThreshold)} and ${pounds(upperThreshold)} a year, and ${percent(upperRate)} above.`,
    assumptions(output, sum),
  ];
}

function personalAllowance(output: PersonalAllowanceOutput, sum: Sum): string[] {
  const { salary, standardAllowance, shrinksAbove } = output;
  const lead = `On ${pounds(salary)} the personal allowance is **${pounds(output.personalAllowance)}**.`;
  const why =
    output.personalAllowance === standardAllowance
      ? `That is the whole of it; it only shrinks above ${pounds(shrinksAbove)}.`
      : `It starts at ${pounds(standardAllowance)} and shrinks by £1 for every £2 of income above ${pounds(shrinksAbove)}${output.personalAllowance === 0 ? ", so here nothing is left of it" : ""}.`;
  return [lead, why, assumptions(output, sum)];
}

function studentLoan(output: StudentLoanOutput, sum: Sum): string[] {
  const lead = `On ${pounds(output.salary)} student loan repayments are **${pounds(output.studentLoan)}** a year (${planNames(output.studentLoanPlans)}).`;
  const rows = output.repayments.map(({ plans, threshold, rate, repayment }) => [
    planNames(plans),
    pounds(threshold),
    percent(rate),
    pounds(repayment),
  ]);
  const shared = output.repayments.some(({ plans }) => plans.length > 1)
    ? ["Several undergraduate plans share one repayment, above the lowest of their thresholds."]
    : [];
  return [
    lead,
    ...shared,
    table(["Loan", "Threshold", "Rate above it", "A year"], rows),
    assumptions(output, sum),
  ];
}

function marginalRate(output: MarginalRateOutput, sum: Sum): string[] {
  const rows = [
    ["Income tax", percent(output.incomeTaxRate)],
    ["National Insurance", percent(output.nationalInsuranceRate)],
  ];
  if (output.studentLoanPlans.length > 0) rows.push(["Student loan", percent(output.studentLoanRate)]);
  return [
    `At ${pounds(output.salary)} the marginal rate is **${percent(output.marginalRate)}**: that share of the next pound you earn is not taken home.`,
    table(["Of the next pound", "Rate"], rows),
    assumptions(output, sum),
  ];
}

function taxRates(output: TaxRatesOutput, sum: Sum): string[] {
  const { personalAllowance, personalAllowanceShrinksAbove, incomeTaxBands } = output;
  const allowance = `The personal allowance is **${pounds(personalAllowance)}** in ${output.taxYear}; it shrinks by £1 for every £2 of income above ${pounds(personalAllowanceShrinksAbove)}.`;
  if (sum.topic === "personal-allowance") return [allowance, assumptions(output, sum)];
  return [
    `Rates for ${place(output.country)} in ${output.taxYear}. ${allowance}`,
    table(
      ["Income tax", "Above", "Rate"],
      incomeTaxBands.map(({ name, rate, above }) => [name, pounds(above), percent(rate)]),
    ),
    table(
      ["National Insurance", "Above", "Rate"],
      output.nationalInsurance.map(({ rate, above }, at) => [
        at === 0 ? "Main rate" : "Upper rate",
        pounds(above),
        percent(rate),
      ]),
    ),
    table(
      ["Student loan", "Repaid above"],
      output.studentLoans.map(({ plan, threshold }) => [planNames([plan]), pounds(threshold)]),
    ),
    assumptions(output, sum),
  ];
}

// The tools' own output schemas vouch for these shapes.
const composers: Record<SalaryToolName, (output: never, sum: Sum) => string[]> = {
  take_home: takeHome,
  compare_salaries: comparison,
  salary_table: salaryTable,
  income_tax: incomeTax,
  national_insurance: nationalInsurance,
  personal_allowance: personalAllowance,
  student_loan: studentLoan,
  marginal_rate: marginalRate,
  pay_periods: payPeriods,
  salary_for_take_home: salaryForTakeHome,
  tax_rates: taxRates,
};

/** The answer to a sum, in Markdown, from what its tool gave. */
export function compose(sum: Sum, result: ToolResult): string {
  const composer = composers[result.tool as SalaryToolName];
  const paragraphs = composer(result.output as never, sum);
  const conversions = sum.conversions.map(conversionLine);
  return [...(conversions.length > 0 ? [conversions.join(" ")] : []), ...paragraphs].join("\n\n");
}
