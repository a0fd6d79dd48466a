/**
 * A second calculator for tests, with another method. It uses only the published table: thresholds that include the
 * allowance, as on GOV.UK, and unrounded pounds. It shares no code and no table with `tax/`.
 */
const usualYear = "2026/27";

export interface IndependentPay {
  salary: number;
  /** Default: the year of `day`, 2026/27. */
  taxYear?: string;
  scottish?: boolean;
  plans?: readonly (number | string)[];
  extra?: number;
  otherJobs?: readonly number[];
  sacrificed?: number;
  netPay?: number;
  reliefAtSource?: number;
  noInsurance?: boolean;
  /** Instead of the personal allowance: below 0 for a K code. */
  allowance?: number;
}

const scottishTable: Record<string, [upTo: number, rate: number][]> = {
  "2024/25": [
    [14_876, 0.19],
    [26_561, 0.2],
    [43_662, 0.21],
    [75_000, 0.42],
    [125_140, 0.45],
    [Infinity, 0.48],
  ],
  "2025/26": [
    [15_397, 0.19],
    [27_491, 0.2],
    [43_662, 0.21],
    [75_000, 0.42],
    [125_140, 0.45],
    [Infinity, 0.48],
  ],
  "2026/27": [
    [16_537, 0.19],
    [29_526, 0.2],
    [43_662, 0.21],
    [75_000, 0.42],
    [125_140, 0.45],
    [Infinity, 0.48],
  ],
};
const unitedKingdomTable: [upTo: number, rate: number][] = [
  [50_270, 0.2],
  [125_140, 0.4],
  [Infinity, 0.45],
];

const loanTable: Record<string, Record<string, number>> = {
  "2024/25": { 1: 24_990, 2: 27_295, 4: 31_395, postgrad: 21_000 },
  "2025/26": { 1: 26_065, 2: 28_470, 4: 32_745, postgrad: 21_000 },
  "2026/27": { 1: 26_900, 2: 29_385, 4: 33_795, 5: 25_000, postgrad: 21_000 },
};
const employerTable: Record<string, [over: number, rate: number]> = {
  "2024/25": [9_100, 0.138],
  "2025/26": [5_000, 0.15],
  "2026/27": [5_000, 0.15],
};

/**
 * Taxes every pound in its band. The published bands, which include the full allowance, move down by the lost part of
 * the allowance.
 */
function incomeTax(
  income: number,
  { taxYear = usualYear, scottish, allowance, reliefAtSource = 0 }: IndependentPay,
): number {
  // Calculated in whole pence, because floating-point pounds may fall just short of a whole pound.
  const above = Math.round((income - reliefAtSource - 100_000) * 100);
  const lost = Math.min(12_570, Math.max(0, Math.floor(above / 200)));
  let tax = 0;
  const free = allowance ?? 12_570 - lost;
  let from = free;
  for (const [published, rate] of scottish ? (scottishTable[taxYear] ?? []) : unitedKingdomTable) {
    const isStarter = rate === 0.19;
    // From £125,140 on, the table excludes the allowance; below, it includes all of it.
    const taxable = published >= 125_140 ? published : published - 12_570;
    const upTo = taxable + free + (isStarter ? 0 : reliefAtSource);
    tax += Math.max(0, Math.min(income, upTo) - from) * rate;
    from = upTo;
  }
  return tax;
}

function insurance(pay: number): number {
  if (pay <= 12_570) return 0;
  return pay <= 50_270 ? (pay - 12_570) * 0.08 : 3_016 + (pay - 50_270) * 0.02;
}

function loan(pay: number, { taxYear = usualYear, plans = [] }: IndependentPay): number {
  const table = loanTable[taxYear] ?? {};
  const thresholds = plans.filter((plan) => plan !== "postgrad").flatMap((plan) => table[plan] ?? []);
  const undergraduate = thresholds.length > 0 ? Math.max(0, pay - Math.min(...thresholds)) * 0.09 : 0;
  return undergraduate + (plans.includes("postgrad") ? Math.max(0, pay - 21_000) * 0.06 : 0);
}

/** Returns pay in pounds a year, unrounded. */
export function independentPay(of: IndependentPay) {
  const {
    salary,
    taxYear = usualYear,
    extra = 0,
    otherJobs = [],
    sacrificed = 0,
    netPay = 0,
    reliefAtSource = 0,
  } = of;
  const jobs = [salary + extra - sacrificed, ...otherJobs];
  const gross = salary + extra + otherJobs.reduce((sum, job) => sum + job, 0);
  const tax = incomeTax(gross - sacrificed - netPay, of);
  const nationalInsurance = of.noInsurance ? 0 : jobs.reduce((sum, job) => sum + insurance(job), 0);
  const studentLoan = jobs.reduce((sum, job) => sum + loan(job, of), 0);
  const [over, rate] = employerTable[taxYear] ?? [0, 0];
  return {
    gross,
    incomeTax: tax,
    nationalInsurance,
    studentLoan,
    takeHome: gross - sacrificed - netPay - reliefAtSource * 0.8 - tax - nationalInsurance - studentLoan,
    employerInsurance: jobs.reduce((sum, job) => sum + Math.max(0, job - over) * rate, 0),
  };
}

/** Returns the lowest whole-pound salary with a take-home, by trying each pound. */
export function independentSalaryFor(takeHome: number, of: Omit<IndependentPay, "salary"> = {}): number {
  let salary = Math.floor(takeHome);
  while (independentPay({ ...of, salary }).takeHome < takeHome - 0.005) salary += 1;
  return salary;
}
