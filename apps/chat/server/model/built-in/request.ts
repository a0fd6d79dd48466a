/** Turns the context of a conversation into a tool call. */
import { weeksPerYear } from "../../../tax/pay-periods.ts";
import { ratesOf, type StudentLoanPlan, studentLoanPlans, type TaxYear } from "../../../tax/rates.ts";
import type { Pay } from "../../../tax/work-out.ts";
import { comfortableStep, mostTableRows } from "../salary-table.ts";
import type { SalaryToolName } from "../tools.ts";
import type { Context } from "./context.ts";
import type { Facts, Figure, Part } from "./facts.ts";
import { type Reply, replies } from "./replies.ts";
import { yearlyOf } from "./rules/rule.ts";

export interface ToolRequest {
  tool: SalaryToolName;
  input: Record<string, unknown>;
}

const mostCases = 8;

/** Figures that the card does not show first. */
const inTextOnly: ReadonlySet<Figure> = new Set(["deductions", "taxable-income", "gross", "pension"]);

function poundsOf(part: Part, salary: number): number {
  return Number(("share" in part ? salary * part.share : part.pounds).toFixed(2));
}

interface Variant {
  salary: number;
  nation: Pay["nation"];
  taxYear: TaxYear;
  plans: StudentLoanPlan[];
  pension: Context["pensions"][number];
  taxCode: string | undefined;
}

/** "45k bonus 5k vs 50k bonus 2k": each salary has its own extras. Extras after the last salary apply to all salaries. */
function extrasOf(salary: number, { extras, salaries }: Context): Context["extras"] {
  const areApart = new Set(salaries).size > 1 && extras.some(({ isBetween }) => isBetween);
  return areApart ? extras.filter(({ of }) => of === undefined || of === salary) : extras;
}

function payOf({ salary, nation, taxYear, plans, pension, taxCode }: Variant, context: Context): Pay {
  const extras = extrasOf(salary, context).map(({ name, part }) => ({
    name,
    amount: poundsOf(part, salary),
  }));
  return {
    salary,
    taxYear,
    nation,
    studentLoanPlans: plans,
    ...(extras.length > 0 ? { extras } : {}),
    ...(context.otherJobs.length > 0 ? { otherJobs: context.otherJobs } : {}),
    ...(pension ? { pension: { kind: pension.kind ?? "salary sacrifice", ...inputOf(pension.part) } } : {}),
    ...(context.overPensionAge ? { overPensionAge: true } : {}),
    ...(taxCode !== undefined && context.otherJobs.length === 0 ? { taxCode } : {}),
  };
}

function inputOf(part: Part): { share: number } | { amount: number } {
  return "share" in part ? part : { amount: part.pounds };
}

/** @param taxYear the year for questions that do not name a year */
export function requestFor(facts: Facts, context: Context, taxYear: TaxYear): ToolRequest | Reply {
  const [salary] = context.salaries;
  if (salary === undefined || (facts.asksForRates && facts.salaries.length === 0)) {
    return { tool: "tax_rates", input: { taxYear } };
  }
  const spent = context.outgoings.map(({ name, amount: { period = "month", ...amount } }) => ({
    name,
    amount: yearlyOf({ ...amount, period }),
  }));
  const outgoings = spent.length > 0 ? { outgoings: spent } : {};
  const years = context.taxYears.length > 0 ? context.taxYears : [taxYear];
  const nation = context.nations[0] ?? "England";
  const [plans = []] = context.planSets;
  const one: Variant = {
    salary,
    nation,
    taxYear: years[0] ?? taxYear,
    plans,
    pension: context.pensions[0],
    taxCode: context.taxCodes[0],
  };
  if (context.mode === "net") {
    const { salary: takeHome, ...rest } = payOf(one, context);
    const { shownBy: period } = context;
    const show = period && period !== "year" ? { show: { period, ...shownWeek(facts) } } : {};
    const wanted = facts.netRise ? { takeHome: yearlyOf(facts.netRise), from: salary } : { takeHome };
    return { tool: "salary_for_take_home", input: { ...wanted, ...show, ...rest } };
  }
  if (context.mode === "table") return tableOf(one, context);
  if (context.mode === "household") {
    const people = context.salaries.map((each, at) =>
      // Loans, pensions and extras apply to the person who asks.
      at === 0
        ? payOf({ ...one, salary: each, nation: placesOf(each, facts, context)[0] ?? nation }, context)
        : payOf(
            {
              ...one,
              salary: each,
              nation: placesOf(each, facts, context)[0] ?? nation,
              plans: [],
              pension: undefined,
              taxCode: undefined,
            },
            { ...context, extras: [], otherJobs: [], overPensionAge: false },
          ),
    );
    return { tool: "household", input: { people, ...outgoings } };
  }
  const asksForLoan =
    context.figures.includes("student-loan") && context.planSets.every(({ length }) => length === 0);
  const planSets = asksForLoan && facts.plans === undefined ? everyPlan(one.taxYear) : context.planSets;
  const all = context.pensions.flatMap((pension) =>
    planSets.flatMap((set) =>
      context.salaries.flatMap((each) =>
        placesOf(each, facts, context).flatMap((place) =>
          yearsOf(each, years, facts, context).flatMap((year) => {
            const own = context.pensionsOf.find(({ of }) => of === each)?.pension ?? pension;
            const variant = { salary: each, nation: place, taxYear: year, plans: set, pension: own };
            return context.taxCodes.map((taxCode) => payOf({ ...variant, taxCode }, context));
          }),
        ),
      ),
    ),
  );
  const cases = context.asksKept ? withoutAndWith(all) : all;
  if (cases.length > mostCases) return replies.tooMany(cases.length);
  const [first, ...others] = cases;
  if (others.length > 0) {
    context.mode = "compare";
    return { tool: "compare_salaries", input: { cases } };
  }
  context.mode = "one";
  const shares = context.shares.map(({ name, share }) => ({ ...(name ? { name } : {}), share }));
  const show = {
    figure: context.figures.find((figure) => !inTextOnly.has(figure)) ?? "take-home",
    ...(context.shownBy ? { period: context.shownBy } : {}),
    ...shownWeek(facts),
  };
  return {
    tool: "take_home",
    input: {
      ...first,
      ...outgoings,
      ...(shares.length > 0 ? { shares } : {}),
      ...(facts.goal === undefined ? {} : { goal: facts.goal }),
      show,
    },
  };
}

/** Compares the pay without extra pay and other jobs with the pay including them. */
function withoutAndWith(cases: Pay[]): Pay[] {
  const [pay] = cases;
  if (pay === undefined || cases.length > 1 || !(pay.extras || pay.otherJobs)) return cases;
  const { extras: _, otherJobs: __, ...without } = pay;
  return [without, pay];
}

/** The hours and days to convert pay by the hour and day, if the message gives them. */
function shownWeek({ hours, days, weeks }: Facts): Record<string, number> {
  // "220 days a year"
  const isOfYear = days === 1 && weeks !== undefined && weeks > 53;
  return {
    ...(hours !== undefined ? { hoursPerWeek: hours } : {}),
    ...(days !== undefined ? { daysPerWeek: isOfYear ? weeks / weeksPerYear : days } : {}),
    ...(weeks !== undefined && !isOfYear ? { weeksPerYear: weeks } : {}),
  };
}

/** "60k in London or 55k in Edinburgh" are two cases, not four. */
function placesOf(salary: number, { placed }: Facts, { salaries, nations }: Context): Pay["nation"][] {
  const own = placed.filter(({ amount }) => yearlyOf(amount) === salary).map(({ nation }) => nation);
  const isEachPlaced = placed.length === salaries.length && nations.length <= placed.length;
  return isEachPlaced && own.length === 1 ? own : nations;
}

/** "34k in 26/27 and 32k in 25/26" are two cases, not four. */
function yearsOf(
  salary: number,
  years: readonly TaxYear[],
  { dated }: Facts,
  { salaries }: Context,
): readonly TaxYear[] {
  const own = dated.filter(({ amount }) => yearlyOf(amount) === salary).map(({ taxYear }) => taxYear);
  const isEachDated = dated.length === salaries.length && years.length <= dated.length;
  return isEachDated && own.length === 1 ? years.filter((year) => own.includes(year)) : years;
}

/** For "student loan on 40k", if the plan is missing: one row for each plan that is repaid in the year. */
function everyPlan(taxYear: TaxYear): StudentLoanPlan[][] {
  const terms = ratesOf[taxYear].studentLoans;
  return studentLoanPlans.filter((plan) => terms[plan].threshold !== null).map((plan) => [plan]);
}

function tableOf(one: Variant, context: Context): ToolRequest | Reply {
  const from = Math.min(...context.salaries);
  const to = Math.max(...context.salaries);
  if (from === to) return replies.whichRange();
  const step = Math.min(context.step ?? comfortableStep(from, to), to - from);
  const rows = Math.floor((to - from) / step) + 1;
  if (rows > mostTableRows) return replies.tooManyRows(rows, step);
  const { salary: _, ...rest } = payOf(one, context);
  return { tool: "salary_table", input: { from, to, step, ...rest } };
}
