import type { PayPeriod } from "../../../../tax/pay-periods.ts";
import type { Facts, Part } from "../facts.ts";
import { type Match, phrase, type Reading } from "../reading.ts";
import type { Amount } from "../tokens.ts";

/** Explains some words. Words around them that carry no circumstance ("with a", "and my") need no rule: see `noise.ts`. */
export interface Rule {
  source: string;
  pattern: RegExp;
  use: (facts: Facts, match: Match, reading: Reading) => boolean | undefined;
  how: "absorb" | undefined;
}

/**
 * @param source a pattern as `phrase` reads it
 * @param use returns `false` to leave the words to other rules
 */
export function rule(source: string, use: Rule["use"] = () => {}, how?: "absorb"): Rule {
  return { source, pattern: phrase(source), use, how };
}

/** A rule that only sets a value. */
export function sets(source: string, values: Partial<Facts>): Rule {
  return rule(source, (facts) => {
    Object.assign(facts, values);
  });
}

/** A rule that only adds a sentence to the answer. If there is none, other rules may take the words. */
export function says(
  source: string,
  sentence: string | ((match: Match, reading: Reading, facts: Facts) => string | undefined),
): Rule {
  return rule(source, (facts, match, reading) => {
    const said = typeof sentence === "string" ? sentence : sentence(match, reading, facts);
    if (said === undefined) return false;
    if (!facts.remarks.includes(said)) facts.remarks.push(said);
  });
}

/** Between a name and its amount: "bonus of 5k", "rent is £900". */
export const is =
  "(?: (?:of|is|are|was|would be|will be|would cost|at|worth|for|being|=|:|up to|cost(?:s|ing)?|around|comes to|avg|average|averages|averaging|typically|usually|normally))*";
/** Between an amount and its name: "5k as a bonus", "£900 for rent". */
export const as = "(?: (?:of|in|as|for|from|on|towards|to|into|goes|going|a|worth of))*";
export const each = "(?:a|an|per|each|every|in a|/|p /)";

const timesAYear: Record<PayPeriod, number> = {
  hour: 1950,
  day: 260,
  week: 52,
  fortnight: 26,
  "four weeks": 13,
  month: 12,
  quarter: 4,
  year: 1,
};

/** Returns pounds a year. An amount without a period is yearly. */
export function yearlyOf({ value, period = "year" }: Amount): number {
  return Number((value * timesAYear[period]).toFixed(2));
}

export function partOf(amount: Amount): Part {
  return amount.kind === "percent" ? { share: amount.value / 100 } : { pounds: yearlyOf(amount) };
}
