/** Class 4 National Insurance on the profits of the self-employed, and the Construction Industry Scheme. */
import { shareOf, toPence } from "./pence.ts";
import type { TaxYear } from "./rates.ts";

export const selfEmploymentSources = {
  insurance: "https://www.gov.uk/self-employed-national-insurance-rates",
  tradingAllowance: "https://www.gov.uk/guidance/tax-free-allowances-on-property-and-trading-income",
  construction: "https://www.gov.uk/what-is-the-construction-industry-scheme",
} as const;

/** Pounds a year; hundredths of a per cent. The same since 6 April 2024. */
export const class4 = { from: 12_570, rate: 600, upperFrom: 50_270, upperRate: 200 } as const;

/** Pounds a week, only to fill a record; and the profit from which a year counts without it. */
export const class2Of: Record<TaxYear, { weekly: number; smallProfits: number }> = {
  "2024/25": { weekly: 3.45, smallProfits: 6_725 },
  "2025/26": { weekly: 3.5, smallProfits: 6_845 },
  "2026/27": { weekly: 3.65, smallProfits: 7_105 },
};

/** Pounds of sales a year without tax or a return. */
export const tradingAllowance = 1_000;

/** Per cent taken from a subcontractor's labour: registered, and not registered. */
export const constructionRates = { registered: 20, unregistered: 30 } as const;

/** @param profit of a year, in pence @returns pence */
export function class4Insurance(profit: number): number {
  const main = Math.max(0, Math.min(profit, toPence(class4.upperFrom)) - toPence(class4.from));
  const upper = Math.max(0, profit - toPence(class4.upperFrom));
  return shareOf(main, class4.rate) + shareOf(upper, class4.upperRate);
}
