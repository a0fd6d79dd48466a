/**
 * The published rates of each tax year, in pounds a year and in hundredths of a per cent (`2000` is 20%).
 * Figures exist only here, next to their sources.
 */

export type Nation = "England" | "Wales" | "Northern Ireland" | "Scotland";
export type TaxYear = "2024/25" | "2025/26" | "2026/27";
export type StudentLoanPlan = 1 | 2 | 4 | 5 | "postgrad";

export const nations: readonly Nation[] = ["England", "Wales", "Northern Ireland", "Scotland"];
export const studentLoanPlans: readonly StudentLoanPlan[] = [1, 2, 4, 5, "postgrad"];

export interface Band {
  name: string;
  /** The rate in hundredths of a per cent. */
  rate: number;
  /**
   * The taxable income, after the personal allowance, up to which the rate applies, in pounds a year; `null` for no
   * end.
   */
  upTo: number | null;
}

export interface Rates {
  personalAllowance: number;
  /** The allowance shrinks by £1 for every £2 of income above this. */
  allowanceShrinksAbove: number;
  /** The bands of England, Wales and Northern Ireland. */
  bands: readonly Band[];
  scottishBands: readonly Band[];
  employee: { from: number; rate: number; upperFrom: number; upperRate: number };
  employer: { from: number; rate: number };
  studentLoans: Record<StudentLoanPlan, StudentLoanTerms>;
  /** The minimum wages in pounds an hour. */
  minimumWage: { from21: number; from18: number; under18: number; apprentice: number };
  /** The maximum pension contribution in a year without a tax charge. */
  pensionAllowance: number;
}

export interface StudentLoanTerms {
  /** The income above which repayments are due, in pounds a year; `null` if no repayments were due in the year. */
  threshold: number | null;
  rate: number;
}

/** Where each kind of figure is published. */
export const sources = {
  incomeTax: "https://www.gov.uk/government/publications/rates-and-allowances-income-tax",
  scottishIncomeTax: "https://www.gov.scot/publications/scottish-income-tax-rates-and-bands",
  nationalInsurance:
    "https://www.gov.uk/government/publications/rates-and-allowances-national-insurance-contributions",
  studentLoans: "https://www.gov.uk/repaying-your-student-loan/what-you-pay",
  minimumWage: "https://www.gov.uk/national-minimum-wage-rates",
  pensionAllowance: "https://www.gov.uk/tax-on-your-private-pension/annual-allowance",
  statePensionAge: "https://www.gov.uk/government/publications/state-pension-age-timetable",
} as const;

// Income Tax Act 2007, sections 10 and 35; frozen at these figures until April 2031 (Finance Acts 2021, 2023 and 2026).
const allowance = { personalAllowance: 12_570, allowanceShrinksAbove: 100_000, pensionAllowance: 60_000 };
const bands: readonly Band[] = [
  { name: "Basic rate", rate: 2000, upTo: 37_700 },
  { name: "Higher rate", rate: 4000, upTo: 125_140 },
  { name: "Additional rate", rate: 4500, upTo: null },
];

/** The Scottish Parliament sets these bands each year. The upper three have not changed since 2024/25. */
function scottishBands(starterUpTo: number, basicUpTo: number): readonly Band[] {
  return [
    { name: "Starter rate", rate: 1900, upTo: starterUpTo },
    { name: "Basic rate", rate: 2000, upTo: basicUpTo },
    { name: "Intermediate rate", rate: 2100, upTo: 31_092 },
    { name: "Higher rate", rate: 4200, upTo: 62_430 },
    { name: "Advanced rate", rate: 4500, upTo: 125_140 },
    { name: "Top rate", rate: 4800, upTo: null },
  ];
}

// The primary threshold and the upper earnings limit for a year: SI 2001/1004, regulations 10 and 11.
const employee = { from: 12_570, rate: 800, upperFrom: 50_270, upperRate: 200 };

function studentLoans(
  plan1: number,
  plan2: number,
  plan4: number,
  plan5: number | null,
): Rates["studentLoans"] {
  return {
    1: { threshold: plan1, rate: 900 },
    2: { threshold: plan2, rate: 900 },
    4: { threshold: plan4, rate: 900 },
    5: { threshold: plan5, rate: 900 },
    postgrad: { threshold: 21_000, rate: 600 },
  };
}

export const ratesOf: Record<TaxYear, Rates> = {
  "2024/25": {
    ...allowance,
    bands,
    // £14,876 and £26,561 with the allowance: sources.scottishIncomeTax, 2024 to 2025.
    scottishBands: scottishBands(2_306, 13_991),
    employee,
    // 13.8% over £9,100: sources.nationalInsurance, 2024 to 2025.
    employer: { from: 9_100, rate: 1380 },
    // sources.studentLoans, 6 April 2024 to 5 April 2025. Plan 5 is repaid from 6 April 2026.
    studentLoans: studentLoans(24_990, 27_295, 31_395, null),
    // sources.minimumWage, April 2024 to March 2025.
    minimumWage: { from21: 11.44, from18: 8.6, under18: 6.4, apprentice: 6.4 },
  },
  "2025/26": {
    ...allowance,
    bands,
    // £15,397 and £27,491 with the allowance: sources.scottishIncomeTax, 2025 to 2026.
    scottishBands: scottishBands(2_827, 14_921),
    employee,
    // 15% over £5,000: sources.nationalInsurance, 2025 to 2026.
    employer: { from: 5_000, rate: 1500 },
    // sources.studentLoans, 6 April 2025 to 5 April 2026.
    studentLoans: studentLoans(26_065, 28_470, 32_745, null),
    // sources.minimumWage, April 2025 to March 2026.
    minimumWage: { from21: 12.21, from18: 10, under18: 7.55, apprentice: 7.55 },
  },
  "2026/27": {
    ...allowance,
    bands,
    // £16,537 and £29,526 with the allowance: sources.scottishIncomeTax, 2026 to 2027.
    scottishBands: scottishBands(3_967, 16_956),
    employee,
    // 15% over £5,000: sources.nationalInsurance, 2026 to 2027.
    employer: { from: 5_000, rate: 1500 },
    // sources.studentLoans, 6 April 2026 to 5 April 2027.
    studentLoans: studentLoans(26_900, 29_385, 33_795, 25_000),
    // sources.minimumWage, April 2026 to March 2027.
    minimumWage: { from21: 12.71, from18: 10.85, under18: 8, apprentice: 8 },
  },
};

export function bandsOf(taxYear: TaxYear, nation: Nation): readonly Band[] {
  const rates = ratesOf[taxYear];
  return nation === "Scotland" ? rates.scottishBands : rates.bands;
}

/** Returns the income at which the higher rate begins, in pounds a year, if the personal allowance is whole. */
export function higherRateFrom(taxYear: TaxYear, nation: Nation): number {
  const bands = bandsOf(taxYear, nation);
  const below = bands[bands.findIndex(({ name }) => name === "Higher rate") - 1];
  return ratesOf[taxYear].personalAllowance + (below?.upTo ?? 0);
}
