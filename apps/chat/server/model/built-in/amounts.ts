/** Reading sums of money out of plain English. Nothing here knows what the sums are for. */

export type PayPeriod = "hour" | "day" | "week" | "fortnight" | "four weeks" | "month" | "year";

export interface Amount {
  /** In the amount's own currency, for one `period`. */
  value: number;
  currency: "£" | "other" | "unsaid";
  /** As written after the amount ("a month", "pw"); `undefined` when nothing says. */
  period: PayPeriod | undefined;
  /** "k", "grand", "million" … was written: the size is certain. */
  scaled: boolean;
  negative: boolean;
  /** Where it stands in the text. */
  start: number;
  end: number;
}

const units: Record<string, number> = Object.fromEntries(
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    .split(" ")
    .map((word, value) => [word, value]),
);
const tens: Record<string, number> = Object.fromEntries(
  "twenty thirty forty fifty sixty seventy eighty ninety".split(" ").map((word, at) => [word, (at + 2) * 10]),
);
const scales: Record<string, number> = {
  k: 1e3,
  grand: 1e3,
  thousand: 1e3,
  m: 1e6,
  mil: 1e6,
  million: 1e6,
  bn: 1e9,
  billion: 1e9,
  trillion: 1e12,
};

const numberWord = [...Object.keys(units), ...Object.keys(tens), "hundred", "thousand", "million"].join("|");
const numberWords = new RegExp(
  `\\b(?:an? (?=hundred|thousand|million))?(?:${numberWord})(?:(?:(?<=hundred|thousand|million) and |[ -])(?:${numberWord}))*\\b`,
  "g",
);

/** "forty five thousand" is "45000", "eighty" before "grand" is "80"; "plan two" and "one of them" stay as they are. */
function digitsOf(words: string, at: number, text: string): string {
  const isAmount =
    /hundred|(?<!^)thousand|(?<!^)million/.test(words) ||
    /^ ?(?:k|grand|pounds?|quid)\b/.test(text.slice(at + words.length, at + words.length + 10));
  if (!isAmount) return words;
  let total = 0;
  let group = 0;
  for (const word of words.split(/[ -]+/)) {
    if (word === "hundred") group = Math.max(group, 1) * 100;
    else if (word === "thousand" || word === "million") {
      total += Math.max(group, 1) * (scales[word] ?? 1);
      group = 0;
    } else group += units[word] ?? tens[word] ?? 0;
  }
  return String(total + group);
}

/** Lower case, one kind of dash, quote and space, and "eighty grand" as "80 grand". */
export function plainText(text: string): string {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .replace(/[‐-―−]/g, "-")
      .replace(/[‘’]/g, "'")
      .replace(/\s+/g, " ")
      .replace(/\bhalf a million\b/g, "500 thousand")
      .replace(numberWords, digitsOf)
      // "45 000", as much of Europe writes it.
      .replace(/(?<![\d.,/]|plan )\d{1,3}(?: \d{3})+(?![\d.,]*\d|k)/g, (spaced) => spaced.replaceAll(" ", ""))
      .trim()
  );
}

const amountPattern =
  /(?<![\w.,/])(?<sign>(?:minus|negative) ?|-)?(?<before>£|\$|€|¥|₹|(?:gbp|usd|eur|us\$) ?)? ?(?<sign2>-)?(?<whole>\d{1,3}(?:,\d{3})+|\d+)(?<fraction>\.\d+)?(?: ?(?<scale>k|grand|thousand|million|billion|trillion|mil|bn|m)(?![a-z0-9]))?(?: ?(?<after>pounds?|quid|gbp|sterling|dollars?|usd|euros?|eur|rupees?|yen|francs?)\b)?(?![\d\w])/g;

const periodWords: Record<string, PayPeriod> = {
  hour: "hour",
  hr: "hour",
  h: "hour",
  hourly: "hour",
  ph: "hour",
  day: "day",
  daily: "day",
  "day rate": "day",
  pd: "day",
  week: "week",
  wk: "week",
  weekly: "week",
  pw: "week",
  fortnight: "fortnight",
  fortnightly: "fortnight",
  "four weeks": "four weeks",
  "4 weeks": "four weeks",
  month: "month",
  mth: "month",
  mo: "month",
  monthly: "month",
  pm: "month",
  pcm: "month",
  year: "year",
  yr: "year",
  annum: "year",
  yearly: "year",
  annually: "year",
  annual: "year",
  pa: "year",
};

const periodAfter =
  /^(?: (?:gross|net|salary|before tax|after tax|take-?home))?(?: ?(?:\/|per|an?|each|every) ?(?<noun>hour|hr|h|day|four weeks|4 weeks|week|wk|fortnight|month|mth|mo|year|yr|annum)\b| ?(?<adverb>hourly|daily|day rate|weekly|fortnightly|monthly|yearly|annually|annual)\b| ?(?<short>p\/?(?:cm|m|w|h|d|a))\b| ?(?<dotted>p\.a\.))/;

const periodBefore =
  /\b(?<adverb>hourly|daily|day|weekly|monthly|annual|yearly) (?:gross )?(?:salary|wage|wages|rate|income|pay)(?: (?:of|is|at|was|=))?[ :]*$/;

/** From here on "45000 monthly" is taken for a yearly salary that is to be shown by the month. */
const implausiblePerMonth = 15_000;

interface Extent {
  period: PayPeriod | undefined;
  /** The amount and the words that say its period: "monthly salary of 2500", "£600 a week". */
  start: number;
  end: number;
}

function extentOf(text: string, start: number, end: number, value: number): Extent {
  const after = periodAfter.exec(text.slice(end, end + 40));
  if (after?.groups) {
    const { noun, adverb, short, dotted } = after.groups;
    const word = noun ?? adverb ?? (dotted ? "pa" : (short ?? "").replace("/", ""));
    const period = periodWords[word];
    const isShownBy = adverb !== undefined && period !== "year" && value >= implausiblePerMonth;
    if (!isShownBy) return { period, start, end: end + after[0].length };
  }
  const before = periodBefore.exec(text.slice(Math.max(0, start - 60), start));
  const word = before?.groups?.adverb;
  if (!before || word === undefined) return { period: undefined, start, end };
  return { period: periodWords[word], start: start - before[0].length, end };
}

function currencyOf(before: string | undefined, after: string | undefined): Amount["currency"] {
  const words = `${before ?? ""} ${after ?? ""}`.trim();
  if (words === "") return "unsaid";
  return /£|gbp|pound|quid|sterling/.test(words) ? "£" : "other";
}

function isHyphenOfRange(text: string, start: number): boolean {
  return /[\dk] ?$/.test(text.slice(Math.max(0, start - 2), start));
}

/**
 * The sums of money in a text, in reading order.
 * @param text as `plainText` leaves it, with whatever is not money (years, plans, hours) blanked out by the caller
 */
export function readAmounts(text: string): Amount[] {
  const amounts: Amount[] = [];
  for (const match of text.matchAll(amountPattern)) {
    const { sign, before, sign2, whole = "", fraction = "", scale, after } = match.groups ?? {};
    const value =
      Number(whole.replaceAll(",", "") + fraction) * (scale === undefined ? 1 : (scales[scale] ?? 1));
    const joins = (sign ?? sign2) !== undefined && isHyphenOfRange(text, match.index);
    const start = match.index + (joins ? (sign ?? sign2 ?? "").length : 0);
    const extent = extentOf(text, start, match.index + match[0].length, value);
    amounts.push({
      value: Number(value.toFixed(2)),
      currency: currencyOf(before, after),
      scaled: scale !== undefined,
      negative: (sign ?? sign2) !== undefined && !joins,
      ...extent,
    });
  }
  return shareScale(text, amounts);
}

/** In "20 to 120k" and "compare 50 and 60k" the small one is thousands too; so is the period of "£500 or £600 a week". */
function shareScale(text: string, amounts: Amount[]): Amount[] {
  const joined = (one: Amount, other: Amount) =>
    /^ ?(?:,|-|to|and|or|vs\.?|versus|&|against|, and)? ?$/.test(text.slice(one.end, other.start));
  const shared = amounts.map((amount) => ({ ...amount }));
  for (let at = shared.length - 2; at >= 0; at--) {
    const one = shared[at];
    const next = shared[at + 1];
    if (!one || !next || !joined(one, next)) continue;
    if (
      !one.scaled &&
      one.period === undefined &&
      one.value > 0 &&
      one.value < 1000 &&
      next.scaled &&
      next.value < 1e6
    ) {
      one.value *= 1000;
      one.scaled = true;
    }
    if (one.period === undefined && next.period !== undefined) one.period = next.period;
  }
  for (let at = 1; at < shared.length; at++) {
    const one = shared[at - 1];
    const next = shared[at];
    if (!one || !next || !joined(one, next)) continue;
    if (
      !next.scaled &&
      next.period === undefined &&
      next.currency === "unsaid" &&
      next.value > 0 &&
      next.value < 1000 &&
      /^(?: (?:and|or|to|in|on|for|with|after|a|per|net|vs|versus|please)\b| ?[^ a-z]|$)/.test(
        text.slice(next.end),
      ) &&
      one.scaled &&
      one.value < 1e6
    ) {
      next.value *= 1000;
      next.scaled = true;
    }
  }
  return shared;
}
