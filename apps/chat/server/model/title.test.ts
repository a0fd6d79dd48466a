import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import { chooseModels, type ModelChoice } from "./provider.ts";
import { cleanTitle, longestTitle, titleByRule, titleOf } from "./title.ts";

const clock = { now: () => Date.parse("2026-11-24T08:00:00Z") };

describe("a title by rule", () => {
  it.each([
    ["what would my take-home on £45k be, if I lived in Scotland?", "Take-home on £45,000 in Scotland"],
    ["take home on 45k with plan 2", "Take-home on £45,000 with Plan 2"],
    ["45k after tax in 2024/25", "Take-home on £45,000, 2024/25"],
    ["£2,500 a month", "Take-home on £30,000"],
    ["compare £50,000 and £60,000", "£50,000 and £60,000 compared"],
    ["both England and Scotland on 50k", "£50,000 in England and Scotland"],
    ["45k in 2024/25 vs 2025/26", "£45,000 in 2024/25 and 2025/26"],
    ["me and my wife earn 45k and 25k", "£45,000 and £25,000 together"],
    ["i want 35k net", "Salary for a take-home of £35,000"],
    ["45k with a 5k bonus", "Take-home on £45,000 + £5,000"],
    ["chart take-home from 20k to 120k", "Take-home from £20,000 to £120,000"],
    ["what is the personal allowance on 110k", "Personal allowance on £110,000"],
    ["how much tax do I pay on 80 grand", "Income tax on £80,000"],
    ["NI on 30000", "National Insurance on £30,000"],
    ["marginal rate at 120k", "Marginal rate at £120,000"],
    ["tax bands in Scotland", "Tax rates"],
    ["hello there", "hello there"],
    ["", "New conversation"],
    ["***", "New conversation"],
  ])("%s", (question, title) => {
    expect(titleByRule(question, clock.now())).toBe(title);
  });
});

describe("a clean title", () => {
  it.each([
    ['"Take-home in Scotland."', "Take-home in Scotland"],
    ["**Title: Pay rise**", "Pay rise"],
    ["# Pay\nrise", "Pay rise"],
    ["[Pay](https://example.com) rise", "Pay rise"],
    ["<b>Pay</b> rise", "Pay rise"],
    ["Pay\u202Erise\u0000", "Pay rise"],
    ["Anna's pay", "Anna's pay"],
  ])("%j", (text, title) => {
    expect(cleanTitle(text)).toBe(title);
  });

  it("is cut at a word, with an ellipsis", () => {
    const title = cleanTitle(
      "How much more would I take home each month if my employer paid me another two thousand",
    );
    expect(title).toBe("How much more would I take home each month if my employer…");
    expect(title.length).toBeLessThanOrEqual(longestTitle);
  });

  it("is one short line without markup, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const title = cleanTitle(text);
        expect([...title].length).toBeLessThanOrEqual(longestTitle);
        expect(title).not.toMatch(/[\r\n\t<>`*_"“”]/);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a title by a real model", () => {
  let server: OpenAiServer;
  let choice: ModelChoice;
  beforeAll(async () => {
    server = await startOpenAiServer({ text: '"Scottish pay, explained."' });
    choice = chooseModels({ LLM_BASE_URL: server.url, LLM_MODEL: "llama3.2" }, { clock })[0];
  });
  afterAll(() => server.close());

  it("is the model's text, cleaned, with the usage", async () => {
    const title = await titleOf({ choice, question: "take home on 45k", clock });
    expect(title).toEqual({
      title: "Scottish pay, explained",
      usage: {
        inputTokens: expect.any(Number),
        cachedInputTokens: 0,
        outputTokens: expect.any(Number),
      },
    });
    expect(title.usage.inputTokens).toBeGreaterThan(0);
    expect(server.requests[0]?.body).toMatchObject({ max_tokens: 400 });
  });

  it.each(["fail-500", "fail-401", "hang-up", "empty"] as const)(
    "is found by rule if the model fails: %s",
    async (mode) => {
      server.setMode(mode);
      const { title } = await titleOf({ choice, question: "take home on 45k", clock });
      expect(title).toBe("Take-home on £45,000");
    },
  );

  it("is found by rule if the model takes too long", async () => {
    server.setMode("never");
    const { title } = await titleOf({ choice, question: "take home on 45k", clock, timeoutMs: 1 });
    expect(title).toBe("Take-home on £45,000");
  });
});
