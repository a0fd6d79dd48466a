import { simulateReadableStream, streamText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { markUncalculated } from "./mark-figures.ts";
import type { SalaryTools } from "./tools.ts";

type Chunk = { type: string; text?: string; input?: unknown; output?: unknown };

/** Returns the text that a reader sees. */
async function through(
  parts: Chunk[],
  messages: Parameters<typeof markUncalculated>[0] = [],
): Promise<string> {
  const stream = new ReadableStream<Chunk>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  }).pipeThrough(markUncalculated(messages)() as unknown as TransformStream<Chunk, Chunk>);
  let text = "";
  for await (const part of stream) text += part.type === "text-delta" ? (part.text ?? "") : "";
  return text;
}

const said = (text: string): Chunk => ({ type: "text-delta", text });
const worked: Chunk[] = [
  { type: "tool-call", input: { salary: 45_000 } },
  { type: "tool-result", output: { takeHome: 34_118.2, effectiveRate: 0.2106, deep: [{ rate: 0.42 }] } },
];

it.each([
  ["On £45,000 you take home **£34,118.20**.", "On £45,000 you take home **£34,118.20**."],
  [
    "About £34k, or £34,118 to the pound; 21.06% and 42% go.",
    "About £34k, or £34,118 to the pound; 21.06% and 42% go.",
  ],
  ["That is £2,843.18 a month.", "That is £2,843.18 (not calculated) a month."],
  ["You lose 33%.", "You lose 33% (not calculated)."],
  ["In 2026/27, plan 2.", "In 2026/27, plan 2."],
  ["£34,118.20 and £34,118.21", "£34,118.20 and £34,118.21 (not calculated)"],
])("%s", async (text, expected) => {
  expect(await through([...worked, said(text), { type: "finish" }])).toBe(expected);
});

it("treats the person's figures as known, and marked figures as still unknown", async () => {
  const messages = [
    { role: "user", content: "my rent is £1,200" },
    { role: "assistant", content: "That leaves £999 (not calculated)." },
  ] as const;
  expect(await through([said("£1,200 rent leaves £999"), { type: "finish" }], [...messages])).toBe(
    "£1,200 rent leaves £999 (not calculated)",
  );
});

it("marks the same figures however the text is split", async () => {
  const text = "On £45,000 you keep £34,118.20, so £2,843.18 a month, 33% less than £1.2 million.";
  const whole = await through([...worked, said(text), { type: "finish" }]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: text.length }), { maxLength: 12 }), async (cuts) => {
      const at = [0, ...[...new Set(cuts)].sort((one, other) => one - other), text.length];
      const pieces = at.slice(1).map((end, index) => said(text.slice(at[index], end)));
      expect(await through([...worked, ...pieces, { type: "finish" }])).toBe(whole);
    }),
    { numRuns: 200 },
  );
});

it("watches a model of the SDK", async () => {
  const model = new MockLanguageModelV4({
    doStream: async () => ({
      stream: simulateReadableStream({
        chunks: [
          { type: "text-start", id: "1" },
          { type: "text-delta", id: "1", delta: "You pay £1" },
          { type: "text-delta", id: "1", delta: "23 of tax." },
          { type: "text-end", id: "1" },
          {
            type: "finish",
            finishReason: { unified: "stop", raw: "stop" },
            usage: {
              inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
              outputTokens: { total: 1, text: 1, reasoning: 0 },
            },
          },
        ],
      }),
    }),
  });
  const { text } = streamText<SalaryTools>({
    model,
    prompt: "tax?",
    experimental_transform: markUncalculated([]),
  } as Parameters<typeof streamText<SalaryTools>>[0]);
  expect(await text).toBe("You pay £123 (not calculated) of tax.");
});
