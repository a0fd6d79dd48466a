import { asSchema, type ToolExecutionOptions } from "ai";
import { describe, expect, it } from "vitest";
import { salaryTools } from "./tools.ts";

const options = { toolCallId: "call", messages: [], context: {} } as unknown as ToolExecutionOptions<never>;

/** As the SDK does it: the input is validated, the tool runs, and its output must fit what it declares. */
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
  it("take_home fills in country, year and plans", async () => {
    expect(await run("take_home", { salary: 45_000 })).toMatchObject({
      country: "England/NI/Wales",
      taxYear: "2025/26",
      studentLoanPlans: [],
      takeHome: 35_920.72,
      takeHomeMonthly: 2_993.39,
    });
  });

  it("compare_salaries keeps the order of the cases and says how much more each leaves", async () => {
    const cases = [{ salary: 50_000 }, { salary: 50_000, country: "Scotland" }, { salary: 60_000 }];
    expect(await run("compare_salaries", { cases })).toMatchObject({
      rows: [{ takeHome: 39_520.72 }, { takeHome: 37_993.15 }, { takeHome: 45_357.68 }],
      gains: [0, -1_527.57, 5_836.96],
    });
  });

  it("salary_table chooses a step, and says which", async () => {
    const output = (await run("salary_table", { from: 20_000, to: 120_000 })) as {
      rows: unknown[];
      step: number;
    };
    expect(output).toMatchObject({ from: 20_000, to: 120_000, step: 5_000 });
    expect(output.rows).toHaveLength(21);
  });

  it("salary_table says which step would do when the rows are too many", async () => {
    await expect(run("salary_table", { from: 0, to: 100_000, step: 100 })).rejects.toThrow(/at least 1695/);
  });

  it("income_tax, national_insurance and personal_allowance", async () => {
    expect(await run("income_tax", { salary: 80_000 })).toMatchObject({
      incomeTax: 19_432,
      personalAllowance: 12_570,
    });
    expect(await run("national_insurance", { salary: 30_000 })).toMatchObject({
      nationalInsurance: 1_393.28,
      mainRate: 0.08,
      mainThreshold: 12_584,
      upperThreshold: 50_284,
    });
    expect(await run("personal_allowance", { salary: 110_000 })).toMatchObject({
      personalAllowance: 7_570,
      standardAllowance: 12_570,
      shrinksAbove: 100_000,
    });
  });

  it("student_loan takes several plans, and wants at least one", async () => {
    expect(await run("student_loan", { salary: 45_000, studentLoanPlans: [2, "postgrad"] })).toMatchObject({
      studentLoan: 2_932.68,
    });
    await expect(run("student_loan", { salary: 45_000, studentLoanPlans: [] })).rejects.toThrow();
    await expect(run("student_loan", { salary: 45_000, studentLoanPlans: [3] })).rejects.toThrow();
  });

  it("marginal_rate says where the pound goes", async () => {
    expect(await run("marginal_rate", { salary: 110_000, studentLoanPlans: [2] })).toMatchObject({
      incomeTaxRate: 0.6,
      nationalInsuranceRate: 0.02,
      studentLoanRate: 0.09,
      marginalRate: 0.71,
    });
  });

  it("pay_periods divides the year", async () => {
    expect(await run("pay_periods", { salary: 52_000 })).toMatchObject({
      periods: [
        { period: "month", gross: 4_333.33 },
        { period: "four weeks", gross: 4_000 },
        { period: "week", gross: 1_000 },
      ],
    });
  });

  it("salary_for_take_home works the found salary out", async () => {
    expect(await run("salary_for_take_home", { takeHome: 36_000 })).toMatchObject({
      wantedTakeHome: 36_000,
      breakdown: { salary: 45_111, takeHome: 36_000.64 },
    });
  });

  it("tax_rates lists bands and thresholds", async () => {
    expect(await run("tax_rates", { country: "Scotland", taxYear: "2024/25" })).toMatchObject({
      personalAllowance: 12_570,
      incomeTaxBands: [
        { name: "Starter rate", rate: 0.19, above: 12_570 },
        { name: "Basic rate", rate: 0.2, above: 14_877 },
        { name: "Intermediate rate", rate: 0.21, above: 26_562 },
        { name: "Higher rate", rate: 0.42, above: 43_663 },
        { name: "Advanced rate", rate: 0.45, above: 75_001 },
        { name: "Top rate", rate: 0.48, above: 125_140 },
      ],
    });
  });

  it.each([
    { salary: -1 },
    { salary: 10_000_001 },
    { salary: Number.POSITIVE_INFINITY },
    { salary: "45000" },
    {},
    { salary: 45_000, country: "France" },
  ])("refuses %j", async (input) => {
    await expect(run("take_home", input)).rejects.toThrow();
  });

  it("says which years are known", async () => {
    await expect(run("take_home", { salary: 45_000, taxYear: "2026/27" })).rejects.toThrow(
      /2022\/23, 2023\/24/,
    );
    await expect(
      run("take_home", { salary: 45_000, taxYear: "2023/24", country: "Scotland" }),
    ).rejects.toThrow(/For Scotland the tax years known are 2024\/25, 2025\/26; got 2023\/24/);
  });

  it("describes itself in JSON Schema that any provider takes", async () => {
    for (const [name, { inputSchema }] of Object.entries(salaryTools)) {
      const schema = await asSchema(inputSchema as never).jsonSchema;
      expect(schema, name).toMatchObject({ type: "object", properties: expect.anything() });
    }
  });
});
