import { readUIMessageStream, type UIMessageChunk } from "ai";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AnswerSoFar, chunksOf, emptyAnswer, withChunk } from "./answer-stream.ts";

type Chunk = Parameters<typeof withChunk>[1];

const whole: Chunk[] = [
  { type: "start", messageId: "a1", messageMetadata: { model: "Built-in" } },
  { type: "start-step" },
  { type: "reasoning-start", id: "r" },
  { type: "reasoning-delta", id: "r", delta: "Let me " },
  { type: "reasoning-delta", id: "r", delta: "see." },
  { type: "reasoning-end", id: "r" },
  { type: "tool-input-start", toolCallId: "c1", toolName: "take_home" },
  { type: "tool-input-available", toolCallId: "c1", toolName: "take_home", input: { salary: 45_000 } },
  { type: "tool-output-available", toolCallId: "c1", output: { takeHome: 34_023 } },
  { type: "tool-input-start", toolCallId: "c2", toolName: "search", dynamic: true },
  { type: "tool-input-available", toolCallId: "c2", toolName: "search", dynamic: true, input: {} },
  { type: "tool-output-error", toolCallId: "c2", errorText: "Nothing found.", dynamic: true },
  { type: "finish-step" },
  { type: "start-step" },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "You keep " },
  { type: "text-delta", id: "t", delta: "**£34,023**." },
  { type: "text-end", id: "t" },
  { type: "finish-step" },
  { type: "message-metadata", messageMetadata: { outputTokens: 12 } },
  { type: "finish" },
];

const read = (chunks: readonly Chunk[]): AnswerSoFar => chunks.reduce(withChunk, emptyAnswer("none"));

/** Removes absent fields and provider fields from parts. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, field) => (/rovider|preliminary/.test(key) ? undefined : field)),
  );
}

function streamOf(pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
}

test("reads an answer as the AI SDK reads it", async () => {
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of whole) controller.enqueue(chunk as UIMessageChunk);
      controller.close();
    },
  });
  let theirs: unknown;
  for await (const message of readUIMessageStream({ stream })) theirs = message;
  const { message, isComplete, errorText } = read(whole);
  expect(plain(message)).toEqual(plain(theirs));
  expect({ isComplete, errorText }).toEqual({ isComplete: true, errorText: undefined });
});

test("distinguishes an answer that was cut off from an answer that has ended, however it ended", () => {
  expect(read(whole.slice(0, -1)).isComplete).toBe(false);
  const stopped: Chunk = { type: "message-metadata", messageMetadata: { incomplete: "stopped" } };
  expect(read([...whole.slice(0, -1), stopped]).isComplete).toBe(true);
  expect(read([...whole.slice(0, 5), { type: "error", errorText: "The model failed." }])).toMatchObject({
    isComplete: true,
    errorText: "The model failed.",
  });
});

test("reads the same chunks however the network splits them, and ignores unknown chunks", async () => {
  const lines = [
    ": a comment to keep the line open\n\n",
    ...whole.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`),
    'event: other\ndata: "text"\n\ndata: {"type":\n\ndata: {"type":"of-tomorrow"}\r\n\r\n',
    "data: [DONE]\n\n",
  ].join("");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(lines.length), { maxLength: 12 }), async (cuts) => {
      const edges = [0, ...cuts.sort((one, other) => one - other), lines.length];
      const pieces = edges.slice(1).map((edge, index) => lines.slice(edges[index], edge));
      const found: Chunk[] = [];
      for await (const chunk of chunksOf(streamOf(pieces))) found.push(chunk);
      expect(found).toEqual([...whole, { type: "of-tomorrow" }]);
      expect(read(found)).toEqual(read(whole));
    }),
    { numRuns: 50 },
  );
});
