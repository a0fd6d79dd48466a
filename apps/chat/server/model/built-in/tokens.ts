/** Splits a question into words and amounts. It does not interpret them. */
import type { PayPeriod } from "../../../tax/pay-periods.ts";

export interface Amount {
  value: number;
  kind: "money" | "percent" | "number";
  currency: "£" | "other" | "unsaid";
  /** "k", "grand", "million" … was written, so the size is certain. */
  scaled: boolean;
  negative: boolean;
  /** As written next to it ("a month", "pw"). */
  period?: PayPeriod;
}

export interface Token {
  /** As the person wrote it. */
  text: string;
  /** As the rules read it: lower case, contractions in full, known misspellings put right. */
  word: string;
  amount?: Amount;
  /** `true`: a rule has explained it. `"absorbed"`: explained, and the tokens around it count as adjacent. */
  taken: boolean | "absorbed";
}

const units =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen";
const valueOfWord = new Map<string, number>([
  ...units.split(" ").map((word, value): [string, number] => [word, value]),
  ..."twenty thirty forty fifty sixty seventy eighty ninety"
    .split(" ")
    .map((word, at): [string, number] => [word, (at + 2) * 10]),
]);
const scaleOf: Record<string, number> = {
  k: 1e3,
  grand: 1e3,
  thousand: 1e3,
  m: 1e6,
  mil: 1e6,
  million: 1e6,
  bn: 1e9,
  billion: 1e9,
};

const numberWord = [...valueOfWord.keys(), "hundred", "thousand", "million"].join("|");
const numberWords = new RegExp(
  `(?<!\\d ?)\\b(?:an? (?=hundred|thousand|million))?(?:${numberWord})(?:(?:(?<=hundred|thousand|million) and |[ -])(?:${numberWord}))*\\b`,
  "g",
);

/** "forty five thousand" is "45000"; a lone "one" stays a word ("this one"). */
function digitsOf(words: string): string {
  if (words === "one" || words === "zero") return words;
  let total = 0;
  let group = 0;
  for (const word of words.split(/[ -]+/)) {
    if (word === "hundred") group = Math.max(group, 1) * 100;
    else if (word === "thousand" || word === "million") {
      total += Math.max(group, 1) * (scaleOf[word] ?? 1);
      group = 0;
    } else group += valueOfWord.get(word) ?? 0;
  }
  return String(total + group);
}

/** A tag, or the content of a script. It is not read, and the answer says that it was left out. */
export const markup = /<script[^<>]{0,200}>[^<]{0,200}<\/script>|<[a-z!/][^<>]{0,200}>/gi;

/** Lower case, one kind of dash, quote and space, no markup, and numbers in digits. */
export function plainText(text: string): string {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .replace(markup, " ")
      .replace(/[‐-―−]/g, "-")
      .replace(/[‘’`]/g, "'")
      .replace(/@/g, " at ")
      .replace(/([?!.])[?!.]+/g, "$1")
      .replace(/\s+/g, " ")
      .replace(/\b(an? extra|another|extra|one|an?) grand\b/g, "$1 1 grand")
      .replace(/\bhalf a million\b/g, "500 thousand")
      .replace(/\bp\/([amw])\b/g, "p$1")
      .replace(/\bp\. ?a\b\.?/g, "pa")
      .replace(/\bp\. ?m\b\.?/g, "pm")
      .replace(/\bn\.i\b\.?/g, "ni")
      .replace(/\bfourty\b/g, "forty")
      .replace(/(?<=\bcode )ot\b|\bot(?= (?:tax )?code\b)/g, "0t")
      .replace(/(?<![\w/])w\/(?!\/)/g, "with ")
      .replace(numberWords, digitsOf)
      .replace(/(\d) and a half\b/g, "$1.5")
      // "18 thousand five hundred"
      .replace(
        /\b(\d{1,3}) thousand (?:and )?(\d{1,3})\b(?! ?(?:%|per|h(?:ou)?rs?|days?))/g,
        (_, one, other) => String(Number(one) * 1000 + Number(other)),
      )
      // "twelve pound seventy one an hour"
      .replace(/(\d+) (?:pounds?|quid) (\d\d)(?= ?p\b| an? h| per h|ph)/g, "£$1.$2")
      // "27.000", a common notation in Europe; hourly pay may have a third decimal.
      .replace(
        /(?<![\d.,])\d{1,3}(?:\.\d{3})*\.\d\d0(?![\d.,]*\d|k| ?%| ?(?:an?|per|\/|p\/)? ?h(?:ou)?rs?\b| ?ph\b)/g,
        (dotted) => dotted.replaceAll(".", ""),
      )
      // "45 000", a common notation in Europe.
      .replace(/(?<![\p{L}\d.,/]|plan )\d{1,3}(?: \d{3})+(?![\d.,]*\d|k)/gu, (spaced) =>
        spaced.replaceAll(" ", ""),
      )
      .trim()
  );
}

const pattern = new RegExp(
  [
    // 2026/27, 2026-2027, 24/25: a tax year; the rules decide which year.
    "(?<year>(?<![\\d£$€,.])(?:20\\d\\d ?[/-] ?(?:20)?\\d\\d|\\d\\d[/-]\\d\\d)(?![\\d,.]*\\d|k| ?(?:k|grand|thousand|hours?|hrs?|days?|years?|%)\\b))",
    // "S1257L", "K475 M1": the code, and the mark of an emergency code.
    "\\b(?<code>[sc]?(?:\\d{2,4}(?:[ltn]| l\\b)|\\d{4}m|k\\d{1,4}|0t|d[0-3]|br)|nt)(?<emergency>[ /]?(?:[wm]1|x\\b|wk ?1|mth ?1|week ?1|month ?1))?\\b",
    // A time of day or a duration: "8am", "4:30pm", "30 mins".
    "(?<time>(?<![\\d£.])(?:1[0-2]|0?[1-9])(?:[:.]\\d\\d)? ?[ap]m\\b|\\b\\d+ ?mins?\\b)",
    "(?<form>\\b(?:ir35|p\\d{2}d?s?|\\d{1,2}(?:st|nd|rd|th))\\b)",
    "(?<amount>(?<sign>(?<=^|\\b(?:on|of|is|earn|for|at) )(?:minus |negative )|(?<![\\w£])-)?(?:(?<before>£|\\$|€|¥|₹|(?:gbp|usd|eur|us\\$)(?![a-z])) ?)?(?<sign2>(?<=[£$€] ?)-)?(?:(?<whole>\\d{1,3}(?:,\\d{3})+|\\d+)(?<fraction>\\.\\d+)?|(?<part>\\.\\d+))(?: ?(?<scale>k|grand|thousand|million|billion|mil|bn|m)(?:ish)?(?![a-z0-9]))?(?:ish\\b)?(?: ?(?<after>(?:pounds?|quid|gbp|sterling|dollars?|usd|euros?|eur|rupees?|yen|francs?)\\b|[€$¥₹]))?(?: ?(?<percent>%|per ?cent\\b|pc\\b))?)",
    "(?<word>\\p{L}+(?:'\\p{L}+)?)",
    "(?<mark>[£$€¥₹%+/&=,.;:?!()-])",
  ].join("|"),
  "gu",
);

const contractions: Record<string, string> = {
  "i'm": "i am",
  im: "i am",
  "i've": "i have",
  ive: "i have",
  "i'd": "i would",
  "i'll": "i will",
  "we're": "we are",
  "we've": "we have",
  "we'll": "we will",
  "she'll": "she will",
  "he'll": "he will",
  "they'll": "they will",
  "it'll": "it will",
  "they're": "they are",
  "you're": "you are",
  "she'd": "she would",
  "he'd": "he would",
  "we'd": "we would",
  "it'd": "it would",
  "she's": "she is",
  "he's": "he is",
  whats: "what is",
  "what're": "what are",
  hows: "how is",
  "don't": "do not",
  dont: "do not",
  "doesn't": "does not",
  doesnt: "does not",
  "isn't": "is not",
  "ain't": "is not",
  aint: "is not",
  "what'll": "what will",
  "won't": "will not",
  "can't": "can not",
  cannot: "can not",
  "haven't": "have not",
  "let's": "let us",
  gonna: "going to",
  wanna: "want to",
  takehome: "take home",
  n: "and",
  wud: "would",
  wot: "what",
  hwo: "how",
  hw: "how",
  waht: "what",
  whta: "what",
  teh: "the",
  wil: "will",
  wll: "will",
  muhc: "much",
  mcuh: "much",
  inc: "including",
  incl: "including",
  taketome: "take home",
  takehom: "take home",
  wat: "what",
  wats: "what is",
  wots: "what is",
  percentage: "percentage",
};

function wordOf(text: string): string {
  const known = contractions[text];
  if (known !== undefined) return known;
  if (/^(?:what|how|that|it|there|who|where|when)'s$/.test(text)) return text.replace("'s", " is");
  return text
    .replace(/n't$/, " not")
    .replace(/'ve$/, " have")
    .replace(/'ll$/, " will")
    .replace(/'s?$/, "")
    .replaceAll("'", "");
}

function amountOf(groups: Record<string, string | undefined>): Amount {
  const { sign, before, whole = "0", fraction = groups.part ?? "", scale, after, percent } = groups;
  const plain = Number(whole.replaceAll(",", "") + fraction);
  const value = Number((plain * (scale === undefined ? 1 : (scaleOf[scale] ?? 1))).toFixed(4));
  const words = `${before ?? ""} ${after ?? ""}`.trim();
  const currency = words === "" ? "unsaid" : /£|gbp|pound|quid|sterling/.test(words) ? "£" : "other";
  const isYearLike = /^(?:19[3-9]\d|20[0-4]\d)$/.test(whole) && currency === "unsaid" && scale === undefined;
  const isMoney = currency !== "unsaid" || scale !== undefined || (value >= 1000 && !isYearLike);
  const kind = percent !== undefined ? "percent" : isMoney ? "money" : "number";
  return {
    value,
    kind,
    currency,
    scaled: scale !== undefined,
    negative: (sign ?? groups.sign2) !== undefined,
  };
}

function wordToken(text: string, word = text): Token {
  return { text, word, taken: false };
}

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of plainText(text).matchAll(pattern)) {
    const groups = match.groups ?? {};
    const { year, code, emergency, time, form, amount, word, mark } = groups;
    if (year !== undefined && !isConsecutive(year)) {
      // "20/30" is not a tax year: its numbers are read separately.
      const [first = "", second = ""] = year.split(/[/-]/);
      tokens.push(...tokensOf(first), wordToken(year.includes("/") ? "/" : "-"), ...tokensOf(second));
    } else if (year !== undefined) tokens.push(wordToken(year, `year:${startOf(year)}`));
    else if (code !== undefined) {
      tokens.push(wordToken(code, `code:${code.replace(" ", "")}`));
      if (emergency !== undefined) tokens.push(wordToken(emergency.trim(), "code:emergency"));
    } else if (time !== undefined || form !== undefined) tokens.push(wordToken(time ?? form ?? ""));
    else if (amount !== undefined)
      tokens.push({ text: amount.trim(), word: "", amount: amountOf(groups), taken: false });
    else if (word !== undefined) tokens.push(wordToken(word, wordOf(word)));
    // A hyphen is kept only between amounts, where the rules read it like "to".
    else if (mark !== undefined && mark !== "(" && mark !== ")")
      tokens.push(wordToken(mark, mark === "&" ? "and" : mark === "%" ? "percent" : mark));
  }
  return shareScale(tokens.filter((token, at) => token.word !== "-" || isBetweenAmounts(tokens, at)));
}

function isBetweenAmounts(tokens: readonly Token[], at: number): boolean {
  return tokens[at - 1]?.amount !== undefined && tokens[at + 1]?.amount !== undefined;
}

function startOf(year: string): number {
  const first = Number(/\d+/.exec(year)?.[0]);
  return first < 100 ? 2000 + first : first;
}

function isConsecutive(year: string): boolean {
  const second = Number(/\d+$/.exec(year)?.[0]) % 100;
  return second === (startOf(year) + 1) % 100;
}

const joins = new Set(["-", "to", "and", "or", "vs", "versus", ",", "against"]);

/** In "20 to 120k" and "compare 50 and 60k" the small one is thousands too; so is the second of "45k or 50". */
function shareScale(tokens: Token[]): Token[] {
  tokens.forEach((token, at) => {
    const one = tokens[at - 1]?.amount;
    const other = tokens[at + 1]?.amount;
    if (
      !one ||
      !other ||
      !joins.has(token.word) ||
      /(?:^| )(?:plans?|loans?|am|aged?|turned|turning)$/.test(tokens[at - 2]?.word ?? "")
    )
      return;
    const next = tokens[at + 2];
    const endsThere = next === undefined || next.word === "?" || next.word === "." || next.word === ",";
    // "174.50" is pounds and pence.
    if ([tokens[at - 1], tokens[at + 1]].some((one) => /\.\d\d$/.test(one?.text ?? ""))) return;
    share(other, one);
    if (endsThere || next?.word === "in") share(one, other);
  });
  return tokens;
}

function share(from: Amount, to: Amount): void {
  const isSmall = to.kind === "number" && to.value < 1000;
  if (!from.scaled || from.value >= 1e6 || !isSmall) return;
  to.value *= 1000;
  to.scaled = true;
  to.kind = "money";
}
