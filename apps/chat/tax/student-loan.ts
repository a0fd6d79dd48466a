import { shareOf, toPence } from "./pence.ts";
import { ratesOf, type StudentLoanPlan, type TaxYear } from "./rates.ts";

export interface Repayment {
  plans: StudentLoanPlan[];
  /** The threshold in pounds a year. */
  threshold: number;
  /** The rate in hundredths of a per cent. */
  rate: number;
  /** The repayment in pence a year. */
  repayment: number;
}

/**
 * Returns the repayments from one job's pay. Borrowers with several undergraduate plans make one repayment of 9%, above
 * the lowest of their thresholds. A postgraduate loan is repaid in addition
 * (https://www.gov.uk/repaying-your-student-loan/what-you-pay).
 * @param pay in pence a year, before pension contributions other than by salary sacrifice
 */
export function repayments(pay: number, plans: readonly StudentLoanPlan[], taxYear: TaxYear): Repayment[] {
  const terms = ratesOf[taxYear].studentLoans;
  const due = [...new Set(plans)].filter((plan) => terms[plan].threshold !== null);
  const thresholdOf = (plan: StudentLoanPlan) => terms[plan].threshold ?? 0;
  const repaid = (of: StudentLoanPlan[]): Repayment[] => {
    const [first] = of;
    if (first === undefined) return [];
    const threshold = Math.min(...of.map(thresholdOf));
    const { rate } = terms[first];
    return [{ plans: of, threshold, rate, repayment: shareOf(Math.max(0, pay - toPence(threshold)), rate) }];
  };
  return [
    ...repaid(due.filter((plan) => plan !== "postgrad")),
    ...repaid(due.filter((plan) => plan === "postgrad")),
  ];
}

/** Returns the rates on the next pound and on the last pound, in hundredths of a per cent. */
export function marginalRepayment(
  pay: number,
  plans: readonly StudentLoanPlan[],
  taxYear: TaxYear,
): { next: number; last: number } {
  const found = repayments(pay, plans, taxYear);
  const sum = (holds: (threshold: number) => boolean) =>
    found.reduce((rates, { threshold, rate }) => rates + (holds(toPence(threshold)) ? rate : 0), 0);
  return { next: sum((threshold) => pay >= threshold), last: sum((threshold) => pay > threshold) };
}
