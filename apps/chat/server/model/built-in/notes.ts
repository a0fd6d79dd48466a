/** Sentences about parts of a question that the figures do not show. */
import { splitPrefix, usualTaxCode } from "../../../tax/tax-code.ts";
import type { Context } from "./context.ts";
import type { Facts, SaidPension } from "./facts.ts";
import { sentencesOn } from "./topics/explain-subject.ts";
import { list, planNames, pounds } from "./wording.ts";

const quoted = (words: readonly string[]) => list(words.map((word) => `“${word}”`));

export function leftOut(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  return `I left ${quoted(words)} out: I don't know how to use it in a calculation.`;
}

/** @param before the context before this message */
export function notesOn(facts: Facts, context: Context, before: Context): string[] {
  return [
    ...facts.corrections.map(({ from, to }) => `I read “${from}” as “${to}”.`),
    ...facts.remarks,
    ...sentencesOn(facts.subjects),
    ...pensionNotes(facts, context),
    ...loanNotes(facts, context),
    facts.includedExtras.length > 0
      ? `The ${list(facts.includedExtras)} is already part of the salary, so I did not add it.`
      : undefined,
    facts.employerPension ? "Your employer's pension contribution does not change your pay." : undefined,
    facts.isFullTime && facts.salaries.every(({ period }) => period !== "hour") && !facts.fraction
      ? "I assumed this is your full-time salary."
      : undefined,
    taxCodeNote(facts, context),
    facts.claims.length > 0
      ? `Compare these figures with the ${list(facts.claims)} that you give.`
      : undefined,
    idleHours(facts),
    unused(facts, context),
    context.mode === "household" ? householdNote(context) : undefined,
    oneNation(context),
    carried(facts, context, before),
    leftOut(facts.leftovers),
  ].filter((note) => note !== undefined && note !== "") as string[];
}

function pensionNotes(facts: Facts, context: Context): string[] {
  const [own, ...others] = context.pensionsOf;
  const said = own?.pension ?? context.pensions.find(Boolean);
  // No note is needed if the question says that the other salary has no pension.
  if (own && others.length === 0 && facts.pensionsOf.length === 1)
    return [`I assumed that the pension applies only to ${pounds(own.of)}.`, ...kindNotes(facts, said)];
  return kindNotes(facts, said);
}

/** Returns the assumed kind of pension, if the question does not say it. */
function kindNotes({ pension, pensionKind }: Facts, said: SaidPension | undefined): string[] {
  if (pension === "unsaid" || (pensionKind && !said)) {
    return ["I left the pension out. Give the contribution, such as “with 5% pension”."];
  }
  if (!said || pension === undefined || pension === "none" || pensionKind || said.kind) return [];
  return [
    "I assumed that the pension is paid by salary sacrifice. With relief at source, your take-home is different.",
  ];
}

function loanNotes({ loanBalance, loanWithoutPlan, plans }: Facts, context: Context): string[] {
  const hasPlan =
    context.planSets.some(({ length }) => length > 0) || context.figures.includes("student-loan");
  return [
    ...(loanBalance ? ["The repayment depends on your pay, not on your loan balance."] : []),
    ...(loanWithoutPlan && plans === undefined && !hasPlan
      ? ["I left the student loan out: it depends on your plan (1, 2, 4, 5 or postgraduate)."]
      : []),
    ...(context.taxYears.some((year) => year !== "2026/27") && context.planSets.some((set) => set.includes(5))
      ? ["Plan 5 repayments start in April 2026."]
      : []),
  ];
}

/** Names the parts of one person's pay that the answer does not use. */
function unused(
  { outgoings, shares, extras, pension }: Facts,
  { mode, salaries }: Context,
): string | undefined {
  const isOne = mode === "one" && salaries.length > 0;
  const isPaidFrom = isOne || mode === "household";
  const names = [
    ...(isPaidFrom ? [] : outgoings.map(({ name }) => name)),
    ...(isOne ? [] : shares.map(({ name, words }) => name ?? `share of ${words}`)),
    ...(salaries.length > 0 ? [] : extras.map(({ name }) => name)),
    ...(salaries.length === 0 && typeof pension === "object" ? ["pension"] : []),
  ];
  return names.length > 0 ? `I left the ${list(names)} out.` : undefined;
}

function taxCodeNote({ taxCodes, codeNow }: Facts, { otherJobs, mode }: Context): string | undefined {
  const codes = list(taxCodes.map((code) => code.toUpperCase()));
  if (codes === "") return undefined;
  if (otherJobs.length > 0)
    return `I worked out the year's tax on all jobs together: the tax code ${codes} only decides which job it is taken from.`;
  if (mode === "household") return `I applied the tax code ${codes} to the first person.`;
  if (codeNow !== undefined)
    return `The code of today, ${codes}, counts for the whole tax year: what another code took too much comes back, unless the code ends in W1, M1 or X.`;
  const [code, other] = taxCodes.map((written) => splitPrefix(written).code);
  return code === usualTaxCode && other === undefined
    ? "1257L is the usual tax code: these figures use its allowance."
    : undefined;
}

/** Explains how hours and days next to a yearly salary were used. */
function idleHours(facts: Facts): string | undefined {
  const { hours, days, weeks, salaries, numbers, fraction, minimumWage } = facts;
  const byTheHour =
    [...salaries, ...numbers].some(({ period }) => period === "hour" || period === "day") || minimumWage;
  if (byTheHour || fraction || (hours === undefined && days === undefined && weeks === undefined))
    return undefined;
  const said = [hours && `${hours} hours`, days && `${days} days`, weeks && `${weeks} weeks`].filter(
    Boolean,
  ) as string[];
  return `I assumed that this is your salary for ${list(said)}.`;
}

/** Names the nations that a search for a salary, or a table, does not use. */
function oneNation({ mode, nations }: Context): string | undefined {
  const [used, ...others] = nations;
  if ((mode !== "net" && mode !== "table") || used === undefined || others.length === 0) return undefined;
  return `These figures are for ${used}. I left ${list(others)} out: ask for it alone.`;
}

function householdNote(context: Context): string | undefined {
  const own =
    context.planSets.some(({ length }) => length > 0) ||
    context.pensions.some(Boolean) ||
    context.extras.length > 0;
  return own ? "I applied the loan, pension and extra pay to the first person." : undefined;
}

/** Names the circumstances kept from earlier messages, if this message starts a new calculation. */
function carried(facts: Facts, context: Context, before: Context): string | undefined {
  if (before.salaries.length === 0 || facts.salaries.length === 0) return undefined;
  const [nation] = context.nations;
  const [plans = []] = context.planSets;
  const kept = [
    facts.nations.length === 0 && nation !== "England" ? nation : undefined,
    facts.plans === undefined && plans.length > 0 ? planNames(plans) : undefined,
    facts.taxYears.length === 0 && !facts.thisYear ? context.taxYears[0] : undefined,
    facts.taxCodes.length === 0 && context.taxCodes[0] ? `tax code ${context.taxCodes[0]}` : undefined,
    !facts.overPensionAge && facts.age === undefined && context.overPensionAge
      ? "past State Pension age"
      : undefined,
  ].filter((one) => one !== undefined);
  return kept.length > 0 ? `I kept ${list(kept)} from your earlier question.` : undefined;
}
