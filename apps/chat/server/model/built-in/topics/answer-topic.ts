/** Answers questions about topics next to a pay slip, each with the year's figures and its source. */

import { toPence } from "../../../../tax/pence.ts";
import { currentTaxYear, isKnownTaxYear, latestTaxYear } from "../../../../tax/tax-year.ts";
import { Facts } from "../facts.ts";
import { absorbed } from "../noise.ts";
import { longestRead } from "../read.ts";
import { phrase, Reading } from "../reading.ts";
import type { Reply } from "../replies.ts";
import { byYear } from "../rules/by-year.ts";
import { ageRules, nationRules, yearRules } from "../rules/circumstances.ts";
import { amountPeriods } from "../rules/periods.ts";
import { rule, yearlyOf } from "../rules/rule.ts";
import { putRight, wordsOf } from "../spelling.ts";
import { subjectRules } from "../subjects.ts";
import { type Amount, type Token, tokensOf } from "../tokens.ts";
import { pounds } from "../wording.ts";
import { topics } from "./all.ts";
import type { Answer, Given, Topic } from "./topic.ts";

/** Patterns are compiled once. */
function kept(make: (source: string) => RegExp): (source: string) => RegExp {
  const made = new Map<string, RegExp>();
  return (source) => {
    const pattern = made.get(source) ?? make(source);
    made.set(source, pattern);
    return pattern;
  };
}

const wholeWords = kept((words) => new RegExp(`(?<!\\S)(?:${words})(?!\\S)`));
const rolePattern = kept(phrase);

const takeHome = "take home|takes home|taking home|net pay|after tax|in hand|end up with|in my pocket";
const partner = "wife|wifes|husband|hubby|partner|spouse|girlfriend|boyfriend|missus";
const comparison = "vs|versus|compare|compared|instead of|or should|rather than|better";
/** The rules of the reader for years, periods, ages and nations. */
const readerRules = (current: number) => [
  ...yearRules(current),
  ...amountPeriods,
  ...ageRules,
  rule("(?<=pension .*)at N", (of, { amounts: [age] }) => {
    const value = age?.value ?? 0;
    if (of.age !== undefined || !Number.isInteger(value) || value < 16 || value > 110) return false;
    of.age = value;
    return undefined;
  }),
  rule(absorbed, undefined, "absorb"),
  ...nationRules,
  rule("plans? N"),
];

/** Words that are right as they are, and to which misspelled ones are put right. */
const known = wordsOf([
  ...topics.flatMap(({ about, asks = "", unless = "", roles = [] }) => [
    about,
    asks,
    unless,
    ...roles.map(([, pattern]) => pattern),
  ]),
  ...readerRules(0).map(({ source }) => source),
  ...[takeHome, partner, comparison],
]);

const elsewhere = subjectRules
  .filter(({ subject: { name } }) =>
    /^(?:VAT|Capital Gains Tax|Corporation Tax|Inheritance Tax|Stamp Duty|tax outside the UK)$/.test(name),
  )
  .map(({ pattern }) => phrase(pattern));

/** Forms that the reader of amounts would split: "P800". */
function withForms(message: string): string {
  return message.replace(/\bp ?800s?\b/gi, " pnotice ").replace(/\bp ?(50|53)z\b/gi, " pnotez ");
}

const rulesAt = byYear(readerRules);

interface Heard {
  tokens: Token[];
  text: string;
}

function hear(message: string): Heard {
  const tokens = tokensOf(withForms(message.slice(0, longestRead)));
  putRight(tokens, known);
  const text = tokens
    .map(({ amount, word }, at) => {
      if (!amount) return word;
      return tokens[at - 1]?.word === "class" ? String(amount.value) : "#";
    })
    .join(" ")
    .replaceAll("pnotice", "p800")
    .replaceAll("pnotez", "p50z");
  return { tokens, text };
}

/** Takes the words for years, periods, ages and nations, which have the same meaning in every topic. */
function takeFacts(tokens: Token[], nowMs: number): Facts {
  const facts = new Facts();
  const reading = new Reading(tokens);
  for (const { pattern, use, how } of rulesAt(nowMs)) {
    reading.take(pattern, (match) => use(facts, match, reading), how);
  }
  return facts;
}

/** Gives each amount its role in the topic. The tokens are copied: another topic reads them anew. */
function takeRoles(topic: Topic, heard: readonly Token[]) {
  const tokens = heard.map((token) => ({ ...token }));
  const reading = new Reading(tokens);
  const amounts: Record<string, Amount> = {};
  for (const [name, pattern, holds] of topic.roles ?? []) {
    reading.take(rolePattern(pattern), ({ amounts: [amount] }) => {
      if (amount === undefined || amounts[name] !== undefined || holds?.(amount) === false) return false;
      amounts[name] = amount;
      return undefined;
    });
  }
  const taken = Object.values(amounts);
  /** "how much of the 45k": an amount that has a role already. */
  const isReference = (at: number) =>
    /^(?:the|that|this|those)$/.test(tokens[at - 1]?.word ?? "") &&
    taken.some(({ value }) => value === tokens[at]?.amount?.value);
  const left = tokens.flatMap(({ amount, taken: isTaken }, at) =>
    amount && !isTaken && !isReference(at) ? [amount] : [],
  );
  return { amounts, left };
}

function answerWith(topic: Topic, heard: Heard, given: Omit<Given, "amounts" | "yearly" | "count">) {
  const { amounts, left } = takeRoles(topic, heard.tokens);
  const isSaid = heard.tokens.some(
    ({ amount, taken }) => amount && !taken && (amount.kind !== "number" || amount.period !== undefined),
  );
  const isAsked = !isSaid || topic.asks === undefined || given.has(topic.asks);
  const whole: Given = {
    ...given,
    amounts,
    yearly: (role) => {
      const amount = amounts[role];
      return amount && toPence(yearlyOf(amount));
    },
    count: (role) => amounts[role]?.value,
  };
  if (left.length === 0 && isAsked) {
    const answer = topic.calculate?.(whole);
    if (answer) return { answer, amounts };
  }
  const isLarge = left.some(({ kind, value }) => kind !== "number" || value >= 100);
  if (isSaid || isLarge || topic.explain === undefined) return undefined;
  return { answer: topic.explain(whole), amounts };
}

function replyWith(
  { text, source }: Answer,
  amounts: Record<string, Amount>,
  notes: readonly string[],
): Reply {
  const { salary } = amounts;
  return {
    kind: "reply",
    text: [text, ...notes, `Source: [GOV.UK](${source}).`].join(" "),
    suggestions: [salary ? `Take-home on ${pounds(yearlyOf(salary))}` : "Take-home on £45,000"],
  };
}

/**
 * Answers a message that is about a topic next to a pay slip, if each of its amounts has a clear role there.
 * @param nowMs milliseconds since the epoch, to find the current tax year
 * @returns `undefined` for other messages: they are the reader's
 */
export function answerTopic(message: string, nowMs: number): Reply | undefined {
  const heard = hear(message);
  const { text, tokens } = heard;
  const has = (words: string) => wholeWords(words).test(text);
  const found = topics.filter(({ about }) => has(about));
  if (found.length === 0) return undefined;
  const facts = takeFacts(tokens, nowMs);
  const money = tokens.flatMap(({ amount }) => amount ?? []);
  if (money.some(({ currency, negative }) => currency === "other" || negative)) return undefined;
  if (facts.taxYears.some((year) => !isKnownTaxYear(year)) || facts.nations.length > 1) return undefined;
  const plain = new Reading(tokens.map((token) => ({ ...token, taken: false })));
  if (elsewhere.some((pattern) => plain.take(pattern))) return undefined;
  const hasSums = money.some(({ kind, period, value }) => kind !== "number" || period || value >= 100);
  if (hasSums && has(comparison)) return undefined;

  const running = currentTaxYear(nowMs) ?? latestTaxYear;
  const isCompared = has("(?:than|to|with|and|vs) last year");
  const said = facts.taxYears.find(isKnownTaxYear);
  const taxYear = isCompared || said === undefined ? running : said;
  const notes = has("student loans?|plan #") ? ["I left the student loan out."] : [];
  for (const topic of found) {
    if (topic.unless !== undefined && has(topic.unless)) continue;
    if (!topic.answersTakeHome && has(takeHome)) continue;
    if (!topic.answersCouples && hasSums && has(partner)) continue;
    if (has(`(?:not|no longer|never|without|used to be|excluding)(?: \\S+){0,2} (?:${topic.about})`))
      continue;
    const nation = facts.nations[0] ?? "England";
    const answered = answerWith(topic, heard, { text, taxYear, nation, age: facts.age, has });
    if (answered) return replyWith(answered.answer, answered.amounts, notes);
  }
  return undefined;
}
