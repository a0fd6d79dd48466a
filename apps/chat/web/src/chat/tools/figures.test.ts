import { expect, test } from "vitest";
import type { SalaryBreakdown } from "../../../../contract.ts";
import {
  assumptions,
  isSalaryBreakdown,
  percent,
  plansInWords,
  pounds,
  salaryRows,
  sharesOf,
  thousands,
} from "./figures.ts";

const breakdown: SalaryBreakdown = {
  salary: 45000,
  taxYear: "2025/26",
  country: "Scotland",
  studentLoanPlans: [2, "postgrad"],
  personalAllowance: 12570,
  incomeTax: 6881.62,
  incomeTaxBands: [],
  nationalInsurance: 2594.4,
  studentLoan: 1500,
  takeHome: 34023.98,
  takeHomeMonthly: 2835.33,
  marginalRate: 0.29,
};

test("money and shares as they are read", () => {
  expect(pounds(45000)).toBe("£45,000");
  expect(pounds(6881.6)).toBe("£6,881.60");
  expect(thousands(120_000)).toBe("£120k");
  expect(thousands(12_500)).toBe("£12.5k");
  expect(thousands(500)).toBe("£500");
  expect(percent(0.42)).toBe("42%");
  expect(percent(0.4375)).toBe("43.75%");
  expect(plansInWords([2, "postgrad"])).toBe("plan 2 and postgraduate");
  expect(assumptions(breakdown)).toBe("2025/26 · Scotland · student loan plan 2 and postgraduate");
});

test("a student loan is shown only where there is one", () => {
  expect(sharesOf([breakdown]).map(({ key }) => key)).toContain("studentLoan");
  expect(sharesOf([{ ...breakdown, studentLoan: 0 }]).map(({ key }) => key)).not.toContain("studentLoan");
});

test("what is not a breakdown is not taken for one", () => {
  expect(isSalaryBreakdown(breakdown)).toBe(true);
  expect(isSalaryBreakdown({ ...breakdown, takeHome: "lots" })).toBe(false);
  expect(isSalaryBreakdown(null)).toBe(false);
  expect(salaryRows({ rows: [breakdown] })).toHaveLength(1);
  expect(salaryRows({ rows: [] })).toBeNull();
  expect(salaryRows({ rows: [breakdown, {}] })).toBeNull();
  expect(salaryRows("rows")).toBeNull();
});
