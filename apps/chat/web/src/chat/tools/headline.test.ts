import { expect, test } from "vitest";
import { workOut } from "../../../../tax/work-out.ts";
import { headlineOf, shownBy } from "./headline.ts";

const row = workOut({ salary: 60_000, taxYear: "2026/27", nation: "England", studentLoanPlans: [] });

test.each([
  [{ show: { figure: "take-home", period: "month" } }, "Take-home on £60,000", "£3,779.78", "a month"],
  [{ show: { figure: "income-tax" } }, "Income tax on £60,000", "£11,432", "a year"],
  [{ show: { figure: "marginal-rate" } }, "Marginal rate at £60,000", "42%", ""],
  [{ show: { figure: "effective-rate" } }, "Income tax and National Insurance on £60,000", "24.4%", ""],
  [{ show: { figure: "employer" } }, "Employer's National Insurance on £60,000", "£8,250", "a year"],
  [{ show: { figure: "tax-band" } }, "Highest band on £60,000", "Higher rate", ""],
  [{ show: { figure: "new", period: "eon" } }, "Take-home on £60,000", "£45,357.40", "a year"],
  [{}, "Take-home on £60,000", "£45,357.40", "a year"],
  [null, "Take-home on £60,000", "£45,357.40", "a year"],
])("a card shows the requested figure first: %j", (input, label, value, unit) => {
  expect(headlineOf(row, shownBy(input))).toEqual({ label, value, unit });
});

test("an hourly figure uses the stated working week", () => {
  const asked = shownBy({ show: { figure: "take-home", period: "hour", hoursPerWeek: 40 } });
  expect(headlineOf(row, asked)).toMatchObject({ value: "£21.81", unit: "an hour" });
  const ofWeeks = shownBy({
    show: { figure: "take-home", period: "hour", hoursPerWeek: 40, weeksPerYear: 46 },
  });
  expect(headlineOf(row, ofWeeks)).toMatchObject({ value: "£24.65", unit: "an hour" });
});
