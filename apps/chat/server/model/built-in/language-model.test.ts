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
  it("calls a tool first, and answers with its result", async () => {
    const { text, steps, outputs } = await ask("take-home on £45k in Scotland with plan 2");
    expect(steps.map((step) => step.finishReason)).toEqual(["tool-calls", "stop"]);
    expect(outputs).toMatchObject([
      { takeHome: 34_118.2, pay: { nation: "Scotland", studentLoanPlans: [2] } },
    ]);
    expect(text).toBe(
      "On £45,000 you take home **£34,118.20** a year, £2,843.18 a month (2026/27, Scotland, Plan 2).",
    );
  });

  it.each([
    [
      "compare £50,000 and £60,000",
      "£60,000 leaves £45,357.40, **£5,837.80** a year, £486.48 a month more than £50,000",
    ],
    ["chart take-home from 20k to 120k", "take-home goes from **£17,919.60** to **£76,157.40** a year"],
    ["me and my wife earn 45k and 38k", "Together you take home **£66,799.20**"],
    ["what salary do I need to take home £3,000 a month", "you need a salary of **£45,112**"],
    ["tax bands in Scotland", "| Top rate | £125,140 | 48% |"],
  ])("%s", async (question, expected) => {
    const { text, errors } = await ask(question);
    expect(errors).toEqual([]);
    expect(text).toContain(expected);
  });

  it.each([
    ["hello", "I work out an employee's pay"],
    ["are you an AI?", "not an AI model"],
    ["what can you do?", "2024/25, 2025/26 and 2026/27"],
    ["how accurate is this", "https://www.gov.uk/"],
    ["colourless green ideas", "I didn't understand that."],
    ["45k in 2022/23", "I don't have the rates for **2022/23**"],
    ["take home on 45", "Is that £45 an hour, a day, a week, a month or a year?"],
    ["take home on $50,000", "I only work in pounds sterling"],
    ["take home on -5000", "A salary can't be below £0"],
    ["£999,999,999", "Salaries go up to £10,000,000 a year"],
    ["chart 0 to 100k in steps of £100", "Steps of £100 make 1,001 rows"],
    ["chart from 45k to 45k", "from which salary to which?"],
    ["45k with plan 6", "I don't know student loan plan 6"],
  ])("%s: replies at once, without a tool", async (question, expected) => {
    const { text, steps } = await ask(question);
    expect(steps).toHaveLength(1);
    expect(text).toContain(expected);
  });

  it("says that a running year has no table yet, and which year it uses", async () => {
    const later = createBuiltInModel({
      clock: { now: () => Date.parse("2027-05-01T08:00:00Z") },
      pace: async () => {},
    });
    const { text } = await generateText({
      model: later,
      prompt: "take home on 45k",
      tools: salaryTools,
      stopWhen: isStepCount(4),
    });
    expect(text).toContain("I don't have the rates for 2027/28. I used the rates for 2026/27.");
  });

  it("does not use earlier results of the tools for this question", async () => {
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
    expect(second.text).toContain("On £60,000 you take home **£45,357.40**");
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
    expect(chunks).toEqual(["You're ", "welcome."]);
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

  it("stops at once when it is aborted, without waiting for its pace", async () => {
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

  it("does not begin if it was aborted before", async () => {
    const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hello" }] }];
    await expect(unpaced.doStream({ prompt, abortSignal: AbortSignal.abort() })).rejects.toThrow();
    await expect(unpaced.doGenerate({ prompt, abortSignal: AbortSignal.abort() })).rejects.toThrow();
  });
});

describe("honesty", () => {
  /** Every number in a text, commas taken out: "£2,593.28" is "2593.28", "2026/27" is "2026" and "27". */
  const numbersIn = (text: string) =>
    (text.match(/\d[\d,]*(?:\.\d+)?/g) ?? []).map((number) => String(Number(number.replaceAll(",", ""))));

  /** The numbers of a result, its shares also as percentages. */
  const numbersOf = (value: unknown): string[] => {
    if (typeof value === "number") {
      const percent = value * 100;
      return [
        String(Math.abs(value)),
        String(Number(percent.toFixed(2))),
        String(Number(percent.toFixed(1))),
      ];
    }
    if (typeof value === "string") return numbersIn(value);
    if (value === null || typeof value !== "object") return [];
    return Object.values(value).flatMap(numbersOf);
  };

  const amount = fc.oneof(
    fc.integer({ min: 5_000, max: 400_000 }).map((pounds) => `£${pounds.toLocaleString("en-GB")}`),
    fc.integer({ min: 5, max: 300 }).map((thousands) => `${thousands}k`),
    fc.integer({ min: 500, max: 9_000 }).map((pounds) => `£${pounds} a month`),
    fc.integer({ min: 100, max: 3_000 }).map((pounds) => `£${pounds} a week`),
  );
  const subject = fc.constantFrom(
    ..."take-home on|income tax on|NI on|personal allowance on|marginal rate at|student loan plan 2 on|how much after tax is|what salary do I need to take home".split(
      "|",
    ),
  );
  const tail = fc.constantFrom(
    ...",in Scotland,with plan 1 and postgrad,in 2024/25,in England and Scotland,monthly,with and without plan 4,with plan 5,with 5% pension".split(
      ",",
    ),
  );
  const question = fc.oneof(
    fc.tuple(subject, amount, tail).map((parts) => parts.join(" ")),
    fc.tuple(amount, amount, tail).map(([one, other, rest]) => `compare ${one} and ${other} ${rest}`),
    fc.tuple(amount, amount, tail).map(([one, other, rest]) => `chart from ${one} to ${other} ${rest}`),
  );
  /** In the wording itself: "£1 for every £2 above £100,000", plans, weeks and working days. */
  const wording = ["1", "2", "4", "5", "26", "27", "52", "260", "2026", "100000", "1950"];

  it("quotes only numbers of the tools, the question and the current year", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(question, { minLength: 1, maxLength: 3 }), async (questions) => {
        const { text, outputs, steps, errors } = await ask(...questions);
        expect(errors).toEqual([]);
        if (outputs.length === 0) return;
        const inputs = steps.flatMap((step) => step.toolCalls.map((call) => call.input as unknown));
        const allowed = new Set([
          ...numbersOf(outputs),
          ...numbersOf(inputs),
          ...numbersIn(questions.join(" ").replaceAll(/(\d)k/g, "$1,000 $1")),
          ...wording,
        ]);
        expect(
          numbersIn(text).filter((number) => !allowed.has(number)),
          text,
        ).toEqual([]);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it("answers any text", async () => {
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
  }, 60_000);
});
