/** What one message says, by itself: amounts, country, year, plans, topic. What it means is for `understand.ts`. */
import type { Country, StudentLoanPlan } from "../../../contract.ts";
import { type Amount, plainText, readAmounts } from "./amounts.ts";
import { readCountries, readPlans, readTaxYears } from "./circumstances.ts";
import { Reader } from "./reader.ts";
import { type Rise, readRise } from "./rise.ts";
import { readTopic, type Topic } from "./topics.ts";

export interface Facts {
  /** The message as `plainText` leaves it. */
  text: string;
  words: number;
  amounts: Amount[];
  step: number | undefined;
  /** "5k more", "a 3% pay rise": what is earned beside the salary in question. */
  rise: Rise | undefined;
  countries: Country[];
  /** Named years, known or not, such as "2023/24". */
  taxYears: string[];
  /** "this year", "the current tax year" was said. */
  thisYear: boolean;
  /** `undefined`: nothing said; empty: none, in so many words. */
  plans: StudentLoanPlan[] | undefined;
  /** A plan that does not exist was named. */
  unknownPlan: string | undefined;
  /** "also", "as well": the plans come on top of those before. */
  addsPlans: boolean;
  withAndWithout: boolean;
  loanWithoutPlan: boolean;
  topic: Topic | undefined;
  hoursPerWeek: number | undefined;
  daysPerWeek: number | undefined;
  /** The answer is wanted by the month or week. */
  shownBy: "month" | "week" | undefined;
  wantsTable: boolean;
  wantsComparison: boolean;
  isFollowUp: boolean;
  speaksOfPay: boolean;
}

/** Longer messages are read up to here: nobody's salary question is longer, and reading stays quick. */
const longestRead = 2_000;

function readStep(reader: Reader): number | undefined {
  let step: number | undefined;
  const sum = "£? ?\\d[\\d,]*(?:\\.\\d+)? ?(?:k|grand|thousand)?";
  const read = (text: string) => {
    const [amount] = readAmounts(text.trim());
    if (amount && amount.value > 0) step = amount.value;
    return amount !== undefined;
  };
  const before = new RegExp(
    `\\b(?:in |with |at )?(?:steps?|increments?|intervals?|jumps?|gaps?)(?: size)?(?: of| by)? (?<sum>${sum})(?![\\w])`,
    "g",
  );
  reader.take(before, (_, groups) => read(groups.sum ?? ""));
  reader.take(new RegExp(`\\bevery (?<sum>${sum})(?![\\w])`, "g"), (_, groups) => read(groups.sum ?? ""));
  const after = new RegExp(
    `\\b(?:in |with |at )?(?<sum>${sum}) (?:steps|increments|intervals|jumps|gaps)\\b`,
    "g",
  );
  reader.take(after, (_, groups) => read(groups.sum ?? ""));
  if (step === undefined) {
    reader.take(new RegExp(`(?<=\\d ?k? )by (?<sum>${sum})(?= ?$|[?.,])`, "g"), (_, groups) =>
      read(groups.sum ?? ""),
    );
  }
  return step;
}

function readPerWeek(reader: Reader, unit: string): number | undefined {
  let count: number | undefined;
  const pattern = new RegExp(
    `(?<count>\\d+(?:\\.\\d+)?)[ -]?(?:${unit})(?: ?(?:\\/|an?|per|each|every) ?(?:week|wk)| (?:weekly|week))\\b`,
    "g",
  );
  reader.take(pattern, (_, groups) => {
    count = Number(groups.count);
    return true;
  });
  return count;
}

/**
 * Reads one message.
 * @param nowMs milliseconds since the epoch: what "last year" is counted from
 */
export function readFacts(message: string, nowMs: number): Facts {
  const text = plainText(message.slice(0, longestRead));
  const reader = new Reader(text);
  const rise = readRise(reader);
  // Other percentages are never salaries.
  reader.take(/\d+(?:\.\d+)? ?(?:%|per ?cent\b)/g, () => true);
  const hoursPerWeek = readPerWeek(reader, "hours?|hrs?|h");
  const daysPerWeek = readPerWeek(reader, "days?");
  reader.take(/\bwith (?:and|or|vs|versus) without\b/g, () => true);
  const { taxYears, thisYear } = readTaxYears(reader, nowMs);
  const { plans, unknownPlan, none } = readPlans(reader);
  const step = readStep(reader);
  const amounts = readAmounts(reader.text);
  let rest = reader.text;
  for (const { start, end } of amounts)
    rest = rest.slice(0, start) + " ".repeat(end - start) + rest.slice(end);
  const withAndWithout = /\bwith (?:and|or|vs|versus) without\b/.test(text);
  const topic = readTopic(text, amounts.length > 0);
  return {
    text,
    words: text === "" ? 0 : text.split(" ").length,
    amounts,
    step,
    rise,
    countries: /\bboth (?:countries|nations)\b/.test(text)
      ? ["England/NI/Wales", "Scotland"]
      : readCountries(text),
    taxYears,
    thisYear,
    plans,
    unknownPlan,
    addsPlans: /\b(?:as well|too|also|plus|on top|in addition)\b/.test(text),
    withAndWithout,
    loanWithoutPlan: plans === undefined && !none && /\bstudent loans?\b|\bstudent debt\b/.test(text),
    topic,
    hoursPerWeek,
    daysPerWeek,
    shownBy: /\b(?:monthly|(?:a|per|each|every|by|by the) month|pay ?slip|pm|pcm)\b/.test(rest)
      ? "month"
      : /\b(?:weekly|(?:a|per|each|every|by|by the) week|pw)\b/.test(rest)
        ? "week"
        : undefined,
    wantsTable:
      step !== undefined ||
      /\b(?:chart|graph|plot|table|curve|draw|range|line|spread ?sheet|tabulate)\b/.test(text),
    wantsComparison:
      /\b(?:compar\w*|versus|vs|against|difference|differ|better|worse|both|rather than|instead of|raise|pay ?rise|rise|promotion|promoted|increase|more would i|went|go|going|move|moved|moving|jump|lose|gain)\b/.test(
        text,
      ) || withAndWithout,
    isFollowUp:
      /^(?:and|but|or|so|then|ok|okay|now|with|without|same|also|plus|in|for|at|on|if|make it|try|yes)\b|\b(?:what about|how about|what if|same for|instead)\b/.test(
        text,
      ),
    speaksOfPay:
      /\b(?:salary|salaries|earn\w*|paid|pay|wage\w*|income|make|job|gross|package|offer|on|get)\b/.test(
        text,
      ),
  };
}
