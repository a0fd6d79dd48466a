/** The sentences that account for what a question says and the figures do not show. */
import type { Context } from "./context.ts";
import type { Facts, SaidPension } from "./facts.ts";
import { list, planNames, pounds } from "./wording.ts";

const quoted = (words: readonly string[]) => list(words.map((word) => `“${word}”`));

export function leftOut(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  return `I left ${quoted(words)} out: I don't know what that changes.`;
}

/** @param before what was settled before this message */
export function notesOn(facts: Facts, context: Context, before: Context): string[] {
  return [
    ...facts.corrections.map(({ from, to }) => `I read “${from}” as “${to}”.`),
    ...facts.remarks,
    ...facts.subjects.map(({ sentence }) => sentence),
    ...pensionNotes(facts, context),
    ...loanNotes(facts, context),
    facts.includedExtras.length > 0
      ? `The ${list(facts.includedExtras)} is part of that salary, so I added nothing.`
      : undefined,
    facts.employerPension ? "Your employer's pension contribution changes nothing in your pay." : undefined,
    facts.isFullTime && facts.salaries.every(({ period }) => period !== "hour") && !facts.fraction
      ? "I took the salary as the full-time one that you are paid."
      : undefined,
    idleHours(facts),
    unused(facts, context),
    context.mode === "household" ? householdNote(context) : undefined,
    carried(facts, context, before),
    leftOut(facts.leftovers),
  ].filter((note) => note !== undefined && note !== "") as string[];
}

function pensionNotes(facts: Facts, context: Context): string[] {
  const [own, ...others] = context.pensionsOf;
  const said = own?.pension ?? context.pensions.find(Boolean);
  // Where the other one was said to have none, there is nothing to say.
  if (own && others.length === 0 && facts.pensionsOf.length === 1)
    return [`I took the pension for ${pounds(own.of)} alone.`, ...kindNotes(facts, said)];
  return kindNotes(facts, said);
}

/** How the pension was taken to be paid, where nobody said. */
function kindNotes({ pension, pensionKind }: Facts, said: SaidPension | undefined): string[] {
  if (pension === "unsaid" || (pensionKind && !said)) {
    return ["I left the pension out: say how much goes in, such as “with 5% pension”."];
  }
  if (!said || pension === undefined || pension === "none" || pensionKind || said.kind) return [];
  return [
    "I took the pension for salary sacrifice; under relief at source you would take home another amount.",
  ];
}

function loanNotes({ loanBalance, loanWithoutPlan, plans }: Facts, context: Context): string[] {
  const hasPlan =
    context.planSets.some(({ length }) => length > 0) || context.figures.includes("student-loan");
  return [
    ...(loanBalance ? ["What you owe does not change the repayment, which depends on your pay."] : []),
    ...(loanWithoutPlan && plans === undefined && !hasPlan
      ? ["I left the student loan out: it depends on your plan (1, 2, 4, 5 or postgraduate)."]
      : []),
    ...(context.taxYears.some((year) => year !== "2026/27") && context.planSets.some((set) => set.includes(5))
      ? ["Plan 5 is repaid from April 2026, so nothing is due before."]
      : []),
  ];
}

/** What belongs to one person's pay, where the answer is about something else. */
function unused(
  { outgoings, shares, extras, pension }: Facts,
  { mode, salaries }: Context,
): string | undefined {
  const isOne = mode === "one" && salaries.length > 0;
  const names = [
    ...(isOne ? [] : outgoings.map(({ name }) => name)),
    ...(isOne ? [] : shares.map(({ name, words }) => name ?? `share of ${words}`)),
    ...(salaries.length > 0 ? [] : extras.map(({ name }) => name)),
    ...(salaries.length === 0 && typeof pension === "object" ? ["pension"] : []),
  ];
  return names.length > 0 ? `I left the ${list(names)} out.` : undefined;
}

/** Hours and days that are said next to a yearly salary. */
function idleHours({ hours, days, weeks, salaries, fraction, minimumWage }: Facts): string | undefined {
  const byTheHour = salaries.some(({ period }) => period === "hour" || period === "day") || minimumWage;
  if (byTheHour || fraction || (hours === undefined && days === undefined && weeks === undefined))
    return undefined;
  const said = [hours && `${hours} hours`, days && `${days} days`, weeks && `${weeks} weeks`].filter(
    Boolean,
  ) as string[];
  return `I took the salary as what you are paid for those ${list(said)}.`;
}

function householdNote(context: Context): string | undefined {
  const own =
    context.planSets.some(({ length }) => length > 0) ||
    context.pensions.some(Boolean) ||
    context.extras.length > 0;
  return own ? "Loan, pension and extra pay are the first person's." : undefined;
}

/** What stays from earlier messages, where this one starts a sum of its own. */
function carried(facts: Facts, context: Context, before: Context): string | undefined {
  if (before.salaries.length === 0 || facts.salaries.length === 0) return undefined;
  const [nation] = context.nations;
  const [plans = []] = context.planSets;
  const kept = [
    facts.nations.length === 0 && nation !== "England" ? nation : undefined,
    facts.plans === undefined && plans.length > 0 ? planNames(plans) : undefined,
    facts.taxYears.length === 0 && !facts.thisYear ? context.taxYears[0] : undefined,
    !facts.overPensionAge && facts.age === undefined && context.overPensionAge
      ? "past State Pension age"
      : undefined,
  ].filter((one) => one !== undefined);
  return kept.length > 0 ? `As before: ${list(kept)}.` : undefined;
}
