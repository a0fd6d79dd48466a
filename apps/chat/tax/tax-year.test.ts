import { expect, test } from "vitest";
import { isOverStatePensionAge, statePensionAgeMonths } from "./state-pension-age.ts";
import { currentTaxYear, taxYearAt, taxYearBeginning } from "./tax-year.ts";

test.each([
  ["2026-04-05T22:59:59Z", "2025/26"],
  // In British Summer Time, the 6th begins an hour before midnight UTC.
  ["2026-04-05T23:00:00Z", "2026/27"],
  ["2026-11-28T12:00:00Z", "2026/27"],
  ["2027-04-04T12:00:00Z", "2026/27"],
])("%s is in %s", (instant, taxYear) => {
  expect(taxYearAt(Date.parse(instant))).toBe(taxYear);
});

test("a current year without a table has no rates", () => {
  expect(currentTaxYear(Date.parse("2026-06-01T00:00:00Z"))).toBe("2026/27");
  expect(currentTaxYear(Date.parse("2027-06-01T00:00:00Z"))).toBeUndefined();
  expect(taxYearBeginning(2099)).toBe("2099/00");
});

// https://www.gov.uk/government/publications/state-pension-age-timetable
test.each([
  [1960, 4, 5, 66 * 12],
  [1960, 4, 6, 66 * 12 + 1],
  [1960, 5, 5, 66 * 12 + 1],
  [1960, 5, 6, 66 * 12 + 2],
  [1961, 3, 5, 66 * 12 + 11],
  [1961, 3, 6, 67 * 12],
  [1977, 4, 5, 67 * 12],
  [1978, 4, 6, 68 * 12],
])("a person born on %d-%d-%d reaches State Pension age after %d months", (year, month, day, months) => {
  expect(statePensionAgeMonths({ year, month, day })).toBe(months);
});

test("an age in whole years may not be enough to decide on State Pension age", () => {
  const today = { year: 2026, month: 11, day: 28 };
  expect([65, 66, 67].map((age) => isOverStatePensionAge(age, today))).toEqual([false, undefined, true]);
});
