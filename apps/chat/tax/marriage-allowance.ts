/** The Marriage Allowance: https://www.gov.uk/marriage-allowance (the same in 2024/25, 2025/26 and 2026/27). */
import { incomeTax } from "./income-tax.ts";
import { shareOf, toPence } from "./pence.ts";
import { higherRateFrom, type Nation, ratesOf, type TaxYear } from "./rates.ts";

export const marriageAllowanceSource = "https://www.gov.uk/marriage-allowance";

/** Pounds: a tenth of the personal allowance, rounded up to £10 (Income Tax Act 2007, section 55B). */
export const transferred = 1_260;
export const reduction = 252;

export type MarriageAllowance =
  | { kind: "gain"; gain: number }
  | { kind: "no"; why: "receiver pays a higher rate" | "giver needs it" | "receiver pays no tax" };

/**
 * What a couple gains in a year.
 * @param giver the lower income, in pence
 * @param receiver the higher income, in pence
 */
export function marriageAllowance(
  giver: number,
  receiver: number,
  nation: Nation,
  taxYear: TaxYear,
): MarriageAllowance {
  const tax = (income: number) => incomeTax({ income, nation, taxYear }).tax;
  if (receiver > toPence(higherRateFrom(taxYear, nation)))
    return { kind: "no", why: "receiver pays a higher rate" };
  if (tax(receiver) === 0) return { kind: "no", why: "receiver pays no tax" };
  const left = toPence(ratesOf[taxYear].personalAllowance - transferred);
  // Scotland's starter rate is 1% lower: the basic rate is the careful figure.
  const lost = tax(giver) > 0 ? toPence(reduction) : shareOf(Math.max(0, giver - left), 2000);
  const gain = Math.min(toPence(reduction), tax(receiver)) - lost;
  return gain > 0 ? { kind: "gain", gain } : { kind: "no", why: "giver needs it" };
}
