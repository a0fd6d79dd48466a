import { expect, test } from "vitest";
import { workOut } from "../../../../tax/work-out.ts";
import {
  assumptions,
  breakdownRows,
  isBreakdown,
  percent,
  percentagesIn,
  perPeriod,
  plansInWords,
  pounds,
  sharesOf,
  thousands,
} from "./figures.ts";

const breakdown = workOut({
  salary: 45_000,
  taxYear: "2026/27",
  nation: "Scotland",
  studentLoanPlans: [2, "postgrad"],
});

test("money and shares are formatted for reading", () => {
  expect(pounds(45000)).toBe("£45,000");
  expect(pounds(6881.6)).toBe("£6,881.60");
  expect(thousands(120_000)).toBe("£120k");
  expect(thousands(12_500)).toBe("£12.5k");
  expect(thousands(500)).toBe("£500");
  expect(percent(0.42)).toBe("42%");
  expect(percent(0.4375)).toBe("43.75%");
  expect(perPeriod(45_357.4, "month")).toBe(3_779.78);
  expect(plansInWords([2, "postgrad"])).toBe("plan 2 and postgraduate");
  expect(assumptions(breakdown)).toBe("2026/27 · Scotland · student loan plan 2 and postgraduate");
  const coded = workOut({ ...breakdown.pay, studentLoanPlans: [], taxCode: "BR" });
  expect(assumptions(coded)).toBe("2026/27 · Scotland · tax code BR");
});

test("a student loan and a pension are shown only if there is one", () => {
  expect(sharesOf([breakdown]).map(({ key }) => key)).toContain("studentLoan");
  const plain = workOut({ ...breakdown.pay, studentLoanPlans: [] });
  expect(sharesOf([plain]).map(({ key }) => key)).toEqual(["takeHome", "incomeTax", "nationalInsurance"]);
  const saving = workOut({ ...breakdown.pay, pension: { kind: "net pay", share: 0.05 } });
  expect(sharesOf([saving]).map(({ key }) => key)).toContain("pension");
});

test("percentages sum to 100.0", () => {
  const parts = sharesOf([breakdown]);
  const shown = percentagesIn(breakdown, parts).map((text) => Number(text.replace("%", "")));
  expect(Number(shown.reduce((sum, part) => sum + part, 0).toFixed(1))).toBe(100);
  const nothing = workOut({ ...breakdown.pay, salary: 0 });
  expect(percentagesIn(nothing, sharesOf([nothing]))).toEqual(["–", "–", "–"]);
});

test("isBreakdown recognises only breakdowns", () => {
  expect(isBreakdown(breakdown)).toBe(true);
  expect(isBreakdown(JSON.parse(JSON.stringify(breakdown)))).toBe(true);
  expect(isBreakdown({ ...breakdown, takeHome: "lots" })).toBe(false);
  expect(isBreakdown({ ...breakdown, pay: {} })).toBe(false);
  expect(isBreakdown(null)).toBe(false);
  expect(breakdownRows({ rows: [breakdown] })).toHaveLength(1);
  expect(breakdownRows({ rows: [] })).toBeNull();
  expect(breakdownRows({ rows: [breakdown, {}] })).toBeNull();
  expect(breakdownRows("rows")).toBeNull();
});
