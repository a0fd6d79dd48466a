import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StudentLoanPlan } from "../../contract.ts";
import {
  breakDownSalary,
  type Circumstances,
  marginalRates,
  personalAllowanceAt,
  SalaryError,
  studentLoanAt,
  toPenny,
} from "./salary.ts";
import { comfortableStep, salariesBetween, salaryForTakeHome } from "./salary-search.ts";
import { countries, taxYearsKnownFor } from "./tax-years.ts";

const england = (salary: number, changes: Partial<Circumstances> = {}): Circumstances => ({
  salary,
  taxYear: "2025/26",
  country: "England/NI/Wales",
  studentLoanPlans: [],
  ...changes,
});
const scotland = (salary: number, changes: Partial<Circumstances> = {}) =>
  england(salary, { country: "Scotland", ...changes });

describe("a salary worked out in full", () => {
  // Worked out by hand from the published bands: 20% to £50,270, 40% to £125,140, 45% above; National Insurance of 8%
  // between £242 and £967 a week and 2% above.
  it.each([
    { of: england(12_570), incomeTax: 0, nationalInsurance: 0, takeHome: 12_570 },
    { of: england(30_000), incomeTax: 3_486, nationalInsurance: 1_393.28, takeHome: 25_120.72 },
    { of: england(45_000), incomeTax: 6_486, nationalInsurance: 2_593.28, takeHome: 35_920.72 },
    { of: england(60_000), incomeTax: 11_432, nationalInsurance: 3_210.32, takeHome: 45_357.68 },
    { of: england(110_000), incomeTax: 33_432, nationalInsurance: 4_210.32, takeHome: 72_357.68 },
    { of: england(130_000), incomeTax: 44_703, nationalInsurance: 4_610.32, takeHome: 80_686.68 },
    { of: england(0), incomeTax: 0, nationalInsurance: 0, takeHome: 0 },
    {
      of: england(200_000, { taxYear: "2022/23" }),
      incomeTax: 74_960,
      nationalInsurance: 9_861.02,
      takeHome: 115_178.98,
    },
    {
      of: scotland(50_000, { taxYear: "2024/25" }),
      incomeTax: 9_028.08,
      nationalInsurance: 2_993.28,
      takeHome: 37_978.64,
    },
  ])("$of.salary in $of.country in $of.taxYear", ({ of, ...expected }) => {
    expect(breakDownSalary(of)).toMatchObject(expected);
  });

  it("shows the bands in which income tax falls, in order, without empty ones", () => {
    expect(breakDownSalary(scotland(50_000)).incomeTaxBands).toEqual([
      { name: "Starter rate", rate: 0.19, tax: 537.32 },
      { name: "Basic rate", rate: 0.2, tax: 2_418.8 },
      { name: "Intermediate rate", rate: 0.21, tax: 3_395.91 },
      { name: "Higher rate", rate: 0.42, tax: 2_661.54 },
    ]);
    expect(breakDownSalary(england(10_000)).incomeTaxBands).toEqual([]);
  });

  it("charges National Insurance at exactly the upper threshold, where the calculator by itself charges none", () => {
    expect(breakDownSalary(england(50_284)).nationalInsurance).toBe(3_016);
    expect(breakDownSalary(england(50_283)).nationalInsurance).toBe(3_015.92);
    expect(breakDownSalary(england(50_285)).nationalInsurance).toBe(3_016.02);
  });

  it("names a plan once, however often it is given", () => {
    expect(breakDownSalary(england(45_000, { studentLoanPlans: [2, 2] })).studentLoanPlans).toEqual([2]);
  });
});

describe("student loans", () => {
  it.each<{ plans: StudentLoanPlan[]; salary: number; repaid: number }>([
    { plans: [1], salary: 40_000, repaid: 1_255.32 },
    { plans: [2], salary: 45_000, repaid: 1_490.04 },
    { plans: ["postgrad"], salary: 45_000, repaid: 1_442.64 },
    // One 9% above the lower threshold (Plan 1's), not two.
    { plans: [1, 2], salary: 45_000, repaid: 1_705.32 },
    { plans: [2, 1], salary: 45_000, repaid: 1_705.32 },
    // Plan 5's threshold is the lowest of all.
    { plans: [2, 4, 5], salary: 45_000, repaid: 1_803.6 },
    // The postgraduate 6% comes on top.
    { plans: [2, "postgrad"], salary: 45_000, repaid: 2_932.68 },
    { plans: [2], salary: 28_444, repaid: 0 },
    { plans: [], salary: 45_000, repaid: 0 },
  ])("$plans at $salary", ({ plans, salary, repaid }) => {
    expect(breakDownSalary(england(salary, { studentLoanPlans: plans })).studentLoan).toBe(repaid);
  });

  it("says which plans share a repayment, above which threshold", () => {
    expect(studentLoanAt(england(45_000, { studentLoanPlans: [2, 1, "postgrad"] })).repayments).toEqual([
      { plans: [2, 1], threshold: 26_052, rate: 0.09, repayment: 1_705.32 },
      { plans: ["postgrad"], threshold: 20_956, rate: 0.06, repayment: 1_442.64 },
    ]);
  });
});

describe("the marginal rate", () => {
  it.each([
    { of: england(10_000), rate: 0 },
    { of: england(12_575), rate: 0.2 },
    { of: england(45_000), rate: 0.28 },
    { of: england(50_270), rate: 0.48 },
    { of: england(50_284), rate: 0.42 },
    { of: england(60_000), rate: 0.42 },
    { of: england(110_000), rate: 0.62 },
    { of: england(130_000), rate: 0.47 },
    { of: scotland(43_000), rate: 0.29 },
    { of: scotland(45_000), rate: 0.5 },
    { of: scotland(110_000), rate: 0.695 },
    { of: england(45_000, { studentLoanPlans: [2] }), rate: 0.37 },
    { of: england(45_000, { studentLoanPlans: [2, "postgrad"] }), rate: 0.43 },
    { of: england(45_000, { taxYear: "2022/23" }), rate: 0.3325 },
  ])("$of.salary in $of.country: $rate", ({ of, rate }) => {
    expect(marginalRates(of).marginalRate).toBe(rate);
  });
});

describe("the personal allowance", () => {
  it.each([
    [100_000, 12_570],
    [110_000, 7_570],
    [125_140, 0],
    [9_000_000, 0],
  ])("at %d is %d", (salary, allowance) => {
    expect(personalAllowanceAt(england(salary)).personalAllowance).toBe(allowance);
  });
});

describe("what the calculator does not cover", () => {
  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 10_000_001])(
    "refuses a salary of %d, and says so",
    (salary) => {
      expect(() => breakDownSalary(england(salary))).toThrow(`got ${salary}`);
    },
  );

  it("names the years known for Scotland when another is asked for", () => {
    expect(() => breakDownSalary(scotland(45_000, { taxYear: "2023/24" }))).toThrow(
      new SalaryError("For Scotland the tax years known are 2024/25, 2025/26; got 2023/24."),
    );
  });
});

describe("tables", () => {
  it("goes up by the step, and does not pass the end", () => {
    expect(salariesBetween(30_000, 62_000, 10_000)).toEqual([30_000, 40_000, 50_000, 60_000]);
    expect(salariesBetween(0, 0.3, 0.1)).toEqual([0, 0.1, 0.2, 0.3]);
  });

  it.each([
    [20_000, 120_000, 1_000, /up to 60 rows; a step of 1000 makes 101\. Take a step of at least 1695/],
    [20_000, 30_000, 20_000, /at most 10000/],
    [30_000, 30_000, 1_000, /from a lower to a higher/],
    [30_000, 40_000, 0, /more than £0; got 0/],
  ])("refuses %d to %d by %d", (from, to, step, message) => {
    expect(() => salariesBetween(from, to, step)).toThrow(message);
  });

  it("takes a step that the advice of its own refusal would take", () => {
    expect(salariesBetween(20_000, 120_000, 1_695).length).toBeLessThanOrEqual(60);
  });

  it("finds a comfortable step for any range", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9_000_000 }),
        fc.integer({ min: 100, max: 1_000_000 }),
        (from, width) => {
          const rows = salariesBetween(from, from + width, comfortableStep(from, from + width));
          expect(rows.length).toBeLessThanOrEqual(21);
        },
      ),
    );
  });
});

describe("the salary for a take-home", () => {
  it("is the lowest whole pound that leaves it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000 }), (takeHome) => {
        const salary = salaryForTakeHome(takeHome, england(0));
        expect(breakDownSalary(england(salary)).takeHome).toBeGreaterThanOrEqual(takeHome);
        expect(breakDownSalary(england(salary - 1)).takeHome).toBeLessThan(takeHome);
      }),
      { numRuns: 50 },
    );
  });

  it("says when no salary leaves so much", () => {
    expect(() => salaryForTakeHome(9_900_000, england(0))).toThrow(/No salary up to £10,000,000/);
  });
});

const anyCircumstances = fc.constantFrom(...countries).chain((country) =>
  fc.record({
    salary: fc.oneof(
      fc.integer({ min: 0, max: 200_000 }),
      fc.integer({ min: 0, max: 1_000_000_000 }).map((pence) => pence / 100),
    ),
    country: fc.constant(country),
    taxYear: fc.constantFrom(...taxYearsKnownFor(country)),
    studentLoanPlans: fc.subarray<StudentLoanPlan>([1, 2, 4, 5, "postgrad"]),
  }),
);

describe("for any circumstances", () => {
  it("what is taken and what is left add up to the salary, to the penny", () => {
    fc.assert(
      fc.property(anyCircumstances, (of) => {
        const { salary, incomeTax, incomeTaxBands, nationalInsurance, studentLoan, takeHome } =
          breakDownSalary(of);
        expect(toPenny(incomeTax + nationalInsurance + studentLoan + takeHome)).toBe(salary);
        expect(toPenny(incomeTaxBands.reduce((sum, { tax }) => sum + tax, 0))).toBe(incomeTax);
        expect(takeHome).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("more salary never leaves less, and the marginal rate is between nothing and everything", () => {
    fc.assert(
      fc.property(anyCircumstances, fc.integer({ min: 1, max: 5_000 }), (of, rise) => {
        const before = breakDownSalary(of);
        expect(before.marginalRate).toBeGreaterThanOrEqual(0);
        expect(before.marginalRate).toBeLessThan(1);
        if (of.salary + rise > 10_000_000) return;
        expect(breakDownSalary({ ...of, salary: of.salary + rise }).takeHome).toBeGreaterThan(
          before.takeHome,
        );
      }),
    );
  });
});
