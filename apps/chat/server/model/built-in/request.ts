/** From what a conversation has settled to the tool call that answers it, or to what stands in the way. */
import type { Country, StudentLoanPlan, TaxYear } from "../../../contract.ts";
import { largestSalary } from "../salary.ts";
import { comfortableStep, mostTableRows } from "../salary-search.ts";
import { isKnownTaxYear, latestTaxYear, taxYearAt, taxYearsKnownFor } from "../tax-years.ts";
import type { SalaryToolName } from "../tools.ts";
import type { Context } from "./context.ts";
import type { Facts } from "./facts.ts";
import type { Topic } from "./topics.ts";
import type { ToolRequest, Understanding } from "./understanding.ts";

const mostCases = 8;
/** A bare "£2,500" may be a month's pay; below `leastCertainSalary` it is asked about instead. */
const smallSalary = 5_000;
export const leastCertainSalary = 1_000;

interface Where {
  taxYear: TaxYear;
  country: Country;
  studentLoanPlans: StudentLoanPlan[];
}

/** @param nowMs milliseconds since the epoch: which tax year is under way */
export function requestFor(facts: Facts, context: Context, nowMs: number): Understanding {
  const inScotland = context.countries.includes("Scotland");
  const unknownYear = facts.taxYears.find((year) => !isKnownTaxYear(year));
  if (unknownYear !== undefined) {
    return {
      kind: "unknown-year",
      taxYear: unknownYear,
      country: inScotland ? "Scotland" : "England/NI/Wales",
    };
  }
  const unknownInScotland = context.taxYears.find((year) => !taxYearsKnownFor("Scotland").includes(year));
  if (inScotland && unknownInScotland !== undefined) {
    return { kind: "unknown-year", taxYear: unknownInScotland, country: "Scotland" };
  }
  const found = requestOf(facts, context);
  if ("kind" in found) return found;
  const currentYear = taxYearAt(nowMs);
  return {
    kind: "sum",
    request: { tool: found.tool, input: found.input },
    topic: found.topic,
    shownBy: facts.shownBy,
    conversions: context.conversions,
    unknownCurrentYear:
      context.taxYears.length === 0 && !isKnownTaxYear(currentYear) ? currentYear : undefined,
    smallForAYear: context.conversions.length === 0 && facts.amounts.some(isSmallForAYear),
  };
}

function isSmallForAYear({ value, period, scaled }: Facts["amounts"][number]): boolean {
  return period === undefined && !scaled && value >= leastCertainSalary && value < smallSalary;
}

type Found = (ToolRequest & { topic: Topic }) | Exclude<Understanding, { kind: "sum" }>;

function call(tool: SalaryToolName, input: Record<string, unknown>, topic: Topic): Found {
  return { tool, input, topic };
}

function requestOf(facts: Facts, context: Context): Found {
  const taxYears = context.taxYears.length > 0 ? context.taxYears : [latestTaxYear];
  const topic = context.topic ?? "take-home";
  const where: Where = {
    taxYear: taxYears[0] ?? latestTaxYear,
    country: context.countries[0] ?? "England/NI/Wales",
    studentLoanPlans: context.planSets[0] ?? [],
  };
  const { country, taxYear } = where;
  if (facts.topic === "tax-rates") return call("tax_rates", { country, taxYear }, topic);
  const range = context.range ?? rangeAskedFor(facts, context);
  if (range !== undefined) return tableOf(range, facts, where, topic);
  if (context.salaries.some((each) => each > largestSalary)) return { kind: "too-large" };
  const [salary] = context.salaries;
  if (salary === undefined) {
    const isGeneral = topic === "tax-rates" || (facts.topic !== undefined && asksInGeneral(facts.text));
    return isGeneral
      ? call("tax_rates", { country, taxYear }, facts.topic ?? topic)
      : { kind: "which-salary", topic };
  }
  if (facts.wantsTable && context.salaries.length === 1 && !facts.wantsComparison)
    return { kind: "which-range" };
  const cases = context.planSets.flatMap((studentLoanPlans) =>
    context.salaries.flatMap((each) =>
      context.countries.flatMap((place) =>
        taxYears.map((year) => ({ salary: each, taxYear: year, country: place, studentLoanPlans })),
      ),
    ),
  );
  if (cases.length > mostCases) return { kind: "too-many", count: cases.length };
  if (cases.length > 1) return call("compare_salaries", { cases }, topic);
  return single(salary, where, topic, facts);
}

/** "what is National Insurance?" is answered with its rates; "how much do I pay?" needs a salary first. */
function asksInGeneral(text: string): boolean {
  return (
    /\b(?:what(?:'s| is| are)|explain|how (?:is|are|does|do)|tell me about)\b/.test(text) &&
    !/\b(?:i|my|i'm)\b/.test(text)
  );
}

/** "draw that" after a comparison of two salaries. */
function rangeAskedFor(facts: Facts, { salaries }: Context): Context["range"] {
  const [one, other] = salaries;
  if (!facts.wantsTable || salaries.length !== 2 || one === undefined || other === undefined)
    return undefined;
  return { from: Math.min(one, other), to: Math.max(one, other), step: undefined };
}

function tableOf(
  { from, to, step: asked }: NonNullable<Context["range"]>,
  facts: Facts,
  where: Where,
  topic: Topic,
): Found {
  const step = Math.min(facts.step ?? asked ?? comfortableStep(from, to), to - from);
  const rows = Math.floor((to - from) / step) + 1;
  if (rows > mostTableRows) return { kind: "too-many-rows", rows, step };
  return call("salary_table", { from, to, step, ...where }, topic);
}

function single(salary: number, where: Where, topic: Topic, facts: Facts): Found {
  const { studentLoanPlans, ...place } = where;
  switch (topic) {
    case "income-tax":
      return call("income_tax", { salary, ...place }, topic);
    case "national-insurance":
      return call("national_insurance", { salary, ...place }, topic);
    case "personal-allowance":
      return call("personal_allowance", { salary, ...place }, topic);
    case "marginal-rate":
    case "tax-rates":
      return call("marginal_rate", { salary, ...where }, "marginal-rate");
    case "salary-for-take-home":
      return call("salary_for_take_home", { takeHome: salary, ...where }, topic);
    case "student-loan":
      if (studentLoanPlans.length > 0) return call("student_loan", { salary, ...where }, topic);
      return facts.plans === undefined
        ? { kind: "which-plan" }
        : call("take_home", { salary, ...where }, "take-home");
    case "take-home":
      return call(facts.shownBy === undefined ? "take_home" : "pay_periods", { salary, ...where }, topic);
  }
}
