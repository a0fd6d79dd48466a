import { describe, expect, it } from "vitest";
import { caveatOf, isKnownTaxYear, taxYearAt, taxYearBeginning, taxYearsKnown } from "./tax-years.ts";

describe("tax years", () => {
  it.each([
    ["2026-11-24T08:00:00Z", "2026/27"],
    ["2026-04-05T22:59:59Z", "2025/26"],
    // Midnight in London is an hour earlier in UTC in April.
    ["2026-04-05T23:00:00Z", "2026/27"],
    ["2026-01-01T00:00:00Z", "2025/26"],
    ["2025-12-31T23:59:59Z", "2025/26"],
  ])("at %s it is %s", (instant, taxYear) => {
    expect(taxYearAt(Date.parse(instant))).toBe(taxYear);
  });

  it("writes the turn of a century", () => {
    expect(taxYearBeginning(2099)).toBe("2099/00");
    expect(taxYearBeginning(2008)).toBe("2008/09");
  });

  it("knows what it knows", () => {
    expect(taxYearsKnown.every(isKnownTaxYear)).toBe(true);
    expect(isKnownTaxYear("2026/27")).toBe(false);
    expect(isKnownTaxYear("toString")).toBe(false);
  });

  it("warns of the years in which National Insurance changed", () => {
    expect(taxYearsKnown.filter((year) => caveatOf(year) !== undefined)).toEqual(["2022/23", "2023/24"]);
  });
});
