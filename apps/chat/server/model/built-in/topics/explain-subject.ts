/** What can be said of a subject that the reader names but does not work out. */
import { firstMiles, mileageOf, mileageSource } from "../../../../tax/mileage.ts";
import { pensionIncomeSources, statePensionOf } from "../../../../tax/pension-income.ts";
import { higherRateFrom, ratesOf, type TaxYear } from "../../../../tax/rates.ts";
import { longestSickPayWeeks, statutoryPayOf } from "../../../../tax/statutory-pay.ts";
import { latestTaxYear } from "../../../../tax/tax-year.ts";
import type { Subject } from "../subjects.ts";
import { pounds } from "../wording.ts";
import { topics } from "./all.ts";
import type { Answer, Given } from "./topic.ts";

/** Subjects without a topic of their own. Their figures are those of 2026/27. */
const others: Record<string, (taxYear: TaxYear) => Answer> = {
  "Capital Gains Tax": () => ({
    text: "Gains above **£3,000** in a tax year are taxed at 18% in the basic rate band and 24% above (2026/27).",
    source: "https://www.gov.uk/capital-gains-tax/rates",
  }),
  "Inheritance Tax": () => ({
    text: "The estate pays **40%** of what it is worth above £325,000, and up to £175,000 more for a home left to children (2026/27, unchanged until April 2030), not the person who inherits; money that you inherit is not income.",
    source: "https://www.gov.uk/inheritance-tax",
  }),
  "Corporation Tax": () => ({
    text: "A company pays **19%** of a profit up to £50,000 and **25%** from £250,000, with relief in between (2026/27).",
    source: "https://www.gov.uk/corporation-tax-rates",
  }),
  VAT: () => ({
    text: "The standard rate is **20%**. A business must register above £90,000 of turnover in twelve months (2025/26).",
    source: "https://www.gov.uk/vat-rates",
  }),
  "statutory pay": (taxYear) => {
    const { parental, sick } = statutoryPayOf[taxYear];
    return {
      text: `Maternity pay is 90% of your average pay for 6 weeks, then **${pounds(parental)} a week** (or the 90%, if lower) for 33 weeks; paternity pay is ${pounds(parental)} for up to 2 weeks. Sick pay is **${pounds(sick)} a week**, or 80% of your average pay if that is lower, for up to ${longestSickPayWeeks} weeks (${taxYear}). All are taxed like wages.`,
      source: "https://www.gov.uk/guidance/rates-and-thresholds-for-employers-2026-to-2027",
    };
  },
  "pensions in payment": (taxYear) => ({
    text: `A pension is taxed as income, together with pay, above the personal allowance of ${pounds(ratesOf[taxYear].personalAllowance)}, without National Insurance. The full new State Pension is **${pounds(statePensionOf[taxYear])} a week** (${taxYear}). A quarter of what you take from a pot is usually free of tax, and the first payment is often taxed by an emergency code.`,
    source: pensionIncomeSources.tax,
  }),
  "free childcare": () => ({
    text: "Tax-Free Childcare and the free hours of working parents end if either parent's adjusted net income is above **£100,000** in the tax year; pension contributions lower that income.",
    source: "https://www.gov.uk/tax-free-childcare",
  }),
  "company cars and other benefits in kind": () => ({
    text: "The benefit is taxed at your income tax rate without employee's National Insurance: for an electric car it is **4%** of the list price a year (2026/27). Pay given up for a bike or a car saves you income tax and National Insurance on it, 28% at the basic rate and 42% at the higher.",
    source: "https://www.gov.uk/tax-company-benefits",
  }),
  expenses: (taxYear) => {
    const { first, further } = mileageOf[taxYear];
    return {
      text: `You can claim income tax on what your employer pays less than ${first}p a mile (${further}p above ${firstMiles.toLocaleString("en-GB")} miles; ${taxYear}), and on fees of professional bodies and special clothing: 20% of the sum at the basic rate, 40% above ${pounds(higherRateFrom(taxYear, "England"))}. Relief for working from home ended in April 2026.`,
      source: mileageSource,
    };
  },
  "when a loan is paid off": () => ({
    text: "After the April in which repayments begin, plan 1 is written off in **25 years** (at 65, if it was paid before September 2006), plans 2 and 4 and the postgraduate loan in **30** and plan 5 in **40**.",
    source:
      "https://www.gov.uk/repaying-your-student-loan/when-your-student-loan-gets-written-off-or-cancelled",
  }),
};

const nothingGiven: Given = {
  text: "",
  taxYear: latestTaxYear,
  nation: "England",
  age: undefined,
  amounts: {},
  has: () => false,
  yearly: () => undefined,
  count: () => undefined,
};

function explanationOf({ name }: Subject): Answer | undefined {
  const topic = topics.find(({ subject }) => subject === name);
  return topic?.explain?.(nothingGiven) ?? others[name]?.(latestTaxYear);
}

/** What can be said of each subject, and what was not worked out. */
export function sentencesOn(subjects: readonly Subject[]): string[] {
  return subjects.flatMap((subject) => {
    const answer = explanationOf(subject);
    return answer
      ? [subject.sentence, `${answer.text} ([source](${answer.source}))`]
      : subject.sentence || [];
  });
}

export function isExplained(subject: Subject): boolean {
  return explanationOf(subject) !== undefined;
}
