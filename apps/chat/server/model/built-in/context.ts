/** What the messages so far have settled, and how one more message changes it. */
import type { Country, StudentLoanPlan, TaxYear } from "../../../contract.ts";
import { countries as allCountries, isKnownTaxYear, latestTaxYear } from "../tax-years.ts";
import type { Amount, PayPeriod } from "./amounts.ts";
import type { Facts } from "./facts.ts";
import type { Topic } from "./topics.ts";
import type { Conversion } from "./understanding.ts";

export interface Context {
  /** Pounds a year. */
  salaries: number[];
  conversions: Conversion[];
  range: { from: number; to: number; step: number | undefined } | undefined;
  countries: Country[];
  /** Empty: none was named. */
  taxYears: TaxYear[];
  /** More than one to compare with and without a loan. */
  planSets: StudentLoanPlan[][];
  topic: Topic | undefined;
  /** What the person was asked for, and has not yet said. */
  asked: Asked | undefined;
}

export type Asked =
  | { about: "plan" }
  | { about: "period"; value: number }
  | { about: "hours"; value: number; period: "hour" | "day" }
  | { about: "second-salary"; salary: number };

export const freshContext: Context = {
  salaries: [],
  conversions: [],
  range: undefined,
  countries: ["England/NI/Wales"],
  taxYears: [],
  planSets: [[]],
  topic: undefined,
  asked: undefined,
};

/** A sum of money as a yearly salary. */
export interface Yearly {
  salary: number;
  conversion: Conversion | undefined;
}

const yearlyFactor = { week: 52, fortnight: 26, "four weeks": 13, month: 12, year: 1 } as const;

/** @param perWeek hours or days a week; needed where `period` is an hour or a day */
export function yearly(value: number, period: PayPeriod, perWeek: number | undefined): Yearly {
  if (period === "year") return { salary: value, conversion: undefined };
  const factor = period === "hour" || period === "day" ? (perWeek ?? 0) * 52 : yearlyFactor[period];
  const salary = Number((value * factor).toFixed(2));
  return { salary, conversion: { value, period, perWeek, yearly: salary } };
}

/** The context with these salaries in place of those before, each once. */
export function withYearly(context: Context, amounts: Yearly[]): Context {
  return {
    ...context,
    range: undefined,
    salaries: [...new Set(amounts.map(({ salary }) => salary))],
    conversions: amounts.flatMap(({ conversion }) => conversion ?? []),
  };
}

/** Takes country, years and plans over from a message; whatever it does not mention stays. */
export function withCircumstances(facts: Facts, context: Context): Context {
  const next = { ...context };
  if (facts.countries.length > 0) next.countries = facts.countries;
  // "compare with Scotland", "compare £50k in Scotland": with what, if not with the other country?
  const comparesPlaces = facts.wantsComparison && facts.countries.length === 1 && facts.taxYears.length === 0;
  if (
    comparesPlaces &&
    (facts.amounts.length === 0 || (facts.amounts.length === 1 && context.salaries.length === 0))
  ) {
    next.countries = [...allCountries];
  }
  const known = facts.taxYears.filter(isKnownTaxYear);
  if (known.length > 0) {
    const before = context.taxYears[0] ?? latestTaxYear;
    const comparesYears = facts.wantsComparison && known.length === 1 && facts.amounts.length === 0;
    next.taxYears = comparesYears && known[0] !== before ? [before, ...known] : known;
  }
  if (facts.thisYear) next.taxYears = known.length > 0 ? [...new Set([...known, latestTaxYear])] : [];
  if (facts.plans !== undefined) {
    const before = context.planSets.at(-1) ?? [];
    next.planSets = [facts.addsPlans ? [...new Set([...before, ...facts.plans])] : facts.plans];
  }
  const owed = next.planSets.at(-1) ?? [];
  if (facts.withAndWithout && owed.length > 0) next.planSets = [[], owed];
  return next;
}

/** "without student loan" names a circumstance of the sum in hand, not another sum. */
export function topicOf(facts: Facts, money: readonly Amount[], context: Context): Topic | undefined {
  const asksForLoan = /\bhow much\b|\brepay/.test(facts.text);
  const isCircumstance =
    facts.topic === "student-loan" && !asksForLoan && facts.plans !== undefined && money.length === 0;
  if (!isCircumstance) return facts.topic ?? context.topic;
  return context.topic ?? (context.salaries.length > 0 ? "take-home" : facts.topic);
}

const mostWordsOfAnAnswer = 8;

/**
 * The person answers what was just asked: "plan 2", "a month", "yes", "40 hours a week", "60k".
 * @returns `undefined` when nothing was asked, or something else is said
 */
export function answerToQuestion(
  facts: Facts,
  money: readonly Amount[],
  context: Context,
): Context | undefined {
  const { asked } = context;
  if (asked === undefined || facts.words > mostWordsOfAnAnswer) return undefined;
  const settled = { ...context, asked: undefined };
  switch (asked.about) {
    case "plan":
      return planAnswered(facts, money, settled);
    case "hours": {
      const most = asked.period === "hour" ? 168 : 7;
      const said = asked.period === "hour" ? facts.hoursPerWeek : facts.daysPerWeek;
      const perWeek = said ?? (facts.words <= 3 ? facts.amounts[0]?.value : undefined);
      if (perWeek === undefined || perWeek <= 0 || perWeek > most) return undefined;
      return withYearly(settled, [yearly(asked.value, asked.period, perWeek)]);
    }
    case "second-salary":
      return secondSalaryAnswered(facts, money, settled, asked.salary);
    case "period":
      return periodAnswered(facts, settled, asked.value);
  }
}

function planAnswered(facts: Facts, money: readonly Amount[], settled: Context): Context | undefined {
  const bare = /^(?:plan |it's |number |no\.? |on )*(?<digit>[1245])[.! ]*$/.exec(facts.text)?.groups?.digit;
  const plans = facts.plans ?? (bare ? [Number(bare) as StudentLoanPlan] : undefined);
  if (plans === undefined || settled.salaries.length === 0 || money.some((amount) => amount.scaled))
    return undefined;
  return { ...settled, planSets: [plans] };
}

function secondSalaryAnswered(
  facts: Facts,
  money: readonly Amount[],
  settled: Context,
  first: number,
): Context | undefined {
  const [other] = money;
  if (other === undefined && facts.countries.length > 0) return { ...settled, countries: [...allCountries] };
  if (money.length !== 1 || other === undefined || other.negative || other.currency === "other")
    return undefined;
  const { value, period = "year" } = other;
  if (value < 1_000 || period === "hour" || period === "day") return undefined;
  return withYearly(settled, [{ salary: first, conversion: undefined }, yearly(value, period, undefined)]);
}

function periodAnswered(facts: Facts, settled: Context, value: number): Context | undefined {
  if (facts.amounts.length > 0) return undefined;
  const { text } = facts;
  if (/\b(?:month|monthly|pm|pcm)\b/.test(text))
    return withYearly(settled, [yearly(value, "month", undefined)]);
  if (/\b(?:week|weekly|pw)\b/.test(text)) return withYearly(settled, [yearly(value, "week", undefined)]);
  const thousands = /\b(?:thousands?|k|grand)\b/.test(text);
  if (!thousands && /\b(?:year|yearly|annually|pa)\b/.test(text)) {
    return withYearly(settled, [yearly(value, "year", undefined)]);
  }
  const agrees = /^(?:yes|yep|yeah|yup|correct|right|sure|exactly)\b/.test(text);
  return thousands || agrees
    ? withYearly(settled, [{ salary: value * 1000, conversion: undefined }])
    : undefined;
}
