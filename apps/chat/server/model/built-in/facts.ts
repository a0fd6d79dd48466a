/** The facts in one message. Words without a rule are in `leftovers`. */
import type { PayPeriod } from "../../../tax/pay-periods.ts";
import type { Nation, StudentLoanPlan } from "../../../tax/rates.ts";
import type { CalendarDate } from "../../../tax/tax-year.ts";
import type { PensionKind } from "../../../tax/work-out.ts";
import type { Term } from "./glossary.ts";
import type { Subject } from "./subjects.ts";
import type { Amount } from "./tokens.ts";

export type Figure =
  | "take-home"
  | "deductions"
  | "income-tax"
  | "national-insurance"
  | "student-loan"
  | "personal-allowance"
  | "marginal-rate"
  | "effective-rate"
  | "tax-band"
  | "taxable-income"
  | "gross"
  | "pension"
  | "employer";

export type SmallTalk = "greeting" | "thanks" | "goodbye" | "who" | "capabilities" | "accuracy" | "wellbeing";

/** An amount, or a share of the salary (0.1 is 10%). */
export type Part = { pounds: number } | { share: number };

export interface Extra {
  name: string;
  part: Part;
  /** The yearly salary next to it in the message. */
  of?: number | undefined;
  /** Whether another salary follows. The pension then applies only to the salary before it. */
  isBetween?: boolean;
}

/** A pension, as written in the message. */
export interface SaidPension {
  part: Part;
  kind: PensionKind | undefined;
}

/** "my rent is half my take home". */
export interface ShareOfTakeHome {
  /** The purpose of the share, if the message names it. */
  name: string | undefined;
  /** 0.5 is half. */
  share: number;
  /** The share in the person's words: "a third", "20%". */
  words: string;
}

export interface Change {
  /** Months of the tax year before the change. */
  months: number;
  isUntil: boolean;
  /** Whether the message names the pay of today first. */
  isNewFirst: boolean;
  /** Whether there was no pay before. */
  isStart: boolean;
  words: string;
}

export class Facts {
  /** The words as the rules read them, with `#` for each amount and `%` for each percentage. */
  text = "";
  /** All amounts, as they were before rules changed them. */
  amounts: Amount[] = [];
  /** Values from which a rule worked out another amount. */
  sources: number[] = [];
  /** Amounts that no other rule used: salaries, in reading order. */
  salaries: Amount[] = [];
  /** Bare numbers that may be salaries if the message has no other salary. */
  numbers: Amount[] = [];
  /** Amounts next to an unknown noun, which may not be salaries: "£45k car". */
  claimed: { amount: Amount; noun: string }[] = [];
  /** Percentages that no rule used. */
  percentages: Amount[] = [];
  figures: Figure[] = [];
  shownBy: PayPeriod | undefined = undefined;
  taxYears: string[] = [];
  thisYear = false;
  nations: Nation[] = [];
  /** "60k in London or 55k in Edinburgh": the amount before each nation. */
  placed: { nation: Nation; amount: Amount }[] = [];
  /** "34k in 26/27 and 32k in 25/26": the amount before each year. */
  dated: { taxYear: string; amount: Amount }[] = [];
  plans: StudentLoanPlan[] | undefined = undefined;
  /** Plans to compare. */
  planChoices: StudentLoanPlan[][] | undefined = undefined;
  unknownPlan: string | undefined = undefined;
  /** "with a student loan" without a plan. */
  loanWithoutPlan = false;
  /** "with and without": of the pension alone, or of the loan too. */
  withAndWithout: boolean | "pension" = false;
  extras: Extra[] = [];
  /** "without the bonus". */
  withoutExtras = false;
  /** Extras that are already part of the salary. */
  includedExtras: string[] = [];
  pension: SaidPension | "none" | "unsaid" | undefined = undefined;
  /** "40k with 5% pension vs 42k with none": the salary before each, and whether another one follows. */
  pensionsOf: { salary: Amount; isBetween: boolean; pension: SaidPension | undefined }[] = [];
  /** "pension to get down to 100k": the salary that should be left. */
  pensionDownTo: Amount | "higher rate" | undefined = undefined;
  pensionKind: PensionKind | undefined = undefined;
  /** "what would I gain if I opt out": needs the contribution. */
  asksOptOut = false;
  /** "from 5% to 8%": the other share to compare with. */
  pensionBefore: Part | undefined = undefined;
  /** Contributions of the employer, which do not change the pay. */
  employerPension = false;
  rise: { part: Part; sign: 1 | -1 } | undefined = undefined;
  /** "£200 more a month in my pocket": the rise of the take-home. */
  netRise: Amount | undefined = undefined;
  secondJobs: Amount[] = [];
  hasTwoJobs = false;
  /** "tax on the pub job": the question is about this one of two jobs. */
  jobAsked: Amount | "unclear" | undefined = undefined;
  /** "a staff of 4": employees, not a couple. */
  isStaff = false;
  partners: Amount[] = [];
  isCouple = false;
  /** "we each earn 30k". */
  isEach = false;
  outgoings: { name: string; amount: Amount }[] = [];
  /** "how long until I save 10k", in pounds. */
  goal: number | undefined = undefined;
  /** Deductions of a payslip, to compare with: "£390.50 of tax". */
  claims: string[] = [];
  /** Pay that changes within the tax year, after so many months. */
  change: Change | undefined = undefined;
  shares: ShareOfTakeHome[] = [];
  /** "half of that": half of the take-home in the previous answer. */
  shareOfThat: ShareOfTakeHome | undefined = undefined;
  /** "how much of the bonus do I keep": the question is about the difference from extra pay or another job. */
  asksKept = false;
  /** "will I pay less tax in Scotland" */
  asksLessTax = false;
  /** A job offer: compared with another salary, if there is one. */
  isOffer = false;
  /** "how much less": the difference from fewer days or hours. */
  asksLess = false;
  loanBalance = false;
  wantsSalaryForNet = false;
  /** "35k net" does not say whether 35k is the salary or the wanted take-home. */
  maybeNet = false;
  /** Overtime at a multiple of the hourly pay: time and a half is 1.5. */
  overtime: { hoursAYear: number; times: number; words: string } | undefined = undefined;
  hours: number | undefined = undefined;
  /** Hours a day: named as such, or few enough to be hours a day if days are also given. */
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
  /** The date of birth. */
  bornOn: CalendarDate | undefined = undefined;
  overPensionAge = false;
  /** As written, in lower case: "s1257l". */
  taxCodes: string[] = [];
  /** The code that replaced the other one. */
  codeNow: string | undefined = undefined;
  minimumWage = false;
  /** The voluntary wage of the Living Wage Foundation. */
  isRealLivingWage = false;
  comparison = false;
  chart = false;
  range = false;
  step: number | undefined = undefined;
  isCorrection = false;
  isAddition = false;
  /** "I also earn 5k": in addition to earlier salaries. */
  isFurther = false;
  asksForRates = false;
  asksForDates = false;
  term: Term | undefined = undefined;
  /** What a question without an amount may be about. */
  topic: Term | undefined = undefined;
  asksForPensionAge = false;
  talk: SmallTalk | undefined = undefined;
  subjects: Subject[] = [];
  /** A subject has its own amount, so the other amount is the salary. */
  subjectSums = false;
  speaksOfPay = false;
  /** Sentences about words that do not change a figure. */
  remarks: string[] = [];
  /** Words that no rule knows, as the person wrote them. */
  leftovers: string[] = [];
  /** Those leftovers that hold an amount, or a word that some rule knows: the sentence was not understood. */
  misread: string[] = [];
  /** "salery" read as "salary". */
  corrections: { from: string; to: string }[] = [];
  words = 0;
}
