/** What a conversation asks for: the facts of each message, read in the light of those before it. */
import { largestSalary } from "../salary.ts";
import type { Amount } from "./amounts.ts";
import {
  answerToQuestion,
  type Context,
  freshContext,
  topicOf,
  withCircumstances,
  withYearly,
  type Yearly,
  yearly,
} from "./context.ts";
import { type Facts, readFacts } from "./facts.ts";
import { leastCertainSalary, requestFor } from "./request.ts";
import { raised } from "./rise.ts";
import { readOutsideSubject, readSmallTalk } from "./topics.ts";
import type { Understanding } from "./understanding.ts";

/** A remark longer than this that names no sum and no topic is talk, not a follow-up. */
const mostWordsOfAFollowUp = 12;
/** Messages further back no longer bear on what is asked now. */
const mostMessagesRead = 40;

interface Step {
  understanding: Understanding;
  context: Context;
}

/**
 * Understands the last of a person's messages. Never throws, whatever the text.
 * @param messages what the person wrote, oldest first
 * @param nowMs milliseconds since the epoch: what "last year" is counted from
 */
export function understand(messages: readonly string[], nowMs: number): Understanding {
  let step: Step = { understanding: { kind: "not-understood" }, context: freshContext };
  for (const message of messages.slice(-mostMessagesRead)) {
    step = follow(readFacts(message, nowMs), step.context, nowMs);
  }
  return step.understanding;
}

function follow(facts: Facts, context: Context, nowMs: number): Step {
  const stay = (understanding: Understanding, asked?: Context["asked"]): Step => ({
    understanding,
    context: { ...context, asked },
  });
  const money = moneyIn(facts, context);
  const answered = answerToQuestion(facts, money, context);
  if (answered !== undefined) {
    // "a week" was the answer, and not a wish to see the result by the week.
    const understanding = requestFor({ ...facts, shownBy: undefined }, answered, nowMs);
    return understanding.kind === "too-large" ? stay(understanding) : { understanding, context: answered };
  }

  const outside = readOutsideSubject(facts.text);
  if (outside) return stay({ kind: "outside", subject: outside.name });
  const isForeign = money.some((amount) => amount.currency === "other");
  if (isForeign || (money.length === 0 && /[$€¥₹]/.test(facts.text))) return stay({ kind: "not-pounds" });
  if (facts.unknownPlan !== undefined) return stay({ kind: "unknown-plan", plan: facts.unknownPlan });
  const talk = readSmallTalk(facts.text);
  const isPleasantry = talk === "greeting" || talk === "thanks" || talk === "goodbye";
  const goesOn = isPleasantry && saysAnything(facts, money, context);
  if (talk !== undefined && !goesOn && money.length === 0 && facts.topic === undefined) {
    return stay({ kind: "small-talk", talk }, context.asked);
  }
  if (!saysAnything(facts, money, context)) return stay({ kind: "not-understood" }, context.asked);
  if (money.some((amount) => amount.negative)) return stay({ kind: "negative" });
  if (comparesWalesWithEngland(facts.text)) return stay({ kind: "same-rates" });

  const next = withCircumstances(facts, { ...context, asked: undefined });
  next.topic = topicOf(facts, money, context);
  const question = takeSalaries(facts, money, next, context);
  if (question) return question;
  const owesNone = next.planSets.every((plans) => plans.length === 0);
  if (facts.loanWithoutPlan && owesNone && facts.topic !== "tax-rates" && next.salaries.length > 0) {
    return { understanding: { kind: "which-plan" }, context: { ...next, asked: { about: "plan" } } };
  }
  return { understanding: requestFor(facts, next, nowMs), context: next };
}

/** Beside an amount that is certain, "2 kids" and "3 years" are not salaries. */
function moneyIn(facts: Facts, context: Context): Amount[] {
  const money = facts.amounts.filter((amount) => isMoney(amount, facts, context));
  const isCertain = ({ currency, scaled, period, value }: Amount) =>
    currency !== "unsaid" || scaled || period !== undefined || value >= leastCertainSalary || value === 0;
  return money.some(isCertain) ? money.filter(isCertain) : money;
}

/** A number with "£", "k" or a period is money; a bare one only where the message, or the one before, speaks of pay. */
function isMoney(amount: Amount, facts: Facts, context: Context): boolean {
  if (amount.currency !== "unsaid" || amount.scaled || amount.period !== undefined) return true;
  if (facts.topic !== undefined || facts.wantsComparison || facts.wantsTable) return true;
  const hasSubject =
    context.salaries.length > 0 || context.topic !== undefined || context.asked !== undefined;
  if (hasSubject && (facts.isFollowUp || facts.words <= 3)) return true;
  if (amount.value >= leastCertainSalary) return facts.words <= 3 || facts.speaksOfPay;
  return !/[a-z]/.test(facts.text) || (facts.speaksOfPay && facts.words <= 3);
}

function saysAnything(facts: Facts, money: readonly Amount[], context: Context): boolean {
  if (money.length > 0 || facts.topic !== undefined) return true;
  const mentions =
    facts.countries.length > 0 ||
    facts.taxYears.length > 0 ||
    facts.thisYear ||
    facts.plans !== undefined ||
    facts.loanWithoutPlan ||
    facts.shownBy !== undefined ||
    facts.wantsTable ||
    facts.rise !== undefined ||
    facts.withAndWithout;
  if (!mentions || facts.words > mostWordsOfAFollowUp) return false;
  const isAboutPay =
    facts.rise !== undefined || facts.plans !== undefined || facts.loanWithoutPlan || facts.isFollowUp;
  return (
    isAboutPay || context.salaries.length > 0 || context.range !== undefined || context.topic !== undefined
  );
}

function comparesWalesWithEngland(text: string): boolean {
  const nations = ["england|english", "wales|welsh", "northern ireland|northern irish"];
  const named = nations.filter((nation) => new RegExp(`\\b(?:${nation})\\b`).test(text));
  return (
    named.length > 1 &&
    !/\b(?:scotland|scottish)\b/.test(text) &&
    /\b(?:compar\w*|differen\w*|differ|vs|versus|better|worse|against)\b/.test(text)
  );
}

/** Puts the message's sums into `next`; a step is returned when they leave something to ask or to refuse. */
function takeSalaries(
  facts: Facts,
  money: readonly Amount[],
  next: Context,
  before: Context,
): Step | undefined {
  const ask = (understanding: Understanding, asked?: Context["asked"]): Step => ({
    understanding,
    context: { ...next, asked },
  });
  if (money.length === 0) {
    compareAfterRise(facts, next);
    return undefined;
  }
  const unsure = money.find(
    ({ value, scaled, period }) => value > 0 && value < leastCertainSalary && !scaled && period === undefined,
  );
  if (unsure)
    return ask({ kind: "which-period", value: unsure.value }, { about: "period", value: unsure.value });
  const sums: Yearly[] = [];
  for (const { value, period = "year" } of money) {
    const perWeek = period === "hour" ? facts.hoursPerWeek : facts.daysPerWeek;
    if ((period === "hour" || period === "day") && perWeek === undefined) {
      return ask({ kind: "which-hours", value, period }, { about: "hours", value, period });
    }
    sums.push(yearly(value, period, perWeek));
  }
  if (sums.some(({ salary }) => salary > largestSalary)) return ask({ kind: "too-large" });
  Object.assign(next, withYearly(next, sums));
  if (compareAfterRise(facts, next)) return undefined;
  const [one, other] = next.salaries;
  if (next.salaries.length === 2 && one !== undefined && other !== undefined && isRange(facts, money)) {
    next.range = { from: Math.min(one, other), to: Math.max(one, other), step: facts.step };
    next.salaries = [];
    return undefined;
  }
  if (other !== undefined || one === undefined) return undefined;
  if (before.salaries.length > 1 && facts.topic === undefined && /^(?:and|also|plus)\b/.test(facts.text)) {
    next.salaries = [...new Set([...before.salaries, one])];
    return undefined;
  }
  if (!comparesOneSalary(facts, next)) return undefined;
  const others = before.salaries.filter((salary) => salary !== one);
  if (others.length > 0) {
    next.salaries = [...others, one];
    next.conversions = [...before.conversions, ...next.conversions];
  } else if (/^(?:please )?(?:can you )?compare\b|\b(?:vs|versus)\b/.test(facts.text)) {
    return ask({ kind: "which-second-salary", salary: one }, { about: "second-salary", salary: one });
  }
  return undefined;
}

/** "what if I got a 5% rise": the salary in hand beside the one after it. */
function compareAfterRise({ rise }: Facts, next: Context): boolean {
  const before = next.salaries.at(-1);
  if (rise === undefined || before === undefined) return false;
  if (next.salaries.length > 1 && "pounds" in rise) {
    // "add 60k" to a comparison is one more salary to compare.
    next.salaries = [...new Set([...next.salaries, rise.pounds])];
    return true;
  }
  next.salaries = [...new Set([before, raised(before, rise)])];
  return true;
}

/** A comparison is asked for, and nothing but the salary can be what differs. */
function comparesOneSalary(facts: Facts, next: Context): boolean {
  return (
    facts.wantsComparison && next.countries.length < 2 && next.taxYears.length < 2 && next.planSets.length < 2
  );
}

/** "from 20k to 120k" is a range, unless the message speaks of a rise, or compares. */
function isRange(facts: Facts, money: readonly Amount[]): boolean {
  if (facts.wantsTable) return true;
  if (facts.wantsComparison || facts.topic === "salary-for-take-home") return false;
  const [first, second] = money;
  const between = first && second ? facts.text.slice(first.end, second.start) : "";
  return /^ ?(?:to|-|through|up to) ?$/.test(between) || /\bbetween\b/.test(facts.text);
}
