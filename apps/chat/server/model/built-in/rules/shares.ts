/** Shares of the take-home: "my rent is half my take home", "a third of my net pay". They go before any period is read. */
import type { Facts, ShareOfTakeHome } from "../facts.ts";
import type { Match } from "../reading.ts";
import { percent } from "../wording.ts";
import { each, type Rule, rule } from "./rule.ts";
import { outgoingNames } from "./sums.ts";

const parts: [parts: number, one: string, several: string][] = [
  [2, "half", "halves"],
  [3, "third", "thirds"],
  [4, "quarter", "quarters"],
  [5, "fifth", "fifths"],
  [6, "sixth", "sixths"],
  [8, "eighth", "eighths"],
  [10, "tenth", "tenths"],
];
const one = `(?:(?:an?|one) )?(?<one>${parts.map(([, word]) => word).join("|")})`;
const several = `N (?<several>${parts.map(([, , words]) => words).join("|")})`;
const fraction = `(?:${one}|${several}|N / N|P|N)`;

const whose = "(?:my|our|the|your|total|whole|monthly|weekly|yearly|annual|household)";
const pay = "(?:pay|salary|income|wages?|money|earnings)";
const takeHome = `(?:take home(?: ${pay})?|nett?(?: (?:monthly|weekly|yearly))?(?: ${pay})?|after tax ${pay}|${pay} after (?:tax|deductions)|disposable income|pay ?packet)`;
// "8% net pay pension" is not a share: only "half" is used without "of".
const ofTakeHome = `(?:${fraction} (?:of|off)|(?<half>half))(?: ${whose})* ${takeHome}`;

/** "1/12 of my net" is monthly pay, which the rules for periods read. */
const periodParts = new Set([12, 13, 26, 52]);

function shareOf({ amounts, groups }: Match): Pick<ShareOfTakeHome, "share" | "words"> | undefined {
  const word = groups.one ?? groups.several ?? groups.half;
  const [first, second] = amounts;
  const part = parts.find(([, single, many]) => word === single || word === many);
  if (part) {
    const [whole, single, many] = part;
    const count = groups.several === undefined ? 1 : (first?.value ?? 0);
    const words = groups.several === undefined ? (whole === 2 ? "half" : `a ${single}`) : `${count} ${many}`;
    return count > 0 && count <= whole
      ? { share: count / whole, words: words.replace("a eighth", "an eighth") }
      : undefined;
  }
  if (first?.kind === "percent") {
    const share = first.value / 100;
    return share > 0 && share <= 1 ? { share, words: percent(share) } : undefined;
  }
  if (first === undefined) return undefined;
  // "0.5 of my take home"
  if (second === undefined)
    return first.value > 0 && first.value < 1
      ? { share: first.value, words: String(first.value) }
      : undefined;
  if (periodParts.has(second.value)) return undefined;
  const share = first.value / second.value;
  return share > 0 && share <= 1 ? { share, words: `${first.value}/${second.value}` } : undefined;
}

function setShare(facts: Facts, match: Match): boolean {
  const found = shareOf(match);
  if (!found) return false;
  const name = (match.groups.name ?? match.groups.saved)?.replace(
    /^(?:sav(?:e|ing)|put(?:ting)? (?:away|aside))$/,
    "savings",
  );
  facts.shares.push({ ...found, name });
  return true;
}

const names = `(?<name>${outgoingNames})`;
const saves = "(?<saved>sav(?:e|ing)|put(?:ting)? (?:away|aside))";
const than = "(?:(?:no |not )?(?:more|less) than|over|under|above|below|at most|up to)";
const takes = `(?: (?:${than}|payments?|costs?|is|are|was|at|of|=|:|about|around|roughly|takes?|up|eats?|to be|will be|would be|comes to|me|which|that))*`;
const goes = "(?: (?:goes|going|go|is|on|for|to|towards|into|in|as|a|the|my|spent|pays?|our))+";

export const shareRules: Rule[] = [
  rule(`${names}${takes} ${ofTakeHome}`, setShare),
  rule(`(?:(?:spend|spending|pay|paying) )?${ofTakeHome}${goes} ${names}(?! (?:of|is) A)`, setShare),
  rule(`${saves} ${ofTakeHome}`, setShare),
  rule(
    `(?:(?:is (?:that|it|this) )?${than} |spend(?:ing)? )?${ofTakeHome}(?: ${each} month| monthly)?`,
    setShare,
  ),
  rule(`${fraction} of (?:that|it|this)(?= ?(?:please|pls|plz|then)? ?[?.!]?$)`, (facts, match, reading) => {
    const found = shareOf(match);
    if (!found || reading.money.length > 0) return false;
    facts.shareOfThat = { ...found, name: undefined };
  }),
];

/** "how much is my rent", if the rent was given as a share. */
export const shareAsked = rule(
  `(?:(?:how much|what)(?: (?:is|are|will|would|does|do|should))* )?${names}(?: (?:be|cost|come to|is))*`,
  ({ shares }, { groups }) => shares.some(({ name }) => name === groups.name),
);
