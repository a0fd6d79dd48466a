import {
  calculateEmployeeNationalInsurance,
  calculateIncomeTax,
  calculatePersonalAllowance,
  calculateStudentLoanRepayments,
} from "@saving-tool/hmrc-income-tax";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { independentPay, independentSalaryFor } from "../testing/independent-pay.ts";
import { grossFromNet } from "./gross-from-net.ts";
import { type Nation, nations, type StudentLoanPlan, studentLoanPlans } from "./rates.ts";
import { taxYears } from "./tax-year.ts";
import { largestSalary, type Pay, PayError, type Pension, workOut } from "./work-out.ts";

const england = (salary: number, rest: Partial<Pay> = {}) =>
  workOut({ salary, taxYear: "2026/27", nation: "England", studentLoanPlans: [], ...rest });

/** Generates pounds with pence, often at or near a threshold. */
const money = (max: number) =>
  fc.oneof(
    fc.integer({ min: 0, max: max * 100 }).map((pence) => pence / 100),
    fc.integer({ min: 0, max }),
    fc
      .constantFrom(9_100, 12_570, 16_537, 29_526, 43_662, 50_270, 75_000, 100_000, 125_140)
      .chain((edge) => fc.integer({ min: -101, max: 101 }).map((pence) => Math.min(max, edge + pence / 100))),
  );

const pay = fc
  .record({
    salary: money(300_000),
    taxYear: fc.constantFrom(...taxYears),
    nation: fc.constantFrom<Nation>(...nations),
    studentLoanPlans: fc.subarray<StudentLoanPlan>([...studentLoanPlans]),
    extra: fc.option(money(50_000), { nil: 0 }),
    otherJobs: fc.array(money(60_000), { maxLength: 2 }),
    kind: fc.constantFrom(undefined, "salary sacrifice", "net pay", "relief at source"),
    share: fc.integer({ min: 0, max: 40 }),
    overPensionAge: fc.boolean(),
  })
  .map(({ extra, kind, share, ...rest }) => {
    const pension: Pension | undefined = kind && { kind: kind as Pension["kind"], share: share / 100 };
    return { ...rest, extras: extra > 0 ? [{ name: "bonus", amount: extra }] : [], pension };
  });

describe("the breakdown of any pay", () => {
  it("equals an independent calculator that uses the published table", () => {
    fc.assert(
      fc.property(pay, (of) => {
        const mine = workOut(of);
        const into = (kind: Pension["kind"]) => (of.pension?.kind === kind ? mine.pensionContribution : 0);
        const other = independentPay({
          salary: of.salary,
          taxYear: of.taxYear,
          scottish: of.nation === "Scotland",
          plans: of.studentLoanPlans,
          extra: of.extras[0]?.amount ?? 0,
          otherJobs: of.otherJobs,
          sacrificed: into("salary sacrifice"),
          netPay: into("net pay"),
          reliefAtSource: into("relief at source"),
          noInsurance: of.overPensionAge,
        });
        // Each band, job and loan is rounded to the penny: at most half a penny each.
        const near = (one: number, two: number) => expect(Math.abs(one - two)).toBeLessThan(0.05);
        near(mine.gross, other.gross);
        near(mine.incomeTax, other.incomeTax);
        near(mine.nationalInsurance, other.nationalInsurance);
        near(mine.studentLoan, other.studentLoan);
        near(mine.takeHome, other.takeHome);
        near(mine.employer.nationalInsurance, other.employerInsurance);
      }),
      { numRuns: 5_000 },
    );
  });

  it("adds up to the penny", () => {
    fc.assert(
      fc.property(pay, (of) => {
        const { gross, takeHome, incomeTax, nationalInsurance, studentLoan, pension, incomeTaxBands } =
          workOut(of);
        const pence = (pounds: number) => Math.round(pounds * 100);
        expect(
          [takeHome, incomeTax, nationalInsurance, studentLoan, pension].map(pence).reduce((a, b) => a + b),
        ).toBe(pence(gross));
        expect(incomeTaxBands.reduce((sum, band) => sum + pence(band.tax), 0)).toBe(pence(incomeTax));
      }),
    );
  });

  it("has a marginal rate that matches the deductions of another £100", () => {
    fc.assert(
      fc.property(pay, (of) => {
        const { pension: _, ...plain } = of;
        const salary = Math.round(of.salary);
        const at = (more: number) => workOut({ ...plain, salary: salary + more });
        const [now, then] = [at(0), at(100)];
        // Skip if there is a threshold in between.
        if (then.marginalRateBelow !== now.marginal.rate || then.marginal.rate !== now.marginal.rate) return;
        const kept = then.takeHome - now.takeHome;
        expect(Math.abs(100 - kept - now.marginal.rate * 100)).toBeLessThan(0.75);
      }),
    );
  });
});

describe("single rules", () => {
  it.each([
    [50_270, 0.42, 0.28],
    [100_000, 0.62, 0.42],
    [125_140, 0.47, 0.62],
    [12_570, 0.28, 0],
    [12_569.99, 0, 0],
  ])("on £%d, the rates on the next pound and on the last pound are correct", (salary, next, last) => {
    const { marginal, marginalRateBelow } = england(salary);
    expect(marginal.rate).toBeCloseTo(next, 10);
    expect(marginalRateBelow).toBeCloseTo(last, 10);
  });

  it("two jobs share the allowance, and each has its own National Insurance", () => {
    expect(england(20_000, { otherJobs: [15_000] })).toMatchObject({
      incomeTax: 4_486,
      nationalInsurance: 788.8,
      takeHome: 29_725.2,
    });
  });

  it.each([
    ["salary sacrifice", 34_299.6, 2_414.4],
    ["net pay", 34_119.6, 2_594.4],
    ["relief at source", 34_119.6, 2_594.4],
  ] as const)(
    "a pension of 5%% of £45,000 by %s has the expected deductions",
    (kind, takeHome, nationalInsurance) => {
      expect(england(45_000, { pension: { kind, share: 0.05 } })).toMatchObject({
        takeHome,
        nationalInsurance,
      });
    },
  );

  it("relief at source gives a higher-rate taxpayer the higher relief, and protects the allowance", () => {
    const pension: Pension = { kind: "relief at source", amount: 10_000 };
    // The basic-rate band is £10,000 wider, so £9,730 of £60,000 is taxed at 20% instead of 40%. The income that reduces
    // the allowance is £10,000 lower.
    expect(england(60_000, { pension }).incomeTax).toBe(11_432 - 9_730 * 0.2);
    expect(england(110_000, { pension })).toMatchObject({ personalAllowance: 12_570, pension: 8_000 });
  });

  it("plan 5 takes nothing before April 2026", () => {
    const of = { salary: 40_000, nation: "England", studentLoanPlans: [5] } as const;
    expect(workOut({ ...of, studentLoanPlans: [5], taxYear: "2025/26" }).studentLoan).toBe(0);
    expect(workOut({ ...of, studentLoanPlans: [5], taxYear: "2026/27" }).studentLoan).toBe(1_350);
  });
});

describe("the salary for a take-home", () => {
  test("is the lowest whole pound with at least this take-home", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200_000 }),
        pay,
        (takeHome, { salary: _, pension: __, ...rest }) => {
          const salary = grossFromNet(takeHome, rest);
          expect(workOut({ ...rest, salary }).takeHome).toBeGreaterThanOrEqual(takeHome);
          if (salary > 0) expect(workOut({ ...rest, salary: salary - 1 }).takeHome).toBeLessThan(takeHome);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([[35_000], [36_000], [70_000], [12_000]])(
    "agrees for £%d with a search pound by pound",
    (takeHome) => {
      const of = { taxYear: "2026/27" } as const;
      const salary = grossFromNet(takeHome, { ...of, nation: "England", studentLoanPlans: [] });
      expect(salary).toBe(independentSalaryFor(takeHome, of));
    },
  );
});

test.each<[Partial<Pay>, RegExp]>([
  [{ salary: -1 }, /A salary is from £0 to £10,000,000 a year; got -1/],
  [{ salary: largestSalary + 1 }, /A salary is from £0/],
  [{ salary: Number.NaN }, /A salary is from £0/],
  [
    { taxYear: "2022/23" as Pay["taxYear"] },
    /The tax years known are 2024\/25, 2025\/26, 2026\/27; got 2022\/23/,
  ],
  [{ nation: "France" as Nation }, /The nations are England, Wales, Northern Ireland, Scotland; got France/],
  [{ pension: { kind: "net pay", share: 1.5 } }, /A pension share is from 0 to 1; got 1.5/],
  [{ pension: { kind: "net pay", amount: 60_000 } }, /more than the pay of £45000/],
  [{ extras: [{ name: "bonus", amount: -5 }] }, /A bonus is from £0/],
])("workOut throws an error that names the value out of range: %j", (rest, message) => {
  expect(() => england(45_000, rest)).toThrow(PayError);
  expect(() => england(45_000, rest)).toThrow(message);
});

/**
 * `@saving-tool/hmrc-income-tax` 1.2.0 knows 2024/25 and 2025/26. Its known differences: it multiplies the weekly
 * thresholds of National Insurance and loans by 52 (up to £1.12 and £7 a year), begins Scottish bands a pound late (up
 * to 26p), uses £27,660 instead of £31,395 for plan 4 in 2024/25, returns no National Insurance at exactly £50,284, and
 * does not round the allowance up to the pound.
 */
describe("agreement with another package", () => {
  const taxYear = "2025/26";
  it.each(["England/NI/Wales", "Scotland"] as const)("the same income tax in %s", (country) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400_000 }), (taxableAnnualIncome) => {
        const of = { taxYear, country, taxableAnnualIncome } as const;
        const personal = calculatePersonalAllowance(of);
        const theirs = calculateIncomeTax({ ...of, personalAllowance: personal }).total;
        const nation = country === "Scotland" ? "Scotland" : "England";
        const mine = workOut({
          salary: taxableAnnualIncome,
          taxYear,
          nation,
          studentLoanPlans: [],
        }).incomeTax;
        expect(Math.abs(theirs - mine)).toBeLessThan(country === "Scotland" ? 0.7 : 0.31);
      }),
    );
  });

  it("the same National Insurance and loans, except for weekly rounding", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400_000 }), fc.constantFrom(1, 2, "postgrad"), (salary, plan) => {
        if (salary === 50_284) return;
        const of = { taxYear, country: "England/NI/Wales", taxableAnnualIncome: salary } as const;
        const mine = workOut({
          salary,
          taxYear,
          nation: "England",
          studentLoanPlans: [plan as StudentLoanPlan],
        });
        const theirs = calculateEmployeeNationalInsurance(of);
        expect(Math.abs(theirs - mine.nationalInsurance)).toBeLessThan(1.13);
        const loan = calculateStudentLoanRepayments({ ...of, studentLoanPlanNo: plan as 1 });
        expect(Math.abs(loan - mine.studentLoan)).toBeLessThan(7);
      }),
    );
  });
});
