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

export interface Extra {
  name: string;
  part: Part;
  /** The salary a year that it was said with. */
  of?: number | undefined;
  /** Whether another salary follows it, so that it is of the one before alone. */
  isBetween?: boolean;
}

/** A pension, as it was said. */
export interface SaidPension {
  part: Part;
  kind: PensionKind | undefined;
}

/** "my rent is half my take home". */
export interface ShareOfTakeHome {
  /** What it goes on, where that was said. */
  name: string | undefined;
  /** 0.5 is half. */
  share: number;
  /** The share as the person said it: "a third", "20%". */
  words: string;
}

export class Facts {
  /** Amounts that no rule gave another part: salaries, in reading order. */
  salaries: Amount[] = [];
  /** Bare numbers that may be salaries where nothing else is. */
  numbers: Amount[] = [];
  /** Salaries that a word next to them, which no rule knows, may claim: "£45k car". */
  claimed: { amount: Amount; noun: string }[] = [];
  figures: Figure[] = [];
  shownBy: PayPeriod | undefined = undefined;
  taxYears: string[] = [];
  thisYear = false;
  nations: Nation[] = [];
  /** "60k in London or 55k in Edinburgh": the sum that each nation follows. */
  placed: { nation: Nation; amount: Amount }[] = [];
  plans: StudentLoanPlan[] | undefined = undefined;
  /** Plans that are to be compared. */
  planChoices: StudentLoanPlan[][] | undefined = undefined;
  unknownPlan: string | undefined = undefined;
  /** "with a student loan", and no plan said. */
  loanWithoutPlan = false;
  withAndWithout = false;
  extras: Extra[] = [];
  /** Extras that are said to be part of the salary already. */
  includedExtras: string[] = [];
  pension: SaidPension | "none" | "unsaid" | undefined = undefined;
  /** "40k with 5% pension vs 42k with none": the salary before each, and whether another one follows. */
  pensionsOf: { salary: Amount; isBetween: boolean; pension: SaidPension | undefined }[] = [];
  /** "pension to get down to 100k": what is to be left of the salary. */
  pensionDownTo: Amount | undefined = undefined;
  pensionKind: PensionKind | undefined = undefined;
  /** "from 5% to 8%": the other one to compare with. */
  pensionBefore: Part | undefined = undefined;
  /** Contributions of the employer, which change nothing in the pay. */
  employerPension = false;
  rise: { part: Part; sign: 1 | -1 } | undefined = undefined;
  secondJobs: Amount[] = [];
  hasTwoJobs = false;
  partners: Amount[] = [];
  isCouple = false;
  /** "we each earn 30k". */
  isEach = false;
  outgoings: { name: string; amount: Amount }[] = [];
  shares: ShareOfTakeHome[] = [];
  /** "half of that": of the take-home of the answer before. */
  shareOfThat: ShareOfTakeHome | undefined = undefined;
  /** "how much of the bonus do I keep": the difference that extra pay or a further job makes is asked for. */
  asksKept = false;
  /** "will I pay less tax in Scotland" */
  asksLessTax = false;
  /** An offer: compared where there is another salary to compare it with. */
  isOffer = false;
  /** "how much less": the difference that fewer days or hours make. */
  asksLess = false;
  loanBalance = false;
  wantsSalaryForNet = false;
  /** "35k net" says neither that it is what is wanted nor that it is asked for. */
  maybeNet = false;
  hours: number | undefined = undefined;
  /** Said by the day, or so few that they may be a day's where days are said too. */
  hoursPerDay: number | undefined = undefined;
  days: number | undefined = undefined;
  weeks: number | undefined = undefined;
  /** Part of full time: 4 days instead of 5 is 0.8. */
  fraction: { share: number; words: string } | undefined = undefined;
  isFullTime = false;
  isApprentice = false;
  age: number | undefined = undefined;
  /** The year of birth. */
  born: number | undefined = undefined;
  overPensionAge = false;
  minimumWage = false;
  comparison = false;
  chart = false;
  range = false;
  step: number | undefined = undefined;
  isCorrection = false;
  isAddition = false;
  /** "I also earn 5k": in addition to what was said before. */
  isFurther = false;
  asksForRates = false;
  asksForDates = false;
  term: Term | undefined = undefined;
  talk: SmallTalk | undefined = undefined;
  subjects: Subject[] = [];
  /** A subject has its own sum, so that what is left is the salary. */
  subjectSums = false;
  speaksOfPay = false;
  /** Sentences that account for words which change no figure. */
  remarks: string[] = [];
  /** Words that no rule explained, as the person wrote them. */
  leftovers: string[] = [];
  /** "salery" read as "salary". */
  corrections: { from: string; to: string }[] = [];
  words = 0;
}
