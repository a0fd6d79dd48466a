/** Reads one message. Each word is explained by a rule, ignored as noise, or listed as a leftover. */
import { usualDays } from "../../../tax/pay-periods.ts";
import { Facts } from "./facts.ts";
import { topicOf } from "./glossary.ts";
import { isNoise, tellingWords } from "./noise.ts";
import { phrase, Reading } from "./reading.ts";
import { rulesFor } from "./rules/all.ts";
import { byYear } from "./rules/by-year.ts";
import { yearlyOf } from "./rules/rule.ts";
import { partOfFullTime } from "./salaries.ts";
import { putRight, wordsOf } from "./spelling.ts";
import { addSubject, jobSentence } from "./subjects.ts";
import { markup, plainText, type Token, tokensOf } from "./tokens.ts";
import { pounds } from "./wording.ts";

/** How many characters of a message are read. Usual questions are shorter. */
export const longestRead = 600;

const grammarAt = byYear((year) => {
  const rules = rulesFor(year);
  return { rules, words: wordsOf(rules.map(({ source }) => source)) };
});

const bareSalary = phrase(
  "(?<=(?:on|earn|earns|earning|make|making|salary|salary is|of|paid|get|at|for|is|meant|about) )N(?! [a-z])|(?<=^[^\ue000-\uf8ff]*)N(?=[ ,.?!·]*$)",
);
const paidAt = phrase("on M");
/** An unknown word after one of these decides who or what is asked for: "how much do companies pay", "how fast". */
const telling: ReadonlySet<string> = new Set(tellingWords);
const asksFor = /^(?:how|which|why|who|what|is|are)$/;

/** In a sentence that only tells, other telling words are part of the story. */
const turning =
  /^(?:percent|money|not|no|never|none|only|used|stop(?:s|ped)?|until|till|unless|except|without|instead|los[et]|losing|end(?:s|ed)?|finish(?:es|ed)?|quit|left|leav(?:e|es|ing)|cancel(?:s|led)?|declined|refused|unemployed|shares?|shared|split|overtaxed|former|previous|previously|ex|hours?|days?|shifts?|extra|more|less|fewer|half|double)$/;

const partOfYear = /\d+ (?:weeks?|months?)\b/;

const further =
  /\b(?:also|additionally) (?:[a-z]+ )?(?:do|did|doing|take|took|taking|get|got|getting|have|had|having|work|worked|working|earn|earned|earning|make|made|making|start|started|run|ran)\b|\bas well\b|\bon top of (?:that|this|it)\b/;

/** "how much of the 150 do I keep" after "£150 a week": the number is "it". */
function referTo(tokens: Token[]): void {
  tokens.forEach(({ amount, taken }, at) => {
    const earlier = tokens
      .slice(0, at)
      .flatMap(({ amount: one }) => (one?.kind === "money" ? one.value : []));
    const word = tokens[at - 1]?.word ?? "";
    if (!amount || taken || !/^(?:the|that|this)$/.test(word)) return;
    const text = tokens[at]?.text ?? "";
    // "from 49k to 53k, how much of that 4k do I keep"
    const isDifference =
      earlier.length === 2 && Math.abs((earlier[0] ?? 0) - (earlier[1] ?? 0)) === amount.value;
    if (isDifference)
      tokens[at] = { text, word: word === "the" ? "it" : "", taken: word === "the" ? false : "absorbed" };
    else if (amount.kind === "number" && word === "the" && earlier.includes(amount.value))
      tokens[at] = { text, word: "it", taken: false };
  });
}

/** "my lodger gives me 550 a month": a single sum next to income of another kind is no pay, unless a word says so. */
function takeIncome(facts: Facts, reading: Reading): void {
  const income = facts.subjects.find(({ scope }) => scope === "income");
  const [sum, other] = reading.money;
  if (
    facts.subjectSums ||
    !income ||
    !sum ||
    other ||
    /\b(?:earn\w*|salary|job|paid|mak(?:e|ing)|wage|income of)\b/.test(reading.text)
  )
    return;
  let isPay = false;
  reading.look(paidAt, () => {
    isPay = true;
  });
  if (isPay) return;
  addSubject(facts, income, pounds(sum.value));
  reading.takeAmount(sum);
}

const inPublicScheme =
  /\b(?:firefighters?|teachers?|nurses?|midwi(?:fe|ves)|paramedics?|police(?: officer)?|constable|civil servants?|teaching assistants?)\b/;

/** The schemes of some jobs take the contribution before income tax. */
function takeScheme(facts: Facts, text: string): void {
  const { pension, pensionKind } = facts;
  if (typeof pension !== "object") return;
  facts.remarks = facts.remarks.filter((remark) => remark !== jobSentence);
  if (pension.kind || pensionKind || !inPublicScheme.test(text)) return;
  pension.kind = "net pay";
  facts.remarks.push("I assumed that the scheme of your job takes the pension by net pay arrangement.");
}

/** "employer cost of 48k with 6% pension": the employer's own contribution, on top of the salary. */
function takeEmployersShare(facts: Facts, text: string): void {
  const { pension, pensionKind, salaries } = facts;
  const [salary, other] = salaries;
  if (!facts.figures.includes("employer") || typeof pension !== "object" || !salary || other) return;
  if (pension.kind || pensionKind || /\b(?:i|my|me|own|employees?|sacrific\w*)\b/.test(text)) return;
  const yearlyPay = yearlyOf(salary);
  const sum = "share" in pension.part ? yearlyPay * pension.part.share : pension.part.pounds;
  facts.sources.push(...("share" in pension.part ? [pension.part.share] : []));
  facts.pension = undefined;
  facts.pensionsOf = [];
  facts.remarks.push(
    `I took the pension to be the employer's contribution: ${pounds(Number(sum.toFixed(2)))} a year on top of that.`,
  );
}

const asksGross =
  /^(?!.*\b(?:net|after|take|left|bank|pocket|clear|tax on|ni on)\b).*\b(?:what|how much)\b(?: \S+){0,7} (?:gross|before (?:any )?tax|(?:hourly|daily|day|weekly) rate)\b/;
const asksContribution =
  /^(?!.*\b(?:take home|net|left|cost|save|relief|get)\b)(?:how much|what) (?:is|would|are)(?: \S+){0,3} % (?:of )?.*\bpension\b/;

/** "what is the gross a month", "how much is 5% of 38k into my pension": not the take-home. */
function takeAskedFigure(facts: Facts): void {
  const { figures, text, pension, wantsSalaryForNet, maybeNet, comparison, rise } = facts;
  if (
    figures.some((figure) => figure !== "effective-rate") ||
    wantsSalaryForNet ||
    maybeNet ||
    comparison ||
    rise
  )
    return;
  if (asksGross.test(text)) facts.figures = ["gross"];
  else if (typeof pension === "object" && asksContribution.test(text)) facts.figures = ["pension"];
}

/** @param nowMs milliseconds since the epoch: the time from which "last year" is counted */
export function readMessage(message: string, nowMs: number): Facts {
  const { rules, words } = grammarAt(nowMs);
  const facts = new Facts();
  const text = message.slice(0, longestRead);
  const tokens = tokensOf(text);
  facts.words =
    tokens.filter(({ word }) => /\p{L}/u.test(word)).length + tokens.filter(({ amount }) => amount).length;
  facts.corrections = putRight(tokens, words).filter(({ to }) => !isNoise(to));
  facts.isAddition =
    /^(?:(?:ok|so|but|now|then) )?(?:and|also|plus|what about|how about|what if|with|same)\b/.test(
      plainText(text),
    );
  facts.isFurther = further.test(plainText(text));
  referTo(tokens);
  facts.text = tokens
    .map(({ amount, word }) => (amount ? (amount.kind === "percent" ? "%" : "#") : word))
    .join(" ");
  facts.amounts = tokens.flatMap(({ amount }) => (amount ? { ...amount } : []));
  const reading = new Reading(tokens);
  for (const { pattern, use, how } of rules) {
    reading.take(pattern, (match) => use(facts, match, reading), how);
  }
  if (reading.money.length === 0) {
    reading.take(bareSalary, ({ amounts }) => {
      facts.numbers.push(...amounts);
    });
  }
  reading.look(paidAt, () => {
    facts.speaksOfPay = true;
  });
  takeIncome(facts, reading);
  const { hoursPerDay, days } = facts;
  if (hoursPerDay !== undefined && (days !== undefined || facts.hours === undefined)) {
    facts.hours = hoursPerDay * (days ?? usualDays);
    facts.remarks.push(`I assumed ${hoursPerDay} hours a day and ${days ?? usualDays} days a week.`);
  }
  facts.salaries = reading.money;
  // Pay by the hour is for the hours that are worked.
  const isByTheHour = facts.salaries.length > 0 && facts.salaries.every(({ period }) => period === "hour");
  if (facts.isFullTime && !isByTheHour) facts.fraction ??= partOfFullTime(facts);
  for (const amount of facts.salaries) {
    const noun = reading.nextTo(amount, (word) => !words.has(word) && !isNoise(word));
    if (noun !== undefined) facts.claimed.push({ amount, noun });
  }
  for (const amount of facts.salaries) reading.takeAmount(amount);
  facts.percentages = reading.percentages;
  takeScheme(facts, reading.text);
  takeAskedFigure(facts);
  takeEmployersShare(facts, reading.text);
  const runs = reading.leftovers(isNoise);
  facts.leftovers = runs.map(({ text: run }) => run);
  facts.misread = runs
    .filter(({ tokens: run, before, isAside, hasMoney }) =>
      isAside
        ? run.some(({ amount, word }) => turning.test(amount?.kind ?? word)) ||
          (hasMoney && run.some(({ word }) => word === "ago")) ||
          partOfYear.test(run.map(({ text }) => text).join(" "))
        : asksFor.test(before) || run.some(({ amount, word }) => amount || telling.has(word)),
    )
    .map(({ text: run }) => run);
  if (/\(net pay(?: arrangement)?\)/i.test(text)) facts.pensionKind ??= "net pay";
  facts.topic = topicOf(reading.text);
  if (text.search(markup) >= 0) facts.remarks.push("I left the markup out.");
  if (message.length > longestRead) facts.remarks.push(`I read only the first ${longestRead} characters.`);
  return facts;
}
