/** What one message says. Everything here was taken from its words; what could not be is in `leftovers`. */
import type { PayPeriod } from "../../../tax/pay-periods.ts";
import type { Nation, StudentLoanPlan } from "../../../tax/rates.ts";
import type { PensionKind } from "../../../tax/work-out.ts";
import type { Term } from "./glossary.ts";
import type { Subject } from "./subjects.ts";
import type { Amount } from "./tokens.ts";

export type Figure =
  | "take-home"
  | "income-tax"
  | "national-insurance"
  | "student-loan"
  | "personal-allowance"
  | "marginal-rate"
  | "effective-rate"
  | "tax-band"
  | "employer";

export type SmallTalk = "greeting" | "thanks" | "goodbye" | "who" | "capabilities" | "accuracy" | "wellbeing";

/** A sum of its own, or a share of the salary (0.1 is 10%). */
export type Part = { pounds: number } | { share: number };

export interface Facts {
  /** Amounts that no rule gave another part: salaries, in reading order. */
  salaries: Amount[];
  /** Bare numbers that may be salaries where nothing else is. */
  numbers: Amount[];
  /** Salaries that a word next to them, which no rule knows, may claim: "£45k car". */
  claimed: { amount: Amount; noun: string }[];
  figures: Figure[];
  shownBy: PayPeriod | undefined;
  taxYears: string[];
  thisYear: boolean;
  nations: Nation[];
  /** "60k in London or 55k in Edinburgh": the sum that each nation follows. */
  placed: { nation: Nation; amount: Amount }[];
  plans: StudentLoanPlan[] | undefined;
  unknownPlan: string | undefined;
  /** "with a student loan", and no plan said. */
  loanWithoutPlan: boolean;
  withAndWithout: boolean;
  extras: { name: string; part: Part }[];
  /** Extras that are said to be part of the salary already. */
  includedExtras: string[];
  pension: { part: Part; kind: PensionKind | undefined } | "none" | "unsaid" | undefined;
  pensionKind: PensionKind | undefined;
  /** "from 5% to 8%": the other one to compare with. */
  pensionBefore: Part | undefined;
  /** Contributions of the employer, which change nothing in the pay. */
  employerPension: boolean;
  rise: { part: Part; sign: 1 | -1 } | undefined;
  secondJobs: Amount[];
  hasTwoJobs: boolean;
  partners: Amount[];
  isCouple: boolean;
  /** "we each earn 30k". */
  isEach: boolean;
  outgoings: { name: string; amount: Amount }[];
  loanBalance: boolean;
  wantsSalaryForNet: boolean;
  /** "35k net" says neither that it is what is wanted nor that it is asked for. */
  maybeNet: boolean;
  hours: number | undefined;
  /** Said by the day, or so few that they may be a day's where days are said too. */
  hoursPerDay: number | undefined;
  days: number | undefined;
  weeks: number | undefined;
  /** Part of full time: 4 days instead of 5 is 0.8. */
  fraction: { share: number; words: string } | undefined;
  isFullTime: boolean;
  isApprentice: boolean;
  age: number | undefined;
  /** The year of birth. */
  born: number | undefined;
  overPensionAge: boolean;
  minimumWage: boolean;
  comparison: boolean;
  chart: boolean;
  range: boolean;
  step: number | undefined;
  isCorrection: boolean;
  isAddition: boolean;
  asksForRates: boolean;
  asksForDates: boolean;
  term: Term | undefined;
  talk: SmallTalk | undefined;
  subjects: Subject[];
  /** A subject has its own sum, so that what is left is the salary. */
  subjectSums: boolean;
  speaksOfPay: boolean;
  /** Sentences that account for words which change no figure. */
  remarks: string[];
  /** Words that no rule explained, as the person wrote them. */
  leftovers: string[];
  /** "salery" read as "salary". */
  corrections: { from: string; to: string }[];
  words: number;
}

export function noFacts(): Facts {
  return {
    salaries: [],
    numbers: [],
    claimed: [],
    figures: [],
    shownBy: undefined,
    taxYears: [],
    thisYear: false,
    nations: [],
    placed: [],
    plans: undefined,
    unknownPlan: undefined,
    loanWithoutPlan: false,
    withAndWithout: false,
    extras: [],
    includedExtras: [],
    pension: undefined,
    pensionKind: undefined,
    pensionBefore: undefined,
    employerPension: false,
    rise: undefined,
    secondJobs: [],
    hasTwoJobs: false,
    partners: [],
    isCouple: false,
    isEach: false,
    outgoings: [],
    loanBalance: false,
    wantsSalaryForNet: false,
    maybeNet: false,
    hours: undefined,
    hoursPerDay: undefined,
    days: undefined,
    weeks: undefined,
    fraction: undefined,
    isFullTime: false,
    isApprentice: false,
    age: undefined,
    born: undefined,
    overPensionAge: false,
    minimumWage: false,
    comparison: false,
    chart: false,
    range: false,
    step: undefined,
    isCorrection: false,
    isAddition: false,
    asksForRates: false,
    asksForDates: false,
    term: undefined,
    talk: undefined,
    subjects: [],
    subjectSums: false,
    speaksOfPay: false,
    remarks: [],
    leftovers: [],
    corrections: [],
    words: 0,
  };
}
