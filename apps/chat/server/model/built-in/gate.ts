/**
 * The last step between reading and answering: a calculation is shown only if it holds what the question asks for, and if
 * each amount of the question is in it or is named. Otherwise the person is asked, or the missing part is declined first.
 */
import type { Facts, Figure } from "./facts.ts";
import { type Reply, replies } from "./replies.ts";
import type { ToolRequest } from "./request.ts";
import { subjectRules } from "./subjects.ts";
import type { Amount } from "./tokens.ts";
import { isExplained } from "./topics/explain-subject.ts";
import { pounds } from "./wording.ts";

/** A calculation before it is shown. */
interface Draft {
  facts: Facts;
  request: ToolRequest;
  figures: readonly Figure[];
  notes: readonly string[];
}

/** A quantity that people ask for, and that a calculation may lack. */
interface Quantity {
  /** On the words of a message, with `#` for each amount and `%` for each percentage. */
  asked: RegExp;
  isGiven?: (draft: Draft) => boolean;
  /** One sentence, first in the answer. */
  sentence: string;
  /** Whether the figures answer the rest of the question. If not, only the sentence is shown. */
  hasRest?: boolean;
}

const compares = ({ request: { tool } }: Draft) => tool === "compare_salaries" || tool === "household";
const small =
  "(?: (?:is|are|was|a|an|the|my|our|this|that|of|in|to|for|on|i|we|you|do|does|would|will|can|could|have|get|be|much|each|per|month|year|week))*";

const quantities: readonly Quantity[] = [
  {
    asked:
      /\b(?:what|which|how much)\b.*\b(?:salary|earn|earning|be on|make)\b.*\b(?:(?:pay|paying|pays|be|is) #(?: (?:a|per|of|in|month|year|week|income|worth))* (?:tax|ni|national insurance|student loan)|(?:tax|ni|national insurance|loan)(?: (?:bill|to|would|will|be|of))*(?: be| to be| reach| comes? to) #)/,
    sentence:
      "I can't work back from a deduction to a salary: I only work back from a take-home. Give the salary, and I work out what is deducted.",
  },
  {
    asked: /\b(?:what|how much) (?:was|did)\b.*\bbefore\b.*\b(?:rise|raise|increase|uplift|went up)\b/,
    sentence: "I can't work back from the pay after a rise. Give the pay before it.",
  },
  {
    asked:
      /\bif (?:i|we|you|everyone|people) only (?:paid|pay) %|\bif (?:the )?(?:\S+ )?(?:tax|ni|national insurance|allowance|threshold|rate)(?: rate)? (?:was|were|went|is|goes|rose|fell|became) (?:up |down )?(?:to |by |at )?[#%]/,
    sentence: "I only use the published rates: I can't work out other ones.",
  },
  {
    asked:
      /\b(?:what|how much)\b.*\bfull time(?: equivalent)?(?: (?:salary|pay|wage))? (?:be|is)\b|\bfull time equivalent of\b/,
    isGiven: ({ facts }) => facts.fraction === undefined,
    sentence: "I can't work back from part-time pay to full time. Give the full-time salary and the part.",
  },
  {
    asked:
      /\b(?:drop|fall|go down|go up|increase|change|differ) by(?= ?[?.!]?$)|\bwhat (?:is|would be) the difference\b/,
    isGiven: (draft) => compares(draft) || draft.facts.netRise !== undefined,
    sentence: "I need both pays for a difference: name the one before and the one after.",
  },
  {
    asked: /\bhow many (?:more |extra )?(?:hours?|shifts?|days?|weeks?|months?|years?|jobs?|people)\b/,
    isGiven: ({ facts }) => facts.goal !== undefined,
    sentence: "I can't work out how many are needed: give the hours and the pay, and I work out the rest.",
  },
  {
    asked: /\b(?:how (?:long|soon|old|often|fast)|what (?:date|day))\b/,
    isGiven: ({ facts }) => facts.goal !== undefined || facts.asksForPensionAge || facts.age !== undefined,
    sentence: "I can't work out times and dates from pay.",
  },
  {
    asked:
      /\b(?:borrow|lend|afford|mortgage (?:can|could|would|will)|(?:get|buy) (?:a |an )?(?:mortgage|house|flat))\b/,
    isGiven: ({ facts }) => facts.outgoings.length + facts.shares.length > 0 || facts.wantsSalaryForNet,
    sentence: "I can't tell what you can afford or borrow: I only work out what you take home.",
    hasRest: true,
  },
  {
    asked: /(?<!\b(?:how much|much|what|which|salary|code|rate|it|tax|%|#) )\bshould (?:i|we|he|she)\b/,
    isGiven: compares,
    sentence: "I can't advise you what to do: I only work out the figures.",
    hasRest: true,
  },
  {
    asked: /\bwhy\b|\bhow come\b/,
    sentence: "I can't tell why your pay is as it is: compare it with these figures.",
    hasRest: true,
  },
  {
    asked: /\b(?:do|should|must|will)(?: \S+){0,3} (?:tax return|self assessment)\b/,
    sentence: "I can't tell whether you must send a tax return: GOV.UK has a check for it.",
    hasRest: true,
  },
  {
    asked: /\b(?:entitled|eligible|eligibility|qualify|qualified)\b/,
    sentence: "I can't tell what you are entitled to: I only work out pay.",
    hasRest: true,
  },
  {
    asked: /\b(?:is|are|check)\b.*\bcode\b.*\b(?:right|wrong|correct|ok)\b/,
    sentence: "I can't tell whether a tax code is right: HMRC sets it from all your income and benefits.",
    hasRest: true,
  },
  {
    asked: /\bwhat (?:tax )?code should\b|\b(?:what|which) (?:is )?(?:my )?tax code\b/,
    isGiven: ({ facts }) => facts.taxCodes.length > 0,
    sentence:
      "The usual tax code for an only job up to £100,000 is **1257L** (S1257L in Scotland, C1257L in Wales); above it the allowance and the code are smaller. HMRC sets yours.",
    hasRest: true,
  },
  {
    asked: /\b(?:above|below|under|over) (?:average|normal|median)\b|\baverage (?:salary|wage|pay)\b|\btop %/,
    sentence: "I don't know what other people earn.",
    hasRest: true,
  },
];

/** "how much notice pay do I get": the question is for the subject, not for the take-home. */
function asksForSubject({ text, subjects, figures }: Facts): boolean {
  if (figures.length > 0) return false;
  return subjects.some((subject) => {
    const rule = subjectRules.find(({ subject: { name } }) => name === subject.name);
    return (
      rule !== undefined &&
      isExplained(subject) &&
      new RegExp(
        `\\b(?:how much|what|entitled|eligible|qualify)${small} (?:${rule.pattern.replace(/A/g, "#")})\\b`,
      ).test(text)
    );
  });
}

const timesAYear = [1, 4, 12, 13, 26, 52, 260, 1950];
const ofRates: readonly Figure[] = ["tax-band", "marginal-rate", "effective-rate"];

/** Sums and percentages that the calculation does not use, and that no sentence names. */
function unusedAmounts({ facts, request, figures, notes }: Draft): Amount[] {
  const { salaries: _, numbers: __, amounts, extras, ...others } = facts;
  const isMade = extras.length > 0 && request.tool !== "tax_rates";
  const used = JSON.stringify([request.input, others, isMade ? extras : [], notes]);
  const found = new Set(
    (used.replace(/(\d),(?=\d{3}\b)/g, "$1").match(/\d+(?:\.\d+)?/g) ?? []).map((one) =>
      Number(Number(one).toFixed(4)),
    ),
  );
  const isIn = (value: number) => found.has(Number(value.toFixed(2))) || found.has(Number(value.toFixed(4)));
  // "taxed at 40%", "avoid the 60% trap", "3% from my employer"; a rate for overtime; hours in thousands; a debt
  const isOfRates = figures.some((figure) => ofRates.includes(figure)) || facts.pensionDownTo !== undefined;
  const isEmployers = facts.employerPension || facts.asksForRates;
  const isPart = facts.includedExtras.length > 0 || facts.loanBalance;
  const isRate = extras.some(({ name }) => name === "overtime");
  return amounts.filter(({ value, kind, currency, scaled }) => {
    if (kind === "number") return false;
    if (kind === "percent") return !(isOfRates || isEmployers || isIn(value) || isIn(value / 100));
    const isCount = currency === "unsaid" && !scaled && facts.hours !== undefined;
    return !(isPart || isRate || isCount || timesAYear.some((times) => isIn(value * times)));
  });
}

export interface Passed {
  /** The sentence that declines a part, first in the answer. */
  first: string | undefined;
}

/** @returns a reply instead of the calculation, or what must be said before it */
export function gate(draft: Draft): Reply | Passed {
  const { facts } = draft;
  if (asksForSubject(facts)) return replies.subjects(facts);
  const missing = quantities.find(({ asked, isGiven }) => asked.test(facts.text) && !isGiven?.(draft));
  if (missing && !missing.hasRest) return replies.instead(missing.sentence);
  const unused = unusedAmounts(draft);
  if (unused.length > 0)
    return replies.misread(
      unused.map(({ value, kind }) => (kind === "percent" ? `${value}%` : pounds(value))),
    );
  return { first: missing?.sentence };
}
