/** Finds the question of a conversation. Each message is read together with earlier messages. */

import { type PayPeriod, usualHours, weeksPerYear } from "../../../tax/pay-periods.ts";
import { higherRateFrom, ratesOf } from "../../../tax/rates.ts";
import { isOverStatePensionAge } from "../../../tax/state-pension-age.ts";
import { currentTaxYear, dateAt, isKnownTaxYear, latestTaxYear, taxYearAt } from "../../../tax/tax-year.ts";
import { largestSalary } from "../../../tax/work-out.ts";
import { begun, type Context, freshContext, type Mode, withCircumstances } from "./context.ts";
import type { Facts, Figure } from "./facts.ts";
import { gate } from "./gate.ts";
import { notesOn } from "./notes.ts";
import { readMessage } from "./read.ts";
import { notUnderstood, type Reply, replies, replyTo } from "./replies.ts";
import { requestFor, type ToolRequest } from "./request.ts";
import { implausible } from "./rules/periods.ts";
import { yearlyOf } from "./rules/rule.ts";
import { isUnsure, leastCertain, partOfFullTime, yearly } from "./salaries.ts";
import { statePensionAge } from "./state-pension.ts";
import { suggestionsFor } from "./suggestions.ts";
import type { Amount } from "./tokens.ts";
import { answerTopic } from "./topics/answer-topic.ts";
import { isExplained } from "./topics/explain-subject.ts";
import { pounds } from "./wording.ts";

/** A question that a tool answers, with details for the wording of the answer. */
export interface Sum {
  kind: "sum";
  request: ToolRequest;
  mode: Mode;
  figures: Figure[];
  shownBy: PayPeriod | undefined;
  /** Whether the question is about a rise. The answer is then the difference. */
  isRise: boolean;
  /** The shares of the take-home, with their names and words from the question. */
  shares: Context["shares"];
  /** A sentence that declines a part of the question, before the figures. */
  first: string | undefined;
  /** Sentences about words that did not change the figures. */
  notes: string[];
  suggestions: string[];
}

export type Understanding = Sum | Reply;

interface Step {
  understanding: Understanding;
  context: Context;
}

/** How many messages are read. Older messages do not affect the current question. */
const mostMessagesRead = 40;

/**
 * Understands the last of a person's messages. Never throws, whatever the text.
 * @param messages the person's messages, oldest first
 * @param nowMs milliseconds since the epoch, to find the current tax year
 */
export function understand(messages: readonly string[], nowMs: number): Understanding {
  let step: Step = { understanding: notUnderstood([]), context: freshContext };
  for (const message of messages.slice(-mostMessagesRead)) {
    const topic = answerTopic(message, nowMs);
    step = topic
      ? { understanding: topic, context: step.context }
      : follow(readMessage(message, nowMs), step.context, nowMs);
  }
  return step.understanding;
}

function follow(facts: Facts, before: Context, nowMs: number): Step {
  const stay = (understanding: Understanding): Step => ({ understanding, context: before });
  if (facts.asksForPensionAge) facts.term = statePensionAge(facts);
  const remark = replyTo(facts, hasSum(facts) || isNewPercentage(facts, before), before.salaries.length > 0);
  if (remark) return stay(remark);

  const unknownYear = facts.taxYears.find((year) => !isKnownTaxYear(year));
  if (unknownYear !== undefined) return stay(replies.unknownYear(unknownYear));
  resolveAsked(facts, before);
  resolveShare(facts, before);
  resolvePercentage(facts, before);
  resolveWeek(facts, before);
  // "48k with 4% pension", then "how much goes into the pension"
  if (
    facts.pension === "unsaid" &&
    before.pensions[0] &&
    /\bhow much\b.*\b(?:go|goes|put|pay|paying)\b/.test(facts.text)
  ) {
    facts.pension = undefined;
    facts.figures = ["pension"];
  }
  if (facts.codeNow !== undefined) facts.taxCodes = [facts.codeNow];
  if (facts.asksLessTax && hasChoice(facts)) {
    facts.comparison = true;
    facts.withAndWithout = true;
  }
  // "last year vs this year", "last year and this year"
  if (facts.thisYear && facts.taxYears.length > 0 && (facts.comparison || facts.salaries.length < 2))
    facts.taxYears.push(currentTaxYear(nowMs) ?? latestTaxYear);
  if (facts.isOffer && facts.salaries.length + before.salaries.length > 1) facts.comparison = true;
  takeMove(facts, before);
  const ownPay = [...facts.salaries, ...facts.numbers, ...before.salaries];
  if (facts.isApprentice && ownPay.length + facts.partners.length === 0) facts.minimumWage = true;
  if (facts.minimumWage) takeMinimumWage(facts, nowMs);
  if (facts.minimumWage && isWageAlone(facts)) return stay(replies.minimumWage(facts.remarks));
  const settled = settleSalaries(facts, before);
  const explained = explanationOf(facts, before);
  if ("reply" in settled && explained && facts.salaries.length < 2) return stay(explained);
  if ("reply" in settled) {
    const kept = before.salaries.length === 0 ? withCircumstances(facts, before) : before;
    return { understanding: settled.reply, context: { ...kept, asked: settled.asked } };
  }

  const context = settled.context;
  takeAge(facts, context, nowMs);
  const taxYear = context.taxYears[0] ?? currentTaxYear(nowMs) ?? latestTaxYear;
  const request = requestFor(facts, context, taxYear);
  if ("kind" in request) return { understanding: request, context };
  if (request.tool === "tax_rates" && facts.topic && !facts.asksForRates && explained) return stay(explained);
  const misread = facts.misread.filter((words) => facts.leftovers.includes(words));
  if (misread.length > 0) return stay(explained ?? replies.misread(misread));
  const notes = [...settled.notes, ...notesOn(facts, context, before)];
  const answered = JSON.stringify(request);
  if (
    answered === before.answered &&
    notes.length === 0 &&
    facts.figures.length === 0 &&
    facts.shownBy === undefined
  )
    notes.push("That changes nothing: the figures are as before.");
  context.answered = answered;
  if (context.taxYears.length === 0 && facts.thisYear === false && currentTaxYear(nowMs) === undefined) {
    notes.push(`I don't have the rates for ${taxYearAt(nowMs)}. I used the rates for ${latestTaxYear}.`);
  }
  const figures: Figure[] = context.figures.length > 0 ? context.figures : ["take-home"];
  const passed = gate({ facts, request, figures, notes });
  if ("kind" in passed) return stay(passed);
  return {
    understanding: {
      kind: "sum",
      request,
      mode: context.mode,
      first: passed.first,
      figures,
      shownBy: context.shownBy,
      isRise: facts.rise !== undefined || context.asksKept,
      shares: context.shares,
      notes,
      suggestions: suggestionsFor(request, facts, context),
    },
    context,
  };
}

/** What can be said without a figure. */
function explanationOf(facts: Facts, before: Context): Reply | undefined {
  if (facts.subjects.some(isExplained)) return replies.subjects(facts);
  return facts.topic && before.salaries.length === 0 ? replies.term(facts.topic, facts.leftovers) : undefined;
}

/** "on 32k, offered 36k in Scotland": the nation of the offer is not that of the salary now. */
function takeMove(facts: Facts, { nations }: Context): void {
  const [now, offer, other] = facts.salaries;
  const [place, another] = facts.placed;
  if (!facts.isOffer || !now || !offer || other || !place || another) return;
  const [first, second] = place.amount === offer ? [now, offer] : [offer, now];
  if (place.amount !== second) return;
  const nation = nations[0] ?? "England";
  if (nation === place.nation) return;
  facts.placed.push({ nation, amount: first });
  facts.nations.push(nation);
  facts.remarks.push(`I assumed that you live in ${nation} on ${pounds(yearlyOf(first))}.`);
}

/** Whether a message asks for a calculation or changes one. */
function hasSum(facts: Facts): boolean {
  return (
    facts.salaries.length + facts.numbers.length + facts.partners.length + facts.secondJobs.length > 0 ||
    facts.figures.length + facts.nations.length + facts.taxYears.length + facts.extras.length > 0 ||
    facts.outgoings.length + facts.shares.length + facts.taxCodes.length > 0 ||
    facts.shareOfThat !== undefined ||
    [
      facts.shownBy,
      facts.plans,
      facts.pension,
      facts.pensionKind,
      facts.rise,
      facts.fraction,
      facts.age,
      facts.born,
      facts.overtime,
      facts.netRise,
      facts.hours,
      facts.days,
      facts.weeks,
    ].some((fact) => fact !== undefined) ||
    facts.loanWithoutPlan ||
    facts.withoutExtras ||
    facts.asksKept ||
    facts.isFullTime ||
    facts.minimumWage ||
    facts.overPensionAge ||
    facts.asksForRates ||
    facts.chart ||
    facts.thisYear ||
    facts.comparison ||
    facts.hasTwoJobs ||
    facts.isCouple
  );
}

/** Whether there is a comparison in which the tax can be less or more. */
function hasChoice({ nations, taxYears, plans, pension }: Facts): boolean {
  return nations.length + taxYears.length > 0 || plans !== undefined || typeof pension === "object";
}

/** "half of that": half of the take-home in the last answer. */
function resolveShare(facts: Facts, { mode, salaries, figures }: Context): void {
  if (facts.shareOfThat === undefined) return;
  const isTakeHome = figures.every((figure) => figure === "take-home");
  if (mode === "one" && salaries.length === 1 && isTakeHome) facts.shares.push(facts.shareOfThat);
  else facts.leftovers.push(`${facts.shareOfThat.words} of that`);
}

function isNewPercentage({ percentages }: Facts, { pensions, pensionAsked }: Context): boolean {
  return percentages.length === 1 && (pensions[0] !== undefined || pensionAsked);
}

/** "what if it was 10%": the pension of the earlier question. */
function resolvePercentage(facts: Facts, { pensions, pensionAsked }: Context): void {
  const [pension = pensionAsked ? { kind: undefined } : undefined] = pensions;
  const [percentage, other] = facts.percentages;
  if (
    pension === undefined ||
    percentage === undefined ||
    other ||
    facts.pension ||
    facts.salaries.length > 0
  )
    return;
  facts.pension = { part: { share: percentage.value / 100 }, kind: pension.kind };
  facts.leftovers = facts.leftovers.filter((words) => words !== `${percentage.value}%`);
}

/** "a month", "they are two jobs": replies to a question about the amounts of the previous message. */
function resolveAsked(facts: Facts, { asked }: Context): void {
  if (asked?.compares && facts.salaries.length > 1) facts.comparison = true;
  if (!asked || facts.salaries.length + facts.numbers.length > 0) return;
  const [one] = asked.amounts;
  if (asked.amounts.length === 1 && one) {
    if (facts.shownBy === undefined) return;
    const amount: Amount = { ...one, kind: "money", period: facts.shownBy };
    facts.shownBy = undefined;
    facts.salaries.push(amount);
    return;
  }
  if (facts.hasTwoJobs || facts.isCouple || facts.comparison || facts.partners.length > 0 || facts.chart) {
    facts.salaries.push(...asked.amounts);
  }
}

/** "what is the living wage": the wage, not the pay of a year. */
function isWageAlone({
  amounts,
  figures,
  hours,
  days,
  fraction,
  shownBy,
  isFullTime,
  ...facts
}: Facts): boolean {
  const isOfPay = [hours, days, fraction].some((one) => one !== undefined) || figures.length > 0;
  const isOfOthers = facts.isCouple || facts.comparison || facts.taxYears.length > 1;
  const hasSum = amounts.some(({ kind }) => kind !== "number") || facts.numbers.length > 0;
  return !(isOfPay || isOfOthers || hasSum || isFullTime || (shownBy && shownBy !== "hour"));
}

/** "is £25,500 for 42 hours a week legal minimum wage" */
function compareMinimumWage(facts: Facts, nowMs: number): void {
  const [amount, other] = facts.salaries;
  if (!amount || other) return;
  const hours = facts.hours ?? usualHours;
  const isByTheHour = amount.period === "hour";
  const hourly = isByTheHour ? amount.value : Number((yearlyOf(amount) / (hours * weeksPerYear)).toFixed(2));
  const year = facts.taxYears.find(isKnownTaxYear) ?? currentTaxYear(nowMs) ?? latestTaxYear;
  const { from21, from18 } = ratesOf[year].minimumWage;
  facts.remarks.push(
    `${isByTheHour ? `${pounds(hourly)} an hour is` : `For ${hours} hours a week that is ${pounds(hourly)} an hour:`} ${hourly < from21 ? "below" : "not below"} the minimum wage from 21 of ${pounds(from21)} in ${year} (from 18 to 20 it is ${pounds(from18)}).`,
  );
}

function takeMinimumWage(facts: Facts, nowMs: number): void {
  if (facts.salaries.length > 0) {
    const [sum] = facts.salaries;
    if (sum && sum.value < largestHourly && !sum.scaled) sum.period ??= "hour";
    compareMinimumWage(facts, nowMs);
    return;
  }
  // "the real living wage of 13.45"
  const [own, other] = facts.numbers;
  if (own && other === undefined && own.value < largestHourly) {
    facts.salaries.push({ ...own, kind: "money", period: "hour" });
    facts.leftovers = facts.leftovers.filter((words) => words !== String(own.value));
    facts.numbers = [];
    return;
  }
  if (facts.isRealLivingWage) {
    facts.leftovers.push("real living wage");
    facts.misread.push("real living wage");
  }
  const year = facts.taxYears.find(isKnownTaxYear) ?? currentTaxYear(nowMs) ?? latestTaxYear;
  const { from21, from18, under18, apprentice } = ratesOf[year].minimumWage;
  const age = facts.age ?? 21;
  const byAge: [number, string] =
    age >= 21 ? [from21, "from 21"] : age >= 18 ? [from18, "from 18 to 20"] : [under18, "under 18"];
  const [value, who] = facts.isApprentice ? [apprentice, "for apprentices"] : byAge;
  facts.salaries.push({
    value,
    kind: "money",
    currency: "£",
    scaled: false,
    negative: false,
    period: "hour",
  });
  facts.remarks.push(`The minimum wage ${who} is ${pounds(value)} an hour in ${year}.`);
  if (facts.hours === undefined && facts.isFullTime)
    facts.remarks.push("I assumed that full time is 37.5 hours a week.");
}

function takeAge(facts: Facts, context: Context, nowMs: number): void {
  const today = dateAt(nowMs);
  const { age = facts.born && today.year - facts.born, born } = facts;
  if (age === undefined || facts.minimumWage) return;
  const ages = born === undefined ? [age] : [age - 1, age];
  const [isOver, ...others] = ages.map((one) => isOverStatePensionAge(one, today));
  const who = born === undefined ? `At ${age}` : `Born in ${born}`;
  if (isOver === undefined || others.some((other) => other !== isOver)) {
    facts.remarks.push(
      `${who}, you may be past State Pension age, depending on your birthday. I assumed that you are not. Employees past it pay no National Insurance.`,
    );
  } else if (isOver) context.overPensionAge = true;
  else if (age < 16) facts.remarks.push("Under 16, you pay no National Insurance. I left your age out.");
  else facts.remarks.push(`${who}, your age does not change these figures.`);
}

interface Settled {
  context: Context;
  notes: string[];
}
type Asked = { reply: Reply; asked: Context["asked"] };

/** Finds the salaries of the message, and how they belong together. */
function settleSalaries(facts: Facts, before: Context): Settled | Asked {
  const amounts = facts.salaries.length > 0 ? facts.salaries : facts.numbers.slice(0, 2);
  const unused = facts.numbers.filter((number) => !amounts.includes(number));
  facts.leftovers.push(...unused.map(({ value }) => String(value)));
  if (amounts !== facts.numbers && facts.salaries.length > 0)
    facts.misread.push(...unused.map(({ value }) => String(value)));
  const everything = [...amounts, ...facts.partners, ...facts.secondJobs];
  const ask = (reply: Reply, asked: Amount[] = []): Asked => ({
    reply,
    asked: asked.length > 0 ? { amounts: asked } : undefined,
  });
  if (everything.some(({ currency }) => currency === "other")) return ask(replies.notPounds());
  if (everything.some(({ negative }) => negative)) return ask(replies.negative());
  takePeriod(facts, amounts, before);
  // "I earn £2,950 a month, my wife £1,700"
  const [own] = amounts;
  for (const partner of facts.partners)
    if (own?.period && !partner.scaled && partner.value < 4 * own.value && own.value < 4 * partner.value)
      partner.period ??= own.period;
  const unsure = everything.find((amount) => isUnsure(amount, everything.length === 1));
  if (unsure) return ask(replies.whichPeriod(unsure), [unsure]);
  const claim = facts.claimed.find(({ amount }) => amounts.includes(amount));
  if (claim) return ask(replies.whatIsThat(claim.amount, claim.noun), [claim.amount]);
  const unexplained =
    facts.leftovers.length > 0 && facts.figures.length === 0 && !facts.speaksOfPay && amounts.length === 1;
  // "intern 1,400 pcm" is pay, whatever the word.
  const [leftover = "", more] = facts.leftovers;
  const isOneWord =
    before.salaries.length === 0 &&
    more === undefined &&
    /^\p{L}+$/u.test(leftover) &&
    amounts[0]?.period !== undefined;
  if (
    unexplained &&
    !isOneWord &&
    facts.subjects.length === 0 &&
    !facts.comparison &&
    !hasCircumstance(facts)
  )
    return ask(replies.onlyAmount(facts, amounts[0]), amounts);
  const { pension } = facts;
  if (facts.asksOptOut && before.pensions.every((one) => one === undefined))
    return ask(replies.whichContribution(facts));
  if (typeof pension === "object" && "share" in pension.part && pension.part.share > 1)
    return ask(replies.pensionTooLarge());
  const [net] = before.salaries;
  if (facts.rise && before.mode === "net" && amounts.length === 0 && net !== undefined)
    return ask(replies.netOrGross(sumOf(net)), []);
  // A rise applies to a salary, but the question gives a take-home.
  if (facts.maybeNet || (facts.rise && facts.wantsSalaryForNet))
    return ask(replies.netOrGross(amounts[0]), []);

  if (facts.asksLess) takeLess(facts);
  const converted = amounts.map((amount) => yearly(amount, facts));
  const partners = facts.partners.map((amount) => yearly(amount, { ...facts, fraction: undefined }));
  const jobs = facts.secondJobs.map((amount) => yearly(amount, { ...facts, fraction: undefined }));
  const notes = [...converted, ...partners, ...jobs].flatMap(({ note }) => note ?? []);
  const earlier = before.mode === "table" ? [] : before.salaries;
  const salaries = withinYear(
    facts,
    converted.map(({ salary }) => salary),
    earlier,
  );
  if ([...salaries, ...partners.map(({ salary }) => salary)].some((salary) => salary > largestSalary)) {
    return ask(replies.tooLarge());
  }
  takePensionDownTo(facts, salaries, before);
  takeOvertime(facts, amounts, salaries, before);
  const [paid, another] = amounts;
  const context = withCircumstances(facts, begun(facts, before));
  if (paid && another === undefined)
    context.paid = paid.period && { ...weekIn(facts), value: paid.value, period: paid.period };
  if (before.mode === "one" && salaries.length === 1 && before.salaries[0] !== salaries[0])
    context.previous = before.salaries[0] ?? before.previous;
  const settled = { context, notes };

  // A part-time share of the previous salary.
  // "for 35 hours", after pay by the hour was asked for, says how the hours are counted.
  const countsHours = context.shownBy === "hour" && facts.days === undefined;
  if (salaries.length === 0 && earlier.length === 1 && !countsHours) facts.fraction ??= partOfFullTime(facts);
  if (salaries.length === 0 && facts.fraction && earlier.length === 1) {
    const part = yearly(sumOf(earlier[0] ?? 0), facts);
    return { context: { ...context, salaries: [part.salary] }, notes: [part.note ?? ""] };
  }
  const isApart = context.nations.length > 1 && facts.placed.length < salaries.length + partners.length;
  if (partners.length > 0 && isApart) return ask(replies.twoHouseholds());
  if (partners.length > 0)
    return settlePartners(
      settled,
      salaries,
      partners.map(({ salary }) => salary),
      earlier,
    );
  const [job, furtherJob] = jobs;
  const hasMain = salaries.length + earlier.length > 0 || furtherJob !== undefined;
  // "second job 10k, BR": the tax of that job alone.
  if (job && !hasMain && facts.taxCodes.length > 0)
    return { ...settled, context: { ...context, mode: "one", salaries: [job.salary] } };
  if (job || facts.hasTwoJobs) {
    const isOther = facts.isFurther && salaries.length === 1;
    const all = [
      ...(salaries.length === 0 || isOther ? earlier.slice(0, 1) : []),
      ...salaries,
      ...jobs.map(({ salary }) => salary),
    ];
    if (facts.jobAsked === "unclear") return ask(replies.whichJobs());
    const asked = facts.jobAsked && yearly(facts.jobAsked, { ...facts, fraction: undefined }).salary;
    if (asked !== undefined && all.length === 2 && all.includes(asked)) {
      context.asksKept = true;
      if (all[0] === asked) all.reverse();
    }
    const [main, ...others] = facts.isEach && all.length === 1 ? [...all, ...all] : all;
    if (others.length === 0) return ask(replies.whichJobs());
    return { ...settled, context: { ...context, mode: "one", salaries: [main ?? 0], otherJobs: others } };
  }
  // "does a 2k rise push me into 40%": the band after the rise.
  const from = salaries[0] ?? earlier.at(-1);
  if (facts.rise && facts.figures.join() === "tax-band" && from !== undefined && salaries.length < 2) {
    const risen = risenBy(facts.rise, from);
    notes.push(`With the rise you earn ${pounds(risen)}.`);
    facts.sources.push(
      from,
      ...("share" in facts.rise.part ? [facts.rise.part.share] : [facts.rise.part.pounds]),
    );
    facts.rise = undefined;
    return { ...settled, context: { ...context, mode: "one", salaries: [risen] } };
  }
  if (facts.netRise) {
    const [from, another] = salaries.length > 0 ? salaries : earlier;
    if (from === undefined || another !== undefined || before.mode === "net")
      return ask(replies.whichSalary(facts));
    return { ...settled, context: { ...context, mode: "net", salaries: [from] } };
  }
  if (facts.rise) return settleRise(settled, facts, salaries, earlier) ?? ask(replies.whichSalary(facts));
  const [one, other] = salaries;
  if (one !== undefined && other !== undefined) return settleSeveral(settled, facts, salaries, amounts);
  // "i meant net"
  if (one === undefined && facts.isCorrection && earlier.length === 1 && facts.figures.join() === "take-home")
    return { ...settled, context: { ...context, mode: "net", salaries: [...earlier] } };
  if (one === undefined) return settleNone(settled, facts, before);
  const [earlierOne] = before.mode === "one" ? earlier : [];
  if (facts.isFurther && earlierOne !== undefined && !facts.comparison && !facts.isCorrection) {
    const both = [earlierOne, one];
    return ask(replies.howTogether(both), both.map(sumOf));
  }
  // "net of 2,200 a month", then "what about 2,500"
  if (before.mode === "net" && facts.isAddition && facts.figures.length === 0) facts.wantsSalaryForNet = true;
  if (facts.wantsSalaryForNet) return { ...settled, context: { ...context, mode: "net", salaries } };
  if (facts.isEach) return { ...settled, context: { ...context, mode: "household", salaries: [one, one] } };
  if (facts.isCouple && ofBoth.test(facts.text)) return ask(replies.whatEachEarns(one), []);
  if (facts.isCouple) notes.push(`I assumed that ${pounds(one)} is the salary of one person.`);
  if (facts.chart || facts.range) return ask(replies.whichRange());
  const differs =
    context.nations.length > 1 ||
    context.taxYears.length > 1 ||
    context.planSets.length > 1 ||
    context.taxCodes.length > 1 ||
    context.pensions.length > 1;
  if (facts.comparison && !differs) {
    const others = facts.fraction
      ? [Number((one / facts.fraction.share).toFixed(2))]
      : earlier.filter((salary) => salary !== one);
    if (others.length === 0) return ask(replies.compareWithWhat(one), []);
    return { ...settled, context: { ...context, mode: "compare", salaries: [...others, one] } };
  }
  return { ...settled, context: { ...context, mode: "one", salaries } };
}

/** One sum that two people earn. */
const ofBoth =
  /^(?!.*(?:not work|unemployed|stays? at home|no (?:income|job))).*\b(?:between (?:us|me|my|the)|(?:combined|joint|household|family) (?:income|salary|wages?|earnings)|we (?:earn|make|bring in|get))\b/;

/** "28k until September, then 32k": the pay of the tax year, if the question is about the year. */
function withinYear(facts: Facts, salaries: number[], earlier: readonly number[]): number[] {
  const { change, rise } = facts;
  if (change === undefined) return salaries;
  const [one = 0, other] = salaries;
  const risen = rise && risenBy(rise, one);
  const pair = change.isStart
    ? [0, one]
    : [...(salaries.length === 1 && !risen ? earlier : []), one, other ?? risen];
  const [before, after, more] = (change.isNewFirst ? pair.toReversed() : pair).filter(
    (each) => each !== undefined,
  );
  const isOfYear = facts.thisYear || ((change.isUntil || change.isStart) && facts.shownBy === undefined);
  if (!isOfYear || before === undefined || after === undefined || more !== undefined) {
    facts.remarks.push(`I left “${change.words}” out: these figures are for a whole year.`);
    facts.comparison ||= salaries.length > 1;
    return salaries;
  }
  const { months } = change;
  const sum = Number(((before * months + after * (12 - months)) / 12).toFixed(2));
  facts.rise = undefined;
  facts.comparison = false;
  facts.isOffer = false;
  const first = before === 0 ? "" : `${pounds(before)} a year for ${months} months and `;
  facts.remarks.push(
    `I counted ${first}${pounds(after)} a year for ${12 - months} months, up to the end of March: ${pounds(sum)} in the tax year.`,
  );
  return [sum];
}

/** A sum without a period, next to hours or after a sum with a period, has a period too. */
function takePeriod(facts: Facts, amounts: readonly Amount[], { paid }: Context): void {
  const [amount, other] = amounts;
  // "£14.45 an hour, up from £13.10": pay of the same size is for the same period.
  const [of, without] = amount?.period ? [amount, other] : [other, amount];
  const ratio = (of?.value ?? 0) / (without?.value || 1);
  if (of?.period && without && !without.period && !without.scaled && ratio < 3 && ratio > 1 / 3)
    without.period = of.period;
  // A payslip is a month's, unless it says otherwise.
  if (amount && facts.claims.length > 0 && amount.value < implausible.month) {
    amount.period ??= facts.shownBy ?? "month";
    facts.shownBy ??= amount.period;
  }
  if (amount === undefined || other !== undefined || amount.period !== undefined || amount.scaled) return;
  // "2,240 gross, what is my monthly take home": a sum of that size is the pay of the period asked for.
  const { shownBy } = facts;
  if (shownBy && /month|week|fortnight/.test(shownBy) && amount.value >= 300 && amount.value < leastCertain) {
    amount.period = shownBy;
    amount.kind = "money";
    return;
  }
  // "I get 1,650 into my account every month"
  if (facts.wantsSalaryForNet && (facts.shownBy === "month" || facts.shownBy === "week")) {
    amount.period = facts.shownBy;
    facts.shownBy = undefined;
    return;
  }
  const hasHours = facts.hours !== undefined && facts.leftovers.every((words) => !/\d/.test(words));
  if (hasHours && amount.value > 0 && amount.value < largestHourly) {
    amount.period = "hour";
    amount.kind = "money";
  } else if (
    paid?.period === "hour" &&
    amount.kind === "number" &&
    (facts.speaksOfPay || facts.isAddition) &&
    !hasHours
  ) {
    amount.period = "hour";
    amount.kind = "money";
    facts.hours = paid.hours;
    facts.days ??= paid.days;
    facts.weeks ??= paid.weeks;
  } else if (
    paid &&
    amount.kind === "money" &&
    amount.value < 4 * paid.value &&
    4 * amount.value > paid.value
  ) {
    amount.period = paid.period;
    facts.hours ??= paid.hours;
    facts.days ??= paid.days;
    facts.weeks ??= paid.weeks;
  }
}

const weekIn = ({ hours, days, weeks }: Facts) => ({ hours, days, weeks });

/** "£14 an hour", then "30 hours", then "39 weeks": the same pay with another week. */
function resolveWeek(facts: Facts, { mode, paid }: Context): void {
  const isFullWeek = facts.isFullTime && facts.hours === undefined && facts.days === undefined;
  if (isFullWeek && paid?.period === "hour" && facts.salaries.length === 0) {
    facts.hours = usualHours;
    paid = { ...paid, days: undefined };
  }
  const { hours, days, weeks, salaries, numbers, fraction, rise, overtime } = facts;
  const hasWeek = [hours, days, weeks].some((one) => one !== undefined);
  if (!hasWeek || salaries.length + numbers.length > 0 || fraction || rise || overtime || mode !== "one")
    return;
  if (paid?.period !== "hour" && !(paid?.period === "day" && hours === undefined)) return;
  facts.salaries.push({ ...sumOf(paid.value), period: paid.period });
  facts.hours ??= paid.hours;
  facts.days ??= paid.days;
  facts.weeks ??= paid.weeks;
  facts.isAddition = true;
}

/** From here on, a sum without a period is no pay for an hour. */
const largestHourly = 60;

/** "how much into my pension to get down to 100k": the part above 100k. */
function takePensionDownTo(facts: Facts, salaries: readonly number[], before: Context): void {
  const { pensionDownTo: to } = facts;
  if (to === undefined) return;
  const [taxYear = latestTaxYear] =
    facts.taxYears.length > 0 ? facts.taxYears.filter(isKnownTaxYear) : before.taxYears;
  const [nation = "England"] = facts.nations.length > 0 ? facts.nations : before.nations;
  const limit = to === "higher rate" ? higherRateFrom(taxYear, nation) : yearlyOf(to);
  const [salary, other] = salaries.length > 0 ? salaries : before.salaries;
  if (salary === undefined || other !== undefined) {
    facts.leftovers.push(pounds(limit));
    return;
  }
  const above = Number((salary - limit).toFixed(2));
  if (limit === 100_000 && facts.outgoings.some(({ name }) => /^(?:nursery|childcare)/.test(name)))
    facts.remarks.push(
      "Above £100,000 you also lose Tax-Free Childcare and the free hours of working parents: I don't know their value.",
    );
  facts.pension = above > 0 ? { part: { pounds: above }, kind: undefined } : "none";
  facts.remarks.push(
    above > 0
      ? `${pounds(above)} into the pension brings ${pounds(salary)} down to ${pounds(limit)}.`
      : `${pounds(salary)} is not above ${pounds(limit)}, so you don't need to pay into the pension.`,
  );
}

/** "10 hours of overtime a week at time and a half": an extra, from the pay for an hour. */
function takeOvertime(
  facts: Facts,
  amounts: readonly Amount[],
  salaries: readonly number[],
  before: Context,
) {
  if (facts.overtime === undefined) return;
  const [salary, other] = salaries.length > 0 ? salaries : before.salaries;
  const { hoursAYear, times, words } = facts.overtime;
  if (salary === undefined) return;
  if (other !== undefined) {
    facts.leftovers.push(words);
    return;
  }
  const [amount] = amounts;
  const hours = facts.hours ?? usualHours;
  const rate =
    amount?.period === "hour" ? amount.value : Number((salary / (hours * weeksPerYear)).toFixed(4));
  const added = Number((hoursAYear * times * rate).toFixed(2));
  facts.extras.push({ name: "overtime", part: { pounds: added } });
  const assumed =
    facts.hours === undefined && amount?.period !== "hour" ? `; I assumed ${hours} hours a week` : "";
  facts.remarks.push(
    `${words} at ${Number(times.toFixed(2))} times ${pounds(Number(rate.toFixed(2)))} an hour is ${pounds(added)} a year${assumed}.`,
  );
}

/** "4 days instead of 5, how much less": a cut of the full salary. */
function takeLess(facts: Facts): void {
  if (facts.fraction === undefined || facts.rise !== undefined) return;
  facts.rise = { part: { share: 1 - facts.fraction.share }, sign: -1 };
  facts.remarks.push(`I compared the full salary with ${facts.fraction.words}.`);
  facts.fraction = undefined;
}

function sumOf(value: number): Amount {
  return { value, kind: "money", currency: "£", scaled: true, negative: false };
}

/** Whether a message says more about the person than an amount. */
function hasCircumstance(facts: Facts): boolean {
  return (
    facts.nations.length + facts.extras.length + facts.taxYears.length + facts.outgoings.length > 0 ||
    facts.taxCodes.length > 0 ||
    facts.overPensionAge ||
    facts.age !== undefined ||
    facts.born !== undefined ||
    facts.plans !== undefined ||
    facts.pension !== undefined ||
    facts.fraction !== undefined ||
    facts.minimumWage ||
    facts.isCorrection ||
    facts.isAddition ||
    facts.shownBy !== undefined
  );
}

function settlePartners(
  settled: Settled,
  salaries: number[],
  partners: number[],
  earlier: readonly number[],
): Settled {
  const own = salaries.length > 0 ? salaries : earlier.slice(0, 1);
  const all = [...own, ...partners];
  const mode = all.length > 1 ? "household" : "one";
  return { ...settled, context: { ...settled.context, mode, salaries: all } };
}

function risenBy({ part, sign }: NonNullable<Facts["rise"]>, salary: number): number {
  return Math.max(
    0,
    Number((salary + sign * ("share" in part ? salary * part.share : part.pounds)).toFixed(2)),
  );
}

function settleRise(
  settled: Settled,
  facts: Facts,
  salaries: number[],
  earlier: readonly number[],
): Settled | undefined {
  if (facts.rise === undefined) return undefined;
  const { rise } = facts;
  const risen = (salary: number) => risenBy(rise, salary);
  const [own, ...others] = earlier;
  if (salaries.length === 0 && own !== undefined && settled.context.mode === "household") {
    const note = "I gave the rise to the first person.";
    return {
      context: { ...settled.context, salaries: [risen(own), ...others] },
      notes: [...settled.notes, note],
    };
  }
  const from = salaries.length > 0 ? salaries : earlier.slice(-1);
  const [salary] = from;
  if (salary === undefined || from.length > 1) return undefined;
  return { ...settled, context: { ...settled.context, mode: "compare", salaries: [salary, risen(salary)] } };
}

/** Two or more salaries are only compared if the words say so. */
function settleSeveral(
  settled: Settled,
  facts: Facts,
  salaries: number[],
  amounts: Amount[],
): Settled | Asked {
  const { context } = settled;
  const as = (mode: Mode): Settled => ({
    ...settled,
    context: { ...context, mode, salaries: [...new Set(salaries)] },
  });
  if (facts.isStaff) return { reply: replies.twoHouseholds(), asked: undefined };
  if (facts.isCorrection)
    return { ...settled, context: { ...context, mode: "one", salaries: salaries.slice(-1) } };
  if (salaries.length === 2 && (facts.chart || (facts.range && !facts.comparison))) return as("table");
  const differs = context.nations.length > 1 && facts.placed.length !== salaries.length;
  if (facts.isCouple && (differs || (facts.comparison && facts.isEach)))
    return { reply: replies.twoHouseholds(), asked: undefined };
  // The pension is that of the person whose salary it follows.
  const isOfSecond = facts.pensionsOf.length === 1 && facts.pensionsOf[0]?.salary === amounts[1];
  if (facts.isCouple)
    return {
      ...settled,
      context: { ...context, mode: "household", salaries: isOfSecond ? salaries.toReversed() : salaries },
    };
  const inPlaces = facts.nations.length > 1 && facts.placed.length === salaries.length;
  // "38k, and a commute of 150 a month": not the pay of another job.
  const isOfOnePeriod = new Set(amounts.map(({ period = "year" }) => period)).size === 1;
  const isFarApart = Math.max(...salaries) > (isOfOnePeriod ? 12 : 6) * Math.min(...salaries);
  if ((facts.comparison && !isFarApart) || inPlaces) return as("compare");
  return { reply: replies.howTogether(salaries), asked: { amounts } };
}

/** The message has no salary, so it is about the previous salary or about rates. */
function settleNone(settled: Settled, facts: Facts, before: Context): Settled | Asked {
  const { context } = settled;
  const [one, other] = before.salaries;
  if (facts.asksForRates) return settled;
  if (one === undefined) {
    const rates: readonly Figure[] = ["tax-band", "personal-allowance", "student-loan"];
    const ofRates = facts.figures.some((figure) => rates.includes(figure));
    const ofPay = facts.figures.every((figure) => figure === "take-home" || figure === "employer");
    const isGeneral = ofRates || (!ofPay && !facts.speaksOfPay);
    // "a poem about tax" does not ask for rates.
    if (!ofRates && facts.leftovers.length > 0)
      return { reply: notUnderstood(facts.leftovers), asked: undefined };
    return isGeneral
      ? { ...settled, context: { ...context, mode: "one" } }
      : {
          reply: replies.whichSalary(facts),
          asked: facts.comparison ? { amounts: [], compares: true } : undefined,
        };
  }
  if (facts.chart && other !== undefined) return { ...settled, context: { ...context, mode: "table" } };
  if (facts.chart) return { reply: replies.whichRange(), asked: undefined };
  if (facts.isCouple && before.mode === "compare")
    return { ...settled, context: { ...context, mode: "household" } };
  if (
    facts.comparison &&
    context.nations.length < 2 &&
    context.planSets.length < 2 &&
    context.taxCodes.length < 2 &&
    context.salaries.length < 2 &&
    context.pensions.length < 2
  ) {
    const { previous } = before;
    if (previous !== undefined && facts.taxYears.length === 0)
      return { ...settled, context: { ...context, mode: "compare", salaries: [previous, one] } };
    return facts.taxYears.length > 0
      ? { ...settled, context: { ...context, taxYears: comparedYears(before, context) } }
      : { reply: replies.compareWithWhat(one), asked: undefined };
  }
  return settled;
}

function comparedYears(before: Context, after: Context): Context["taxYears"] {
  return [...new Set([before.taxYears[0] ?? latestTaxYear, ...after.taxYears])];
}
