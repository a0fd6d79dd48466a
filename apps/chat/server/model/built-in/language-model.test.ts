import { generateText, isStepCount, type ModelMessage, streamText } from "ai";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { salaryTools } from "../tools.ts";
import { createBuiltInModel } from "./language-model.ts";

const clock = { now: () => Date.parse("2026-11-24T08:00:00Z") };
const unpaced = createBuiltInModel({ clock, pace: async () => {} });

const asked = (questions: string[]): ModelMessage[] =>
  questions.map((content) => ({ role: "user", content }));

async function ask(...questions: string[]) {
  const result = streamText({
    model: unpaced,
    messages: asked(questions),
    tools: salaryTools,
    stopWhen: isStepCount(4),
    onError: () => {},
  });
  const steps = await result.steps;
  return {
    text: await result.text,
    outputs: steps.flatMap((step) => step.toolResults.map((toolResult) => toolResult.output as unknown)),
    errors: steps.flatMap((step) => step.content.filter((part) => part.type === "tool-error")),
    steps,
    usage: await result.usage,
  };
}

describe("an answer of the built-in responder", () => {
  it("asks a tool first, and answers with what it gave", async () => {
    const { text, steps, outputs } = await ask("take-home on £45k in Scotland with plan 2");
    expect(steps.map((step) => step.finishReason)).toEqual(["tool-calls", "stop"]);
    expect(outputs).toMatchObject([{ takeHome: 34_003.11, country: "Scotland", studentLoanPlans: [2] }]);
    expect(text).toContain("On £45,000 you take home **£34,003.11** a year, which is £2,833.59 a month.");
    expect(text).toContain("National Insurance £2,593.28 and the student loan (Plan 2) £1,490.04.");
    expect(text).toContain("2025/26 rates, the latest I know (I don't have 2026/27 yet); Scotland");
  });

  it.each([
    [
      "compare £50,000 and £60,000",
      "£60,000 leaves £45,357.68, **£5,836.96 more** a year than £50,000 (£39,520.72).",
    ],
    ["50k in England and Scotland", "On £50,000: Scotland leaves £37,993.15, **£1,527.57 less** a year"],
    ["compare 50k in England with 50k in Scotland", "Scotland leaves £37,993.15"],
    ["what is the personal allowance on 110k", "On £110,000 the personal allowance is **£7,570**."],
    ["what is the personal allowance?", "The personal allowance is **£12,570** in 2025/26"],
    ["how much tax do I pay on 80 grand", "On £80,000 income tax is **£19,432** a year."],
    ["tax on 10k", "On £10,000 income tax is **£0** a year."],
    ["NI on 30000", "National Insurance is **£1,393.28** a year."],
    ["NI on 30000 in 2023/24", "National Insurance was cut in January 2024"],
    ["student loan on 40k plan 1", "repayments are **£1,255.32** a year (Plan 1)."],
    ["student loan on 40k plans 1 and 2", "share one repayment"],
    ["45k with plan 5", "Plan 5 repayments began only in April 2026"],
    ["marginal rate at 120k", "At £120,000 the marginal rate is **62%**"],
    ["chart take-home from 20k to 120k", "take-home goes from **£17,920.72** to **£76,157.68** a year."],
    ["£2,500 a month", "£2,500 a month is £30,000 a year."],
    ["£15 an hour, 40 hours a week", "£15 an hour for 40 hours a week is £31,200 a year."],
    ["what's 45k monthly", "you take home about **£2,993.39** a month."],
    ["what salary do I need to take home £3,000 a month", "you need a salary of **£45,111**."],
    ["tax bands in Scotland", "| Top rate | £125,140 | 48% |"],
    ["£2,500", "add “a month” or “a week” if it isn't"],
    ["NI on 30k and 40k", "National Insurance: **£1,393.28** (£30,000), **£2,193.28** (£40,000)."],
  ])("%s", async (question, expected) => {
    const { text, errors } = await ask(question);
    expect(errors).toEqual([]);
    expect(text).toContain(expected);
  });

  it.each([
    ["hello", "Take-home on £45k in Scotland with plan 2"],
    ["are you an AI?", "a rule-based calculator, not an AI model"],
    ["what can you do?", "I know 2022/23, 2023/24, 2024/25 and 2025/26 (for Scotland, 2024/25 and 2025/26)"],
    ["colourless green ideas", "I didn't understand that."],
    ["45k in 2026/27", "I don't have the rates for **2026/27**, and I won't guess them."],
    ["45k in Scotland in 2023/24", "For Scotland I know 2024/25 and 2025/26."],
    ["45k with a pension", "I can't work out pension contributions"],
    ["student loan on 40k", "Which student loan plan is it"],
    ["take home on 45", "Is that £45 a week, a month or a year?"],
    ["£15 an hour", "for how many hours a week?"],
    ["take home on $50,000", "I only work in pounds sterling"],
    ["take home on -5000", "A salary can't be below £0"],
    ["£999,999,999", "salaries go up to £10,000,000 a year"],
    ["chart 0 to 100k in steps of £100", "Steps of £100 make 1,001 rows"],
  ])("%s: replies at once, without a tool", async (question, expected) => {
    const { text, steps } = await ask(question);
    expect(steps).toHaveLength(1);
    expect(text).toContain(expected);
  });

  it("answers a follow-up from what came before", async () => {
    const { text } = await ask("take home on 45k", "and in Scotland?");
    expect(text).toContain("On £45,000 you take home **£35,493.15**");
  });

  it("does not take the tools' earlier results for those of this question", async () => {
    const first = await generateText({
      model: unpaced,
      messages: asked(["take home on 45k"]),
      tools: salaryTools,
      stopWhen: isStepCount(4),
    });
    const messages: ModelMessage[] = [
      ...asked(["take home on 45k"]),
      ...first.responseMessages,
      { role: "user", content: "and on 60k?" },
    ];
    const second = await generateText({
      model: unpaced,
      messages,
      tools: salaryTools,
      stopWhen: isStepCount(4),
    });
    expect(second.text).toContain("On £60,000 you take home **£45,357.68**");
  });

  it("says so when a tool fails", async () => {
    const failing = {
      ...salaryTools,
      take_home: {
        ...salaryTools.take_home,
        execute: () => {
          throw new Error("The rates are out to lunch.");
        },
      },
    };
    const { text } = await generateText({
      model: unpaced,
      prompt: "take home on 45k",
      tools: failing as unknown as typeof salaryTools,
      stopWhen: isStepCount(4),
    });
    expect(text).toBe("I couldn't work that out. The rates are out to lunch.");
  });

  it("counts about four characters a token, in and out", async () => {
    const { usage, steps, text } = await ask("hello");
    expect(steps[0]?.usage.outputTokens).toBe(Math.ceil(text.length / 4));
    expect(usage.inputTokens).toBeGreaterThan(0);
    const longer = await ask("hello hello hello hello", "hello");
    expect(longer.usage.inputTokens).toBeGreaterThan(usage.inputTokens ?? 0);
  });
});

describe("streaming", () => {
  it("comes word by word, at the given pace", async () => {
    let paces = 0;
    const model = createBuiltInModel({
      clock,
      pace: async () => {
        paces += 1;
      },
    });
    const chunks: string[] = [];
    for await (const chunk of streamText({ model, prompt: "thanks" }).textStream) chunks.push(chunk);
    expect(chunks.length).toBe(paces);
    expect(chunks.slice(0, 3)).toEqual(["You're ", "welcome. ", "Ask "]);
  });

  it("stops within a word of being aborted", async () => {
    const stop = new AbortController();
    let paces = 0;
    const model = createBuiltInModel({
      clock,
      pace: async () => {
        paces += 1;
        if (paces === 3) stop.abort();
      },
    });
    const parts: string[] = [];
    const { stream } = streamText({ model, prompt: "hello", abortSignal: stop.signal, onError: () => {} });
    for await (const part of stream) parts.push(part.type);
    expect(parts.filter((type) => type === "text-delta").length).toBeLessThanOrEqual(2);
    expect(parts.at(-1)).toBe("abort");
    expect(paces).toBe(3);
  });

  it("does not wait out its own pace once aborted", async () => {
    const stop = new AbortController();
    const { stream } = await createBuiltInModel({ clock }).doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }],
      abortSignal: stop.signal,
    });
    const reader = stream.getReader();
    await reader.read();
    stop.abort(new Error("stopped by the person"));
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow("stopped by the person");
  });

  it("refuses to begin when aborted before", async () => {
    const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hello" }] }];
    await expect(unpaced.doStream({ prompt, abortSignal: AbortSignal.abort() })).rejects.toThrow();
    await expect(unpaced.doGenerate({ prompt, abortSignal: AbortSignal.abort() })).rejects.toThrow();
  });
});

/** Every number in a text, commas taken out: "£2,593.28" is "2593.28", "2025/26" is "2025" and "26". */
function numbersIn(text: string): string[] {
  return (text.match(/\d[\d,]*(?:\.\d+)?/g) ?? []).map((number) =>
    String(Number(number.replaceAll(",", ""))),
  );
}

/** The numbers of a result, its shares also as percentages. */
function numbersOf(value: unknown): string[] {
  if (typeof value === "number") return [String(Math.abs(value)), String(Number((value * 100).toFixed(2)))];
  if (typeof value === "string") return numbersIn(value);
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(numbersOf);
}

describe("honesty", () => {
  const salary = fc.integer({ min: 1_000, max: 400_000 });
  const amount = fc.oneof(
    salary.map((pounds) => `£${pounds.toLocaleString("en-GB")}`),
    fc.integer({ min: 5, max: 300 }).map((thousands) => `${thousands}k`),
    fc.integer({ min: 500, max: 20_000 }).map((pounds) => `£${pounds} a month`),
    fc.integer({ min: 100, max: 3_000 }).map((pounds) => `£${pounds} a week`),
  );
  const subject = fc.constantFrom(
    ..."take-home on|income tax on|NI on|personal allowance on|marginal rate at|student loan plan 2 on|how much after tax is|what salary do I need to take home".split(
      "|",
    ),
  );
  const tail = fc.constantFrom(
    ...",in Scotland,with plan 1 and postgrad,in 2024/25,in 2023/24,in England and Scotland,monthly,with and without plan 4,with plan 5".split(
      ",",
    ),
  );
  const question = fc.oneof(
    fc.tuple(subject, amount, tail).map((parts) => parts.join(" ")),
    fc.tuple(amount, amount, tail).map(([one, other, rest]) => `compare ${one} and ${other} ${rest}`),
    fc.tuple(amount, amount, tail).map(([one, other, rest]) => `chart from ${one} to ${other} ${rest}`),
  );
  /** In the wording itself: "£1 for every £2", and the dates in the remarks on years and on Plan 5. */
  const wording = ["1", "2", "2022", "2024", "2026"];

  it("quotes no number but those of the tools, the question and the year under way", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(question, { minLength: 1, maxLength: 3 }), async (questions) => {
        const { text, outputs, errors } = await ask(...questions);
        expect(errors).toEqual([]);
        if (outputs.length === 0) return;
        const allowed = new Set([
          ...numbersOf(outputs),
          ...numbersIn(questions.join(" ").replaceAll(/(\d)k/g, "$1,000 $1")),
          ...numbersIn("2026/27"),
          ...wording,
        ]);
        expect(numbersIn(text).filter((number) => !allowed.has(number))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  }, 30_000);

  it("survives any text, and always says something", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 3 }),
        async (questions) => {
          const { text } = await ask(...questions);
          expect(text.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 25 },
    );
  }, 30_000);
});
