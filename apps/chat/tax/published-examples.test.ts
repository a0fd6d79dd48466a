/**
 * Published examples, with the same rounding as in the publication. HMRC's manuals have examples only up to 2012/13, so
 * the examples for later years are from GOV.UK.
 */
import { describe, expect, test } from "vitest";
import { personalAllowance } from "./income-tax.ts";
import { employeeInsurance } from "./national-insurance.ts";
import { toPence } from "./pence.ts";
import { repayments } from "./student-loan.ts";
import { workOut } from "./work-out.ts";

const scottish = (salary: number) =>
  workOut({ salary, taxYear: "2026/27", nation: "Scotland", studentLoanPlans: [] });

// Deloitte for the BBC, "Scottish Budget 2026/27: What could you be paying in tax?", January 2026.
test.each([
  [16_000, 651.7, 274.4, 15_073.9],
  [33_000, 4_081.07, 1_634.4, 27_284.53],
])(
  "tax, National Insurance and take-home on £%d in Scotland",
  (salary, incomeTax, nationalInsurance, takeHome) => {
    expect(scottish(salary)).toMatchObject({ incomeTax, nationalInsurance, takeHome });
  },
);

// Scottish Parliament Information Centre, Scottish Budget 2026-27, table 8: income tax, and the difference from the rest of the UK.
test.each([
  [20_000, 1_446, -40],
  [25_000, 2_446, -40],
  [30_000, 3_451, -35],
  [35_000, 4_501, 15],
  [40_000, 5_551, 65],
  [45_000, 6_882, 396],
  [50_000, 8_982, 1_496],
  [55_000, 11_082, 1_650],
  [60_000, 13_182, 1_750],
  [65_000, 15_282, 1_850],
  [70_000, 17_382, 1_950],
  [75_000, 19_482, 2_050],
  [80_000, 21_732, 2_300],
  [85_000, 23_982, 2_550],
  [90_000, 26_232, 2_800],
  [95_000, 28_482, 3_050],
  [100_000, 30_732, 3_300],
  [150_000, 59_634, 5_931],
])("income tax on £%d in Scotland, and the difference from England", (salary, tax, more) => {
  const there = scottish(salary).incomeTax;
  const here = workOut({ salary, taxYear: "2026/27", nation: "England", studentLoanPlans: [] }).incomeTax;
  expect(Math.round(there)).toBe(tax);
  expect(Math.round(there - here)).toBe(more);
});

describe("an example on GOV.UK:", () => {
  // https://www.gov.uk/income-tax-rates: the allowance is £0 from £125,140.
  test("the personal allowance is £0 at £125,140", () => {
    const at = (income: number) =>
      personalAllowance({ income: toPence(income), nation: "England", taxYear: "2026/27" });
    expect(at(125_139)).toBe(100);
    expect(at(125_140)).toBe(0);
    // Income Tax Act 2007, section 35(3): rounded up to the pound.
    expect(at(100_001)).toBe(toPence(12_570));
  });

  // https://www.gov.uk/national-insurance/how-much-you-pay: £1,000 a week, nothing on £242, 8% on £725, 2% on £33.
  test("National Insurance on £1,000 a week", () => {
    const yearly = employeeInsurance(toPence(52_000), "2026/27");
    expect(Math.abs(yearly / 52 - toPence(58.66))).toBeLessThan(5);
  });

  // https://www.gov.uk/repaying-your-student-loan/what-you-pay, while the threshold of plan 2 was £27,295 (until April 2025):
  // on £28,800 a year, £11 each month.
  test("monthly repayment of plan 2 on £28,800", () => {
    const [line] = repayments(toPence(28_800), [2], "2024/25");
    expect(Math.floor((line?.repayment ?? 0) / 12 / 100)).toBe(11);
  });

  // Older versions of the same page: plan 1 on £33,000 a year and plan 4 on £36,000 a year, in whole pounds a month.
  test.each([
    ["2024/25", 1, 33_000, 60],
    ["2024/25", 4, 36_000, 34],
    ["2025/26", 1, 33_000, 52],
    ["2025/26", 4, 36_000, 24],
  ] as const)("monthly repayment in %s of plan %d on £%d", (taxYear, plan, salary, repaid) => {
    const [line] = repayments(toPence(salary), [plan], taxYear);
    expect(Math.floor((line?.repayment ?? 0) / 12 / 100)).toBe(repaid);
  });

  // https://www.gov.uk/masters-loan/repayment: on £2,500 a month, £45 each month. Student Finance Wales: on £3,000, £75.
  test.each([
    [2_500, 45],
    [3_000, 75],
  ])("monthly repayment of the postgraduate loan on £%d a month", (monthly, repaid) => {
    for (const year of ["2024/25", "2025/26", "2026/27"] as const) {
      const [line] = repayments(toPence(monthly * 12), ["postgrad"], year);
      expect((line?.repayment ?? 0) / 12).toBe(toPence(repaid));
    }
  });

  // https://www.gov.uk/repaying-your-student-loan/what-you-pay: several undergraduate plans make one repayment.
  test("plans 1 and 2 together use the lower threshold", () => {
    expect(repayments(toPence(36_900), [1, 2], "2026/27")).toEqual([
      { plans: [1, 2], threshold: 26_900, rate: 900, repayment: toPence(900) },
    ]);
  });
});
