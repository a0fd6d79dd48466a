/** A topic next to a pay slip: the words that name it, the roles of its amounts, and its answers. */
import { shareOf, toPounds } from "../../../../tax/pence.ts";
import type { Nation, TaxYear } from "../../../../tax/rates.ts";
import type { Amount } from "../tokens.ts";
import { pounds } from "../wording.ts";

/** What a message gives for a topic. */
export interface Given {
  /** The words as the rules read them, with `#` for each amount. */
  text: string;
  taxYear: TaxYear;
  nation: Nation;
  age: number | undefined;
  /** The first amount of each role. */
  amounts: Readonly<Record<string, Amount>>;
  /** Whether the words contain a pattern. */
  has(pattern: string): boolean;
  /** Pence a year; `undefined` if the message does not give the amount. */
  yearly(role: string): number | undefined;
  /** A bare number: a count of weeks, children or miles. */
  count(role: string): number | undefined;
}

/** A name, a pattern as `phrase` reads it with one amount, and a condition on this amount. */
export type Role = [name: string, pattern: string, holds?: (amount: Amount) => boolean];

export interface Answer {
  text: string;
  source: string;
}

export interface Topic {
  /** The subject of `subjects.ts` that it explains next to another answer. */
  subject?: string;
  /** The words that name the topic. `#` is an amount. */
  about: string;
  /** Words with which the question is another one. */
  unless?: string;
  /** Words of which one must be there if the message gives amounts. */
  asks?: string;
  /** Whether it answers a question for take-home pay. */
  answersTakeHome?: boolean;
  /** Whether it answers for a couple. */
  answersCouples?: boolean;
  roles?: readonly Role[];
  /** Gets a message in which every amount has a role. */
  calculate?: (given: Given) => Answer | undefined;
  /** Answers a message without amounts. */
  explain?: (given: Given) => Answer;
}

const joins =
  "(?: (?:of|is|are|was|at|for|on|being|=|:|worth|in|total|comes|to|up|currently|still|about|paying|pays|paid|that|it|says|me))*";

/** "salary of 30k", "earning 30k" */
export const before = (words: string) => `(?:${words})${joins} A`;
/** "30k salary", "5k in dividends" */
export const after = (words: string) =>
  `A(?: (?:of|in|as|for|from|on|worth|gross|total|own|full))* (?:${words})`;

export const hasPeriod = ({ period }: Amount) => period !== undefined;
export const isMoney = ({ kind, period, value }: Amount) =>
  kind === "money" || period !== undefined || value >= 100;

/** A salary next to the topic's own amount. */
export const salaryRoles: Role[] = [
  ["salary", after("salary|job|wages?|paye|income|pay|earnings|basic|day job"), isMoney],
  [
    "salary",
    before(
      "salary|earn|earns|earning|earnings|wages?|pay|paid|income|on|make|makes|making|job|paye|am|get|gets|gross|normal|normally|basic|top",
    ),
    isMoney,
  ],
];

/** Words that ask for the tax on another income next to a salary. */
export const asksTax =
  "how much|how are|what|do i|do we|does|will|would|should|owe|tax on|taxed|any tax|\\?|tax(?= ?$)";

export const money = (pence: number) => pounds(toPounds(pence));
export const perWeek = (yearly: number) => Math.round(yearly / 52);
export const perMonth = (yearly: number) => Math.round(yearly / 12);
export const percentOf = (pence: number, percentage: number) => shareOf(pence, percentage * 100);
/** `1075` is "10.75%". */
export const rate = (hundredths: number) => `${hundredths / 100}%`;
