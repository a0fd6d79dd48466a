/** Rules for periods such as "a month": the period of an amount or of the answer. */
import type { PayPeriod } from "../../../../tax/pay-periods.ts";
import type { Match } from "../reading.ts";
import { each, type Rule, rule } from "./rule.ts";

const names: [period: PayPeriod, nouns: string, adverbs: string][] = [
  ["four weeks", "N weeks", "N weekly|four weekly"],
  ["hour", "hours?|hrs?|h", "hourly|ph"],
  ["day", "days?|shifts?", "daily|day rate|pd"],
  ["fortnight", "fortnights?", "fortnightly|bi ?weekly"],
  ["week", "weeks?|wks?|w", "weekly|pw"],
  ["month", "months?|mths?|mo|m", "monthly|pm|pcm"],
  ["quarter", "quarters?", "quarterly"],
  ["year", "years?|yrs?|annum|y", "yearly|annually|(?<!(?:as|am|is) )pa"],
];
const groupOf = (period: PayPeriod) => period.replace(" ", "");
const periodWords = names
  .map(([period, nouns, adverbs]) => `(?<${groupOf(period)}>${each} (?:${nouns})|${adverbs})`)
  .join("|");

function periodOf({ groups, amounts: [weeks] }: Match): PayPeriod | undefined {
  if (groups.fourweeks !== undefined && weeks?.value === 2) return "fortnight";
  if (groups.fourweeks !== undefined && weeks?.value !== 4) return undefined;
  return names.find(([period]) => groups[groupOf(period)] !== undefined)?.[0];
}

/** From these amounts on, "45k a month" is a yearly salary to be shown by the month. */
export const implausible: Record<PayPeriod, number> = {
  hour: 1_000,
  day: 5_000,
  week: 4_000,
  fortnight: 8_000,
  "four weeks": 10_000,
  month: 10_000,
  quarter: 50_000,
  year: Number.POSITIVE_INFINITY,
};

const before =
  "gross|(?<kept>net|after tax|take home)|salary|wages?|pay|before tax|rent|mortgage|bills|bonus|overtime|commission|tips|pension|car allowance|allowance|childcare|nursery|travel|expenses|into (?:my |a |the )?pension|pay rise|rise|raise|more|extra|increase";

/** Periods next to an amount. These rules run before articles are removed. */
export const amountPeriods: Rule[] = [
  // "36 hours a week at 13.40"
  rule(
    "(?<=(?:hours?|hrs?|·) (?:(?:a|per|each|/) (?:week|wk) )?)(?:at|@|on|for|x|times)(?= N(?! (?:hours?|hrs?|days?|weeks?|years?)))",
    (_, { after: amount }, reading) => {
      if (amount?.kind !== "number" || amount.period !== undefined || amount.value < 5 || amount.value > 100)
        return false;
      if (!/ (?:hours?|hrs?)\b/.test(reading.text)) return false;
      amount.period = "hour";
      amount.kind = "money";
      reading.changed();
    },
    "absorb",
  ),
  rule(
    `(?<=(?<earns>(?:earn|earns|earning|make|makes|making) )?(?:A|P) (?:(?:(?<extra>bonus|overtime|commission|tips|allowance|car allowance)|${before}) )?)(?:${periodWords})(?:(?= (?:take home|net|after tax))(?<result>)|)`,
    (facts, match, reading) => {
      const period = periodOf(match);
      const { before: amount, groups } = match;
      if (amount === undefined || period === undefined) return false;
      // In "4 weekly pay of £2,200" the number is not an amount.
      if (amount.kind === "number" && match.text === "weekly" && match.after?.kind === "money") return false;
      for (const weeks of match.amounts) reading.takeAmount(weeks);
      // "hourly 17.25 take home yearly": the amount has its period before it.
      const hasOwn = groups.kept !== undefined && /ly$/.test(reading.wordBefore(amount));
      const isShown =
        amount.kind !== "percent" &&
        amount.value >= implausible[period] &&
        !(groups.earns && groups.kept === undefined);
      // "31k shift allowance 2k take home a month" asks for the take-home by the month.
      const isAsked =
        (groups.kept !== undefined && reading.money.length > 1) ||
        (groups.extra !== undefined && groups.result !== undefined);
      // "at 13.68 per hour": the amount has this period already.
      if (amount.period === period && !hasOwn) return;
      if (amount.period !== undefined || hasOwn || isShown || isAsked || amount.kind === "percent")
        facts.shownBy = period;
      else {
        amount.period = period;
        amount.kind = "money";
        reading.changed();
      }
    },
    "absorb",
  ),
  // "£3,100 gross this month"
  rule(
    "(?<=A (?:(?:gross|net|before tax|after tax|basic|pay|wages?) )*)(?:this|last) (?<unit>month|week)(?! (?:bonus|overtime|commission|backpay|back pay))",
    (facts, { groups, before: amount }, reading) => {
      const period = groups.unit as PayPeriod;
      if (amount === undefined || amount.kind === "percent" || amount.period !== undefined) return false;
      if (reading.money.length > 1 || amount.value >= implausible[period]) return false;
      amount.period = period;
      amount.kind = "money";
      facts.remarks.push(`I assumed that every ${period} is like this one.`);
      reading.changed();
    },
    "absorb",
  ),
  // "gross pay this month was 3,100"
  rule(
    "(?:this|last) (?<unit>month|week)(?= (?:is|was|of|:) A)",
    (facts, { groups, after: amount }, reading) => {
      const period = groups.unit as PayPeriod;
      if (amount === undefined || amount.period !== undefined || amount.value >= implausible[period])
        return false;
      amount.period = period;
      amount.kind = "money";
      facts.remarks.push(`I assumed that every ${period} is like this one.`);
      reading.changed();
    },
    "absorb",
  ),
  // "2,800 year", "2000 month"
  rule(
    "(?<=A )(?<unit>year|month|week)(?= (?:on|and|from|with|,|after|before|net|gross|take)(?!\\S)|$)",
    (_, { groups, before: amount }, reading) => {
      if (amount === undefined || amount.kind === "percent" || amount.period !== undefined) return false;
      const period = groups.unit as PayPeriod;
      if (amount.value >= implausible[period]) return false;
      amount.period = period;
      amount.kind = "money";
      reading.changed();
    },
    "absorb",
  ),
  rule(
    `(?:${periodWords})(?: rate)?(?= (?:(?:gross|net|nett|take home|basic|salary|wages?|rate|income|pay|rent|bonus|earnings|before tax|i|we|get|am|paid|earn|receive|is|of|at|was|are|=|:|,) )*A)|(?<day2>day) rate(?: (?:is|of|at|=|:))?(?= A)`,
    (_, match, reading) => {
      const period = match.groups.day2 ? "day" : periodOf(match);
      const { after: amount } = match;
      if (amount === undefined || period === undefined || amount.period !== undefined) return false;
      if (amount.value >= implausible[period]) return false;
      for (const weeks of match.amounts) reading.takeAmount(weeks);
      amount.period = period;
      amount.kind = "money";
      reading.changed();
    },
    "absorb",
  ),
];

/** Periods that do not belong to an amount: the period of the answer. */
export const shownPeriods: Rule[] = [
  // "and the year?"
  rule(
    "(?<=^(?:(?:and|so|for|what|about|in) )*)(?:the |a )?(?<unit>year|month|week|day)(?= ?[?.!]?$)",
    (facts, { groups }) => {
      facts.shownBy = groups.unit as PayPeriod;
    },
  ),
  rule(
    `(?:(?:broken down|work out|shown|comes?) )*(?:${periodWords}|(?:in|into|by) (?<unit>hour|day|week|month)s?)(?: (?:pay|take home|breakdown|basis|terms|equivalent|income|rate))*`,
    (facts, match) => {
      const unit = match.groups.unit as PayPeriod | undefined;
      const period = unit ?? periodOf(match);
      if (period === undefined) return false;
      facts.shownBy ??= period;
      // "monthly, weekly and daily"
      if (facts.shownBy !== period)
        facts.remarks.push(
          `For ${period === "four weeks" ? period : `the ${period}`}, change “Shown” in the card.`,
        );
    },
  ),
];
