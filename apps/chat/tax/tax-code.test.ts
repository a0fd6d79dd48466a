import { expect, test } from "vitest";
import { readTaxCode, splitPrefix, taxCodeOf } from "./tax-code.ts";
import { type Pay, PayError, workOut } from "./work-out.ts";

const pay = (of: Partial<Pay>) =>
  workOut({ salary: 20_000, taxYear: "2026/27", nation: "England", studentLoanPlans: [], ...of });

// https://www.gov.uk/tax-codes/what-your-tax-code-means: K475 and £27,000 make £31,750 of taxable income.
test("a K code adds to the taxable income, as in GOV.UK's example", () => {
  const { incomeTaxBands, incomeTax, personalAllowance } = pay({ salary: 27_000, taxCode: "K475" });
  expect(incomeTaxBands.map(({ amount }) => amount)).toEqual([31_750]);
  expect(incomeTax).toBe(6_350);
  expect(personalAllowance).toBe(0);
});

test.each<[taxCode: string, nation: Pay["nation"], incomeTax: number]>([
  ["1257L", "England", 1_486],
  ["1100L", "England", 1_800],
  ["1383M", "Wales", 1_234],
  ["0T", "England", 4_000],
  ["BR", "England", 4_000],
  ["D0", "England", 8_000],
  ["D1", "England", 9_000],
  ["NT", "England", 0],
  ["BR", "Scotland", 4_000],
  ["D0", "Scotland", 4_200],
  ["D1", "Scotland", 8_400],
  ["D2", "Scotland", 9_000],
  ["D3", "Scotland", 9_600],
])("income tax on £20,000 by %s in %s", (taxCode, nation, incomeTax) => {
  const result = pay({ taxCode, nation });
  expect(result.incomeTax).toBe(incomeTax);
  expect(result.takeHome).toBe(20_000 - incomeTax - 594.4);
});

test("a K code takes at most half of the pay", () => {
  expect(pay({ salary: 2_000, taxCode: "K900" }).incomeTax).toBe(1_000);
});

test("a code gives its whole allowance even above £100,000, and the next pound does not reduce it", () => {
  const { incomeTax, marginal } = pay({ salary: 110_000, taxCode: "500T" });
  expect(incomeTax).toBe(7_540 + 0.4 * (105_000 - 37_700));
  expect(marginal.incomeTax).toBe(0.4);
});

test("codes that do not exist, and codes with several jobs, throw an error", () => {
  expect(() => pay({ taxCode: "D2" })).toThrow(new PayError("D2 is a tax code of Scotland: write SD2."));
  expect(() => pay({ taxCode: "XYZ" })).toThrow(PayError);
  expect(() => pay({ taxCode: "BR", otherJobs: [5_000] })).toThrow(/is for one job/);
});

test("the prefix of a code names its nation", () => {
  expect(splitPrefix("s1257l")).toEqual({ code: "1257L", nation: "Scotland" });
  expect(splitPrefix("ck475")).toEqual({ code: "K475", nation: "Wales" });
  expect(splitPrefix("sbr")).toEqual({ code: "BR", nation: "Scotland" });
  expect(splitPrefix("nt")).toEqual({ code: "NT", nation: undefined });
  expect(taxCodeOf("0T", "England")).toEqual({ code: "0T", allowance: 0 });
});

test.each<[typed: string, lives: Pay["nation"], read: ReturnType<typeof readTaxCode>]>([
  ["1100l", "England", { code: "1100L", nation: "England" }],
  [" k 475 ", "Scotland", { code: "K475", nation: "Scotland" }],
  ["0T M1", "Wales", { code: "0T", nation: "Wales" }],
  ["1100L/W1", "England", { code: "1100L", nation: "England" }],
  ["BR X", "England", { code: "BR", nation: "England" }],
  ["SD2", "England", { code: "D2", nation: "Scotland" }],
  ["C1257L", "England", { code: undefined, nation: "Wales" }],
  ["1257L", "Scotland", { code: undefined, nation: "Scotland" }],
  ["", "England", { code: undefined, nation: "England" }],
  ["D2", "England", { problem: "D2 is a tax code of Scotland: write SD2." }],
  [
    "12X5",
    "England",
    {
      problem: "“12X5” is not a tax code. Write it as on a payslip, such as 1257L, 1100L, K475, BR or 0T.",
    },
  ],
])("reads the typed tax code %j of someone who lives in %s", (typed, lives, read) => {
  expect(readTaxCode(typed, lives)).toEqual(read);
});
