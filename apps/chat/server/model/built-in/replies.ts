/** Answers without a calculation: small talk, definitions, questions to the person, and unsupported subjects. */
import { sources } from "../../../tax/rates.ts";
import { latestTaxYear, taxYears } from "../../../tax/tax-year.ts";
import type { Facts, SmallTalk } from "./facts.ts";
import type { Term } from "./glossary.ts";
import { leftOut } from "./notes.ts";
import { termOfCode } from "./rules/tax-codes.ts";
import type { Amount } from "./tokens.ts";
import { sentencesOn } from "./topics/explain-subject.ts";
import { list, pounds } from "./wording.ts";

export interface Reply {
  kind: "reply";
  text: string;
  suggestions: string[];
}

export const examples = [
  "Take-home on £45k in Scotland with plan 2",
  "Compare £50,000 and £60,000",
  "£15 an hour for 30 hours a week",
  "Which salary leaves £3,000 a month?",
];

const abilities =
  "I work out an employee's pay in the UK: take-home, income tax, National Insurance, student loans, pensions, bonuses, tax codes, pay by the hour or day, two jobs, what an employer pays, and the salary for a take-home, for each nation.";

function reply(text: string, suggestions: string[] = []): Reply {
  return { kind: "reply", text, suggestions };
}

const talk: Record<SmallTalk, string> = {
  greeting: `Hello! ${abilities}`,
  wellbeing: `All sums are adding up, thank you. ${abilities}`,
  thanks: "You're welcome.",
  goodbye: "Goodbye!",
  who: "I'm Headgate's built-in calculator, not an AI model: I read questions about UK pay by rules, and every figure is worked out from published rates.",
  capabilities: `${abilities} I know ${list(taxYears)}.`,
  accuracy: `Every figure is worked out from published rates (${taxYears.join(", ")}), by the year: [income tax](${sources.incomeTax}), [Scottish income tax](${sources.scottishIncomeTax}), [National Insurance](${sources.nationalInsurance}), [student loans](${sources.studentLoans}). A payslip can differ by small roundings.`,
};

const termText = ({ name, meaning }: Term) => `**${name}**: ${meaning}`;

export const replies = {
  unknownYear: (year: string) =>
    reply(`I don't have the rates for **${year}**. I have ${list(taxYears)}.`, [`In ${latestTaxYear}`]),
  unknownPlan: (plan: string) =>
    reply(
      `I don't know student loan plan ${plan}. There are plans 1, 2, 4 and 5, and the postgraduate loan (also called plan 3).`,
      ["With plan 2"],
    ),
  whichSalary: ({ leftovers, rise, taxCodes }: Facts) =>
    reply(
      [
        ...taxCodes.flatMap((written) => termOfCode(written) ?? []).map(termText),
        rise
          ? "Which salary does the rise apply to?"
          : "Which salary? Give it by the year, month, week, day or hour, such as “£45,000” or “£2,500 a month”.",
        leftOut(leftovers),
      ]
        .filter(Boolean)
        .join(" "),
      ["On £30,000", "On £45,000"],
    ),
  whichPeriod: ({ value, currency }: Amount) => {
    const sum = pounds(value);
    const small = currency === "unsaid" && value < 1000;
    return reply(
      `Is that ${sum} an hour, a day, a week, a month or a year?${small ? ` For thousands say “${value}k”.` : ""}`,
      value < 100
        ? [`£${value}k a year`, `${sum} an hour`]
        : value < 1000
          ? [`${sum} a week`, `${sum} a day`]
          : [`${sum} a month`, `${sum} a year`],
    );
  },
  misread: (words: readonly string[]) =>
    reply(
      `I don't know how to use ${list(words.map((word) => `“${word}”`))} here, and a figure without it could answer another question. Say it in other words, or leave it out.`,
    ),
  minimumWage: (sentences: readonly string[]) =>
    reply(sentences.join(" "), ["Minimum wage full time take-home"]),
  whatEachEarns: (sum: number) =>
    reply(
      `What does each of you earn? Tax is worked out for each person alone, so ${pounds(sum)} is not enough.`,
      [`We both earn ${pounds(Math.round(sum / 2))}`],
    ),
  instead: (sentence: string) => reply(sentence, ["Take-home on £45,000"]),
  term: (term: Term, leftovers: readonly string[] = []) =>
    reply([termText(term), leftOut(leftovers)].filter(Boolean).join(" "), ["On £35,000"]),
  subjects: ({ subjects, leftovers }: Facts) =>
    reply([...sentencesOn(subjects), leftOut(leftovers)].filter(Boolean).join(" "), ["Take-home on £45,000"]),
  whatIsThat: ({ value }: Amount, noun: string) =>
    reply(
      `I don't know what “${noun}” means for the ${pounds(value)}. If that is a salary, I can work it out.`,
      [`Take-home on ${pounds(value)}`],
    ),
  onlyAmount: ({ leftovers }: Facts, amount: Amount | undefined) =>
    reply(`What about ${pounds(amount?.value ?? 0)}? ${leftOut(leftovers) ?? ""}`, [
      `Take-home on ${pounds(amount?.value ?? 0)}`,
    ]),
  netOrGross: (amount: Amount | undefined) => {
    const sum = pounds(amount?.value ?? 0);
    return reply(`Is ${sum} the salary or the take-home that you want?`, [
      `Take-home on ${sum}`,
      `Which salary leaves ${sum}?`,
    ]);
  },
  whichJobs: () =>
    reply("What does each job pay? Name both, such as “two jobs, £20,000 and £15,000”.", [
      "Two jobs, £20,000 and £15,000",
    ]),
  howTogether: (salaries: readonly number[]) => {
    const sums = list(salaries.map(pounds));
    return reply(
      `How do ${sums} belong together: to compare, two jobs of one person, or two people? If one is a bonus, a rise or something else, name it.`,
      [`Compare ${sums}`, `Two jobs, ${sums}`, `My partner and I earn ${sums}`],
    );
  },
  compareWithWhat: (salary: number) =>
    reply(`What should I compare ${pounds(salary)} with? Name another salary, a nation or a tax year.`, [
      `Compare with Scotland`,
      `Compare with ${pounds(salary + 5_000)}`,
    ]),
  twoHouseholds: () =>
    reply("I can't compare two households. Ask for the take-home of one household, then of the other.", [
      "We both earn £30,000",
      "Take-home on £60,000",
    ]),
  whichRange: () => reply("A chart needs a range: from which salary to which?", ["Chart £20k to £120k"]),
  tooMany: (count: number) =>
    reply(`That makes ${count} cases, and I compare up to 8 at a time. Leave some out.`),
  tooManyRows: (rows: number, step: number) =>
    reply(
      `Steps of ${pounds(step)} make ${rows.toLocaleString("en-GB")} rows; a chart holds up to 60. Take a larger step.`,
    ),
  notPounds: () => reply("I only work in pounds sterling: I have no exchange rates. Give the salary in £."),
  negative: () => reply("A salary can't be below £0. Which salary did you mean?"),
  whichContribution: ({ remarks }: Facts) =>
    reply(["How much do you pay into the pension? The gain depends on it.", ...remarks].join(" "), [
      "Opt out of my 5% pension",
    ]),
  pensionTooLarge: () =>
    reply("A pension contribution is at most 100% of the salary. Which share did you mean?"),
  tooLarge: () => reply("Salaries go up to £10,000,000 a year here. Which one did you mean?"),
} as const;

export function notUnderstood(leftovers: readonly string[]): Reply {
  const words =
    leftovers.length > 0 ? ` I don't know ${list(leftovers.slice(0, 5).map((word) => `“${word}”`))}.` : "";
  return reply(`I didn't understand that.${words} ${abilities}`, examples);
}

/** Answers a message that asks for no calculation, or for an unsupported one. Returns `undefined` for other messages. */
export function replyTo(facts: Facts, hasSum: boolean, hasEarlier: boolean): Reply | undefined {
  const left = leftOut(facts.leftovers);
  const remarks = [...facts.remarks, left].filter((one) => one !== undefined);
  const also = remarks.length > 0 ? ` ${remarks.join(" ")}` : "";
  if (facts.asksForDates) {
    return reply(
      `A UK tax year runs from 6 April to **5 April** of the next year: ${latestTaxYear} ends on 5 April ${Number(latestTaxYear.slice(0, 4)) + 1}.${also}`,
    );
  }
  if (facts.term)
    return reply(
      `${termText(facts.term)}${also}`,
      ["On £35,000"].filter(() => !hasEarlier),
    );
  if (facts.unknownPlan !== undefined) return replies.unknownPlan(facts.unknownPlan);
  const sentences = sentencesOn(facts.subjects).join(" ");
  const isWhole = facts.subjects.some(({ scope }) => scope === "all");
  const isByTheHour = facts.numbers.length === 1 && facts.hours !== undefined;
  const hasSalary = facts.salaries.length + facts.partners.length > 0 || facts.minimumWage || isByTheHour;
  if (isWhole && !(hasSalary && facts.subjectSums)) {
    return reply(
      `${sentences}${also}`,
      hasSalary
        ? [`Take-home on ${pounds(facts.salaries[0]?.value ?? 45_000)} as an employee`]
        : ["Take-home on £45,000 as an employee"],
    );
  }
  if (facts.subjects.length > 0 && !hasSalary) return reply(`${sentences}${also}`, ["Take-home on £45,000"]);
  if (hasSum) return undefined;
  if (facts.talk && facts.leftovers.length === 0)
    return reply(talk[facts.talk], facts.talk === "goodbye" ? [] : examples.slice(0, 3));
  if (facts.remarks.length > 0) return reply(remarks.join(" "), ["Take-home on £45,000"]);
  return facts.topic && !hasEarlier
    ? replies.term(facts.topic, facts.leftovers)
    : notUnderstood(facts.leftovers);
}
