import { shareOf, toPence } from "./pence.ts";
import { type Band, bandsOf, type Nation, ratesOf, type TaxYear } from "./rates.ts";
import type { TaxCode } from "./tax-code.ts";

/** The income of one person in one tax year, in pence. */
export interface TaxedIncome {
  income: number;
  nation: Nation;
  taxYear: TaxYear;
  /**
   * Gross contributions under relief at source. They widen the bands and protect the allowance (Finance Act 2004, s.
   * 192).
   */
  reliefAtSource?: number;
  /** The tax code, which replaces the personal allowance and, for some codes, the bands. */
  taxCode?: TaxCode | undefined;
}

/**
 * Returns the personal allowance, in pence. If it shrinks, it is rounded up to the pound (Income Tax Act 2007, section
 * 35). It is below 0 for tax codes that add to the taxed income.
 */
export function personalAllowance({ income, taxYear, taxCode, reliefAtSource = 0 }: TaxedIncome): number {
  if (taxCode) return toPence(taxCode.allowance);
  const rates = ratesOf[taxYear];
  const excess = Math.max(0, income - reliefAtSource - toPence(rates.allowanceShrinksAbove));
  const left = Math.max(0, toPence(rates.personalAllowance) - excess / 2);
  return Math.ceil(left / 100) * 100;
}

interface Slice {
  band: Band;
  /** The taxable pence at which the band begins. */
  from: number;
  upTo: number;
}

/**
 * Returns the bands. Relief at source widens the basic band and moves every later band up; the starter band does not
 * change.
 */
function slices({ nation, taxYear, taxCode, reliefAtSource = 0 }: TaxedIncome): Slice[] {
  let from = 0;
  const bands = bandsOf(taxYear, nation);
  if (taxCode?.band !== undefined)
    return bands
      .filter(({ name }) => name === taxCode.band)
      .map((band) => ({ band, from, upTo: Number.POSITIVE_INFINITY }));
  return bands.map((band) => {
    const widening = band.name === "Starter rate" ? 0 : reliefAtSource;
    const upTo = band.upTo === null ? Number.POSITIVE_INFINITY : toPence(band.upTo) + widening;
    const slice = { band, from, upTo };
    from = upTo;
    return slice;
  });
}

/** Returns a year's income tax in pence. The tax of each band is rounded to the penny. */
export function incomeTax(given: TaxedIncome) {
  const allowance = personalAllowance(given);
  const taxable = Math.max(0, given.income - allowance);
  const bands = slices(given).map(({ band, from, upTo }) => {
    const amount = Math.max(0, Math.min(taxable, upTo) - from);
    return { name: band.name, rate: band.rate, amount, tax: shareOf(amount, band.rate) };
  });
  const tax = bands.reduce((sum, band) => sum + band.tax, 0);
  // A K code takes at most half of the pay (SI 2003/2682, regulation 2, "the overriding limit").
  return {
    allowance,
    taxable,
    bands,
    tax: allowance < 0 ? Math.min(tax, Math.round(given.income / 2)) : tax,
  };
}

/**
 * Returns the rates on the next pound and on the last pound, in hundredths of a per cent. While the allowance shrinks,
 * they are 1.5 times the band's rate.
 */
export function marginalIncomeTax(given: TaxedIncome): { next: number; last: number } {
  const rates = ratesOf[given.taxYear];
  const { taxable, allowance } = incomeTax(given);
  const adjusted = given.taxCode ? 0 : given.income - (given.reliefAtSource ?? 0);
  const shrinksFrom = toPence(rates.allowanceShrinksAbove);
  const goneAt = shrinksFrom + 2 * toPence(rates.personalAllowance);
  const all = slices(given);
  const rateWhere = (holds: (slice: Slice) => boolean) => all.find(holds)?.band.rate ?? 0;
  const isTaxedNext = given.income >= (given.taxCode ? allowance : toPence(rates.personalAllowance));
  const next = isTaxedNext ? rateWhere(({ upTo }) => taxable < upTo) : 0;
  const last = taxable > 0 ? rateWhere(({ upTo }) => taxable <= upTo) : 0;
  return {
    next: adjusted >= shrinksFrom && adjusted < goneAt ? next * 1.5 : next,
    last: adjusted > shrinksFrom && adjusted <= goneAt ? last * 1.5 : last,
  };
}
