import { asSchema, type ToolExecutionOptions } from "ai";
import { describe, expect, it } from "vitest";
import { salaryTools } from "./tools.ts";

const options = { toolCallId: "call", messages: [], context: {} } as unknown as ToolExecutionOptions<never>;

/** Runs a tool like the SDK: validates the input, runs the tool, and checks its output against its schema. */
async function run(name: keyof typeof salaryTools, input: unknown): Promise<unknown> {
  const { inputSchema, outputSchema, execute } = salaryTools[name];
  const checked = await asSchema(inputSchema as never).validate?.(input);
  if (!checked?.success) throw checked?.error ?? new Error("no validation");
  const output: unknown = await execute(checked.value as never, options);
  const fits = await asSchema(outputSchema as never).validate?.(output);
  expect(fits).toMatchObject({ success: true });
  return output;
}

describe("the salary tools", () => {
  it("take_home fills in nation, year and plans", async () => {
    expect(await run("take_home", { salary: 45_000 })).toMatchObject({
      pay: { salary: 45_000, nation: "England", taxYear: "2026/27", studentLoanPlans: [] },
      takeHome: 35_919.6,
      takeHomeMonthly: 2_993.3,
    });
  });

  it("take_home returns figures for the requested period, and after outgoings", async () => {
    const input = { salary: 60_000, show: { figure: "take-home", period: "month" } };
    expect(await run("take_home", input)).toMatchObject({
      shown: { period: "month", gross: 5_000, takeHome: 3_779.78, incomeTax: 952.67 },
    });
    const outgoings = [{ name: "rent", amount: 14_400 }];
    expect(await run("take_home", { salary: 45_000, outgoings })).toMatchObject({ leftMonthly: 1_793.3 });
    const shares = [{ name: "food", share: 0.1 }, { share: 0.5 }];
    expect(await run("take_home", { salary: 45_000, outgoings, shares })).toMatchObject({
      shares: [
        { name: "food", period: "month", amount: 299.33, yearly: 3_591.96 },
        { share: 0.5, period: "month", amount: 1_496.65 },
      ],
      leftMonthly: 1_493.97,
    });
  });

  it("take_home accepts extra pay, other jobs, a pension and an age", async () => {
    const input = {
      salary: 45_000,
      extras: [{ name: "bonus", amount: 5_000 }],
      otherJobs: [10_000],
      pension: { share: 0.05 },
      overPensionAge: true,
    };
    expect(await run("take_home", input)).toMatchObject({
      gross: 60_000,
      nationalInsurance: 0,
      pension: 2_250,
      pay: { pension: { kind: "salary sacrifice" } },
    });
  });

  it("compare_salaries keeps the order of the cases and returns the differences", async () => {
    const cases = [{ salary: 50_000 }, { salary: 50_000, nation: "Scotland" }, { salary: 60_000 }];
    expect(await run("compare_salaries", { cases })).toMatchObject({
      rows: [{ takeHome: 39_519.6 }, { takeHome: 38_023.55 }, { takeHome: 45_357.4 }],
      gains: [0, -1_496.05, 5_837.8],
      gainsMonthly: [0, -124.67, 486.48],
    });
  });

  it("household taxes each person separately", async () => {
    const people = [{ salary: 45_000 }, { salary: 38_000 }];
    expect(await run("household", { people })).toMatchObject({
      takeHome: 66_799.2,
      takeHomeMonthly: 5_566.6,
    });
  });

  it("salary_table chooses and returns a step", async () => {
    const output = (await run("salary_table", { from: 20_000, to: 120_000 })) as {
      rows: unknown[];
      step: number;
    };
    expect(output).toMatchObject({ from: 20_000, to: 120_000, step: 5_000 });
    expect(output.rows).toHaveLength(21);
  });

  it("salary_table suggests a step if there would be too many rows", async () => {
    await expect(run("salary_table", { from: 0, to: 100_000, step: 100 })).rejects.toThrow(/at least 1695/);
  });

  it("salary_for_take_home returns the breakdown of the salary that it finds", async () => {
    expect(await run("salary_for_take_home", { takeHome: 36_000 })).toMatchObject({
      wantedTakeHome: 36_000,
      wantedMonthly: 3_000,
      breakdown: { pay: { salary: 45_112 }, takeHome: 36_000.24 },
    });
  });

  it("tax_rates returns the published bands and thresholds, with their sources", async () => {
    expect(await run("tax_rates", { taxYear: "2024/25" })).toMatchObject({
      personalAllowance: 12_570,
      bands: [{ above: 12_570 }, { above: 50_270 }, { above: 125_140 }],
      scottishBands: [
        { name: "Starter rate", rate: 0.19, above: 12_570 },
        { name: "Basic rate", rate: 0.2, above: 14_876 },
        { name: "Intermediate rate", rate: 0.21, above: 26_561 },
        { name: "Higher rate", rate: 0.42, above: 43_662 },
        { name: "Advanced rate", rate: 0.45, above: 75_000 },
        { name: "Top rate", rate: 0.48, above: 125_140 },
      ],
      employer: { rate: 0.138, above: 9_100 },
      sources: { studentLoans: expect.stringContaining("https://www.gov.uk/") },
    });
  });

  it.each([
    { salary: -1 },
    { salary: 10_000_001 },
    { salary: Number.POSITIVE_INFINITY },
    { salary: "45000" },
    {},
    { salary: 45_000, nation: "France" },
    { salary: 45_000, studentLoanPlans: [3] },
    { salary: 45_000, pension: { share: 5 } },
  ])("refuses %j", async (input) => {
    await expect(run("take_home", input)).rejects.toThrow();
  });

  it("refuses an unknown tax year, and lists the known years", async () => {
    await expect(run("take_home", { salary: 45_000, taxYear: "2022/23" })).rejects.toThrow(
      /2024\/25, 2025\/26, 2026\/27/,
    );
  });

  it("has a JSON Schema that all providers accept", async () => {
    for (const [name, { inputSchema }] of Object.entries(salaryTools)) {
      const schema = await asSchema(inputSchema as never).jsonSchema;
      expect(schema, name).toMatchObject({ type: "object", properties: expect.anything() });
    }
  });
});
