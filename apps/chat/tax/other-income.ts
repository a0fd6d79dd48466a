/**
 * Income tax on dividends, savings interest and other income next to pay. It is the top slice of the income: first the
 * pay, then interest, then dividends (Income Tax Act 2007, section 16). Interest and dividends have the bands of the
 * whole UK, also in Scotland.
 */
import { incomeTax, personalAllowance } from "./income-tax.ts";
import { shareOf, toPence, toPounds } from "./pence.ts";
import { type Nation, ratesOf, type TaxYear } from "./rates.ts";

export const otherIncomeSources = {
  dividends: "https://www.gov.uk/tax-on-dividends",
  savings: "https://www.gov.uk/apply-tax-free-interest-on-savings",
  rent: "https://www.gov.uk/renting-out-a-property/paying-tax",
} as const;

/** Hundredths of a per cent, for the basic, higher and additional rate. Pounds for the allowance. */
export const dividendRatesOf: Record<
  TaxYear,
  { allowance: number; rates: readonly [number, number, number] }
> = {
  "2024/25": { allowance: 500, rates: [875, 3375, 3935] },
  "2025/26": { allowance: 500, rates: [875, 3375, 3935] },
  // Finance Act 2026: 2 percentage points more for the basic and the higher rate.
  "2026/27": { allowance: 500, rates: [1075, 3575, 3935] },
};

/** Pounds, the same in all three years. */
export const savingsAllowance = { basic: 1_000, higher: 500, additional: 0 } as const;
/** Pounds of rent a year that are free of tax, also instead of the costs; and from a lodger in one's own home. */
export const propertyAllowance = 1_000;
export const rentARoom = 7_500;
/** Pounds: 0% on interest up to this, less the pay above the personal allowance. */
export const startingRateLimit = 5_000;

interface OtherIncome {
  /** Pence a year. */
  pay: number;
  amount: number;
  nation: Nation;
  taxYear: TaxYear;
}

/** What is taxable of the pay and of the other income. The allowance goes to the pay first. */
function taxables({ pay, amount, nation, taxYear }: OtherIncome) {
  const allowance = personalAllowance({ income: pay + amount, nation, taxYear });
  const taxedPay = Math.max(0, pay - allowance);
  const taxedAmount = Math.max(0, amount - Math.max(0, allowance - pay));
  const code = { code: "", allowance: toPounds(allowance) };
  // The other income can take away from the allowance of the pay.
  const moreOnPay =
    incomeTax({ income: pay, nation, taxYear, taxCode: code }).tax -
    incomeTax({ income: pay, nation, taxYear }).tax;
  return { taxedPay, taxedAmount, moreOnPay };
}

/** Splits a slice of taxable income by the UK's bands. */
function byBand(from: number, upTo: number, taxYear: TaxYear): [number, number, number] {
  const [basic, higher] = ratesOf[taxYear].bands;
  const ends = [toPence(basic?.upTo ?? 0), toPence(higher?.upTo ?? 0), Number.POSITIVE_INFINITY];
  let start = 0;
  const [one = 0, two = 0, three = 0] = ends.map((end) => {
    const part = Math.max(0, Math.min(upTo, end) - Math.max(from, start));
    start = end;
    return part;
  });
  return [one, two, three];
}

function taxAt(parts: readonly number[], rates: readonly number[]): number {
  return parts.reduce((sum, part, at) => sum + shareOf(part, rates[at] ?? 0), 0);
}

export interface OtherTax {
  /** The tax that the other income adds, in pence. */
  tax: number;
  /** What of that is due because the personal allowance of the pay shrinks, in pence. */
  lostAllowance: number;
  /** What of it is taxed at more than 0%, in pence. */
  taxed: number;
  /** The taxed amounts at the basic, higher and additional rate, in pence. */
  parts: readonly [number, number, number];
}

export function dividendTax(given: OtherIncome): OtherTax {
  const { taxedPay, taxedAmount, moreOnPay } = taxables(given);
  const { allowance, rates } = dividendRatesOf[given.taxYear];
  const free = Math.min(taxedAmount, toPence(allowance));
  const parts = byBand(taxedPay + free, taxedPay + taxedAmount, given.taxYear);
  return {
    tax: taxAt(parts, rates) + moreOnPay,
    lostAllowance: moreOnPay,
    taxed: taxedAmount - free,
    parts,
  };
}

export function savingsTax(given: OtherIncome): OtherTax & { allowance: number; starting: number } {
  const { taxedPay, taxedAmount, moreOnPay } = taxables(given);
  const { bands } = ratesOf[given.taxYear];
  const [basic, higher] = bands;
  const top = taxedPay + taxedAmount;
  const allowance =
    top > toPence(higher?.upTo ?? 0)
      ? savingsAllowance.additional
      : top > toPence(basic?.upTo ?? 0)
        ? savingsAllowance.higher
        : savingsAllowance.basic;
  const starting = Math.max(0, toPence(startingRateLimit) - taxedPay);
  const free = Math.min(taxedAmount, starting + toPence(allowance));
  const parts = byBand(taxedPay + free, top, given.taxYear);
  const rates = bands.map(({ rate }) => rate);
  return {
    tax: taxAt(parts, rates) + moreOnPay,
    lostAllowance: moreOnPay,
    taxed: taxedAmount - free,
    parts,
    allowance: toPence(allowance),
    starting: Math.min(taxedAmount, starting),
  };
}

/** The tax that more income of the same kind as pay adds: profits, rent, pensions. Pence. */
export function taxOnTop({ pay, amount, nation, taxYear }: OtherIncome): number {
  const on = (income: number) => incomeTax({ income, nation, taxYear }).tax;
  return on(pay + amount) - on(pay);
}
