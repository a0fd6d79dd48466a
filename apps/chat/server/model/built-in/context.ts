/** The facts known from earlier messages, and how the next message changes them. */
import type { PayPeriod } from "../../../tax/pay-periods.ts";
import type { Nation, StudentLoanPlan, TaxYear } from "../../../tax/rates.ts";
import { splitPrefix, usualTaxCode } from "../../../tax/tax-code.ts";
import { isKnownTaxYear } from "../../../tax/tax-year.ts";
import type { Extra, Facts, Figure, SaidPension, ShareOfTakeHome } from "./facts.ts";
import { yearlyOf } from "./rules/rule.ts";
import type { Amount } from "./tokens.ts";

/** The subject of an answer: one person's pay, a comparison, the pay of two people, or the salary for a take-home. */
export type Mode = "one" | "compare" | "household" | "net" | "table";

export interface Context {
  mode: Mode;
  /** Pounds a year. */
  salaries: number[];
  otherJobs: number[];
  nations: Nation[];
  /** Empty for the current year. */
  taxYears: TaxYear[];
  /** More than one to compare with and without a loan. */
  planSets: StudentLoanPlan[][];
  extras: Extra[];
  /** More than one to compare with and without. */
  pensions: (SaidPension | undefined)[];
  /** Pensions that apply to one salary only, with the yearly salary. */
  pensionsOf: { of: number; pension: SaidPension }[];
  overPensionAge: boolean;
  /** Without the nation's prefix; `undefined` for the usual one. More than one to compare. */
  taxCodes: (string | undefined)[];
  outgoings: Facts["outgoings"];
  shares: ShareOfTakeHome[];
  /** Whether the question is about the difference from extra pay or another job. */
  asksKept: boolean;
  figures: Figure[];
  shownBy: PayPeriod | undefined;
  step: number | undefined;
  /** The salary that the last one replaced. */
  previous: number | undefined;
  /** A salary as the person gave it, if by a period. */
  paid: (Pick<Facts, "hours" | "days" | "weeks"> & { value: number; period: PayPeriod }) | undefined;
  /** Whether the last answer asked for the contribution to the pension. */
  pensionAsked: boolean;
  /** The last request to a tool, as JSON. */
  answered: string | undefined;
  /** The open question to the person. */
  asked: { amounts: Amount[]; compares?: boolean } | undefined;
}

export const freshContext: Context = {
  mode: "one",
  salaries: [],
  otherJobs: [],
  nations: ["England"],
  taxYears: [],
  planSets: [[]],
  extras: [],
  pensions: [undefined],
  pensionsOf: [],
  overPensionAge: false,
  taxCodes: [undefined],
  outgoings: [],
  shares: [],
  asksKept: false,
  figures: [],
  shownBy: undefined,
  step: undefined,
  previous: undefined,
  paid: undefined,
  pensionAsked: false,
  answered: undefined,
  asked: undefined,
};

/** A new salary starts a new calculation. Facts about the person are kept. */
export function begun(facts: Facts, before: Context): Context {
  const isNew = facts.salaries.length + facts.numbers.length > 0 && !facts.isAddition && !facts.isCorrection;
  // The answer to "Which salary?" completes the question.
  if (!isNew || before.salaries.length === 0) return { ...before, asked: undefined };
  const { nations, taxYears, planSets, overPensionAge, taxCodes } = before;
  return {
    ...freshContext,
    nations: nations.slice(0, 1),
    taxYears: taxYears.slice(0, 1),
    planSets: planSets.slice(-1),
    overPensionAge,
    taxCodes: taxCodes.slice(-1),
  };
}

/** Applies the circumstances of a message. Other circumstances are kept. */
export function withCircumstances(facts: Facts, context: Context): Context {
  const next = { ...context };
  const comparesOne = facts.comparison && new Set(facts.salaries.map(yearlyOf)).size < 2;
  if (facts.nations.length > 0) {
    const before = context.nations[0] ?? "England";
    const isOther = facts.nations.length === 1 && !facts.nations.includes(before);
    next.nations =
      comparesOne && isOther && facts.taxYears.length === 0 ? [before, ...facts.nations] : facts.nations;
  }
  const known = facts.taxYears.filter(isKnownTaxYear);
  if (known.length > 0) next.taxYears = [...new Set(known)];
  else if (facts.thisYear) next.taxYears = [];
  if (facts.plans !== undefined) next.planSets = [facts.plans];
  if (facts.planChoices !== undefined) next.planSets = facts.planChoices;
  if (facts.withAndWithout === true && (facts.plans?.length ?? 0) > 0)
    next.planSets = [[], facts.plans ?? []];
  const names = new Set(facts.extras.map(({ name }) => name));
  const kept = facts.withoutExtras ? [] : context.extras.filter(({ name }) => !names.has(name));
  next.extras = [...kept, ...facts.extras];
  next.outgoings = [...context.outgoings, ...facts.outgoings];
  next.shares = sharesAfter(facts, context);
  next.asksKept = facts.asksKept;
  const own = ownPensions(facts);
  if (own.length > 0) {
    next.pensionsOf = own;
    next.pensions = [undefined];
  } else {
    next.pensions = pensionsAfter(facts, context);
    if (facts.pension !== undefined && facts.pension !== "unsaid") next.pensionsOf = [];
  }
  next.pensionAsked = facts.pension === "unsaid";
  if (facts.figures.length > 0) next.figures = facts.figures;
  if (facts.shownBy !== undefined) next.shownBy = facts.shownBy;
  if (facts.overPensionAge) next.overPensionAge = true;
  if (facts.taxCodes.length > 0) {
    const codes = facts.taxCodes.map((written) => splitPrefix(written).code);
    next.taxCodes = [...new Set(codes.map((code) => (code === usualTaxCode ? undefined : code)))];
  }
  if (facts.step !== undefined) next.step = facts.step;
  return next;
}

/** A new share replaces the share with the same name. */
function sharesAfter({ shares }: Facts, context: Context): ShareOfTakeHome[] {
  const kept = context.shares.filter(
    ({ name }) => name !== undefined && shares.every((share) => share.name !== name),
  );
  return [...kept, ...shares];
}

/** "40k with 5% pension vs 42k with none": a pension for each salary. A pension after the last salary applies to all of them. */
function ownPensions({ pensionsOf, pensionKind, salaries }: Facts): Context["pensionsOf"] {
  const areApart = pensionsOf.length > 1 || pensionsOf.some(({ isBetween }) => isBetween);
  if (!areApart || new Set(salaries.map(yearlyOf)).size < 2) return [];
  return pensionsOf.flatMap(({ salary, pension }) =>
    pension
      ? { of: yearlyOf(salary), pension: { part: pension.part, kind: pension.kind ?? pensionKind } }
      : [],
  );
}

function pensionsAfter(
  { pension, pensionKind, pensionBefore, pensionsOf, withAndWithout }: Facts,
  context: Context,
): Context["pensions"] {
  if (pension === "none") return [undefined];
  if (pension === undefined || pension === "unsaid") {
    return context.pensions.map((one) => (one && pensionKind ? { ...one, kind: pensionKind } : one));
  }
  const said = { part: pension.part, kind: pension.kind ?? pensionKind };
  // The same salary twice, with different pensions.
  if (pensionsOf.length > 1)
    return pensionsOf.map((one) => one.pension && { ...one.pension, kind: one.pension.kind ?? pensionKind });
  if (pensionBefore) return [{ part: pensionBefore, kind: said.kind }, said];
  return withAndWithout ? [undefined, said] : [said];
}
