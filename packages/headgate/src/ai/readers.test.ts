import { describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { meter } from "./meter.ts";
import { anthropicMessages, openaiChat, openaiResponses, type StreamReader } from "./readers.ts";

/** Meters a stream of these parts, which a client reads completely. */
async function metered(reader: StreamReader, parts: readonly unknown[]) {
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "2000 tokens/day" }],
  });
  const admission = (await limiter.admit("ada", { cost: { tokens: 300 } })) as Admitted;
  const meterOfAnswer = meter(admission, { promptTokens: 10, weights: { cacheRead: 0.1 } });
  async function* provider() {
    yield* parts;
  }
  const passed: unknown[] = [];
  for await (const part of meterOfAnswer.bind(provider(), reader)) passed.push(part);
  expect(passed).toEqual(parts);
  return meterOfAnswer.ended;
}

const chatChunk = (delta: object, more: object = {}) => ({ choices: [{ index: 0, delta }], ...more });
const chatUsage = {
  prompt_tokens: 100,
  completion_tokens: 30,
  prompt_tokens_details: { cached_tokens: 80 },
  completion_tokens_details: { reasoning_tokens: 12 },
};
const responsesUsage = {
  input_tokens: 100,
  output_tokens: 30,
  input_tokens_details: { cached_tokens: 80 },
  output_tokens_details: { reasoning_tokens: 12 },
};
const messageStart = {
  type: "message_start",
  message: {
    usage: {
      input_tokens: 15,
      cache_read_input_tokens: 80,
      cache_creation_input_tokens: 5,
      output_tokens: 1,
    },
  },
};
const block = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "tide " } };
const messageDelta = {
  type: "message_delta",
  delta: { stop_reason: "end_turn" },
  usage: { output_tokens: 30 },
};

describe("the usage that a provider reports", () => {
  it.each<[string, StreamReader, unknown[], object]>([
    [
      "OpenAI's chat completions",
      openaiChat,
      [chatChunk({ content: "tide " }), chatChunk({}, { usage: null }), { choices: [], usage: chatUsage }],
      { input: 20, cacheRead: 80, cacheWrite: 0, output: 18, reasoning: 12 },
    ],
    [
      "OpenAI's responses",
      openaiResponses,
      [
        { type: "response.created", response: { usage: null } },
        { type: "response.output_text.delta", delta: "tide " },
        { type: "response.completed", response: { usage: responsesUsage } },
      ],
      { input: 20, cacheRead: 80, cacheWrite: 0, output: 18, reasoning: 12 },
    ],
    [
      "OpenAI's responses, incomplete",
      openaiResponses,
      [
        { type: "response.output_text.delta", delta: "tide " },
        { type: "response.incomplete", response: { usage: responsesUsage } },
      ],
      { input: 20, cacheRead: 80, cacheWrite: 0, output: 18, reasoning: 12 },
    ],
    [
      "Anthropic's messages, whose input does not include cached tokens",
      anthropicMessages,
      [messageStart, block, messageDelta, { type: "message_stop" }],
      { input: 15, cacheRead: 80, cacheWrite: 5, output: 30, reasoning: 0 },
    ],
    [
      "servers like Anthropic's that report the input at the end",
      anthropicMessages,
      [
        { type: "message_start", message: { usage: { input_tokens: 0, output_tokens: 0 } } },
        block,
        { ...messageDelta, usage: { input_tokens: 15, cache_read_input_tokens: 80, output_tokens: 30 } },
      ],
      { input: 15, cacheRead: 80, cacheWrite: 0, output: 30, reasoning: 0 },
    ],
  ])("is charged by kind: %s", async (_, reader, parts, used) => {
    const end = await metered(reader, parts);
    expect(end).toMatchObject({ how: "finished", used, estimated: false });
  });

  it.each<[string, StreamReader, unknown[]]>([
    ["OpenAI's chat completions", openaiChat, [chatChunk({ content: "tide tide tide " })]],
    [
      "OpenAI's responses",
      openaiResponses,
      [
        { type: "response.output_text.delta", delta: "tide tide tide " },
        // This event repeats the whole text.
        { type: "response.output_text.done", text: "tide tide tide " },
      ],
    ],
    [
      "Anthropic's messages",
      anthropicMessages,
      [{ ...block, delta: { type: "text_delta", text: "tide tide tide " } }],
    ],
  ])("is estimated from the prompt and the text if absent: %s", async (_, reader, parts) => {
    const end = await metered(reader, parts);
    expect(end).toMatchObject({ how: "finished", estimated: true, used: { input: 10 } });
    expect(end.used.output).toBeGreaterThanOrEqual(3);
    expect(end.used.output).toBeLessThanOrEqual(6);
  });

  it("in Anthropic's first event is not taken for the whole answer's", async () => {
    const end = await metered(anthropicMessages, [messageStart, ...Array.from({ length: 20 }, () => block)]);
    expect(end).toMatchObject({ estimated: true, used: { input: 15, cacheRead: 80, cacheWrite: 5 } });
    expect(end.used.output).toBeGreaterThanOrEqual(20);
  });
});

describe("the text of a part", () => {
  it.each<[string, StreamReader, unknown, string]>([
    ["a text", openaiChat, chatChunk({ content: "tide" }), "tide"],
    ["a refusal", openaiChat, chatChunk({ refusal: "no" }), "no"],
    ["reasoning of DeepSeek and vLLM", openaiChat, chatChunk({ reasoning_content: "why" }), "why"],
    ["reasoning of Ollama and OpenRouter", openaiChat, chatChunk({ reasoning: "why" }), "why"],
    [
      "the input of tools",
      openaiChat,
      chatChunk({ tool_calls: [{ function: { name: "search", arguments: "{}" } }, {}] }),
      "search{}",
    ],
    ["a text", openaiResponses, { type: "response.output_text.delta", delta: "tide" }, "tide"],
    ["reasoning", openaiResponses, { type: "response.reasoning_text.delta", delta: "why" }, "why"],
    [
      "the input of tools",
      openaiResponses,
      { type: "response.function_call_arguments.delta", delta: "{}" },
      "{}",
    ],
    ["a text", anthropicMessages, block, "tide "],
    ["reasoning", anthropicMessages, { delta: { type: "thinking_delta", thinking: "why" } }, "why"],
    [
      "the input of tools",
      anthropicMessages,
      { delta: { type: "input_json_delta", partial_json: "{}" } },
      "{}",
    ],
  ])("includes %s", (_, reader, part, text) => {
    expect(reader.text(part)).toBe(text);
  });

  it.each([openaiChat, openaiResponses, anthropicMessages])("is empty for any other value", (reader) => {
    for (const part of [undefined, null, 7, [], {}, { choices: null }, { delta: 3, type: 7 }]) {
      expect(reader.text(part) ?? "").toBe("");
      expect(reader.usage(part)).toBeUndefined();
      expect(reader.failed?.(part)).toBe(false);
    }
  });
});

describe("a failure that a part reports", () => {
  it.each<[string, StreamReader, unknown]>([
    ["OpenAI's chat completions", openaiChat, { error: { message: "failed" } }],
    ["OpenAI's responses", openaiResponses, { type: "error", message: "failed" }],
    ["OpenAI's responses", openaiResponses, { type: "response.failed", response: { usage: null } }],
    ["Anthropic's messages", anthropicMessages, { type: "error", error: { type: "overloaded_error" } }],
  ])("is charged nothing if it comes before the first token: %s", async (_, reader, part) => {
    expect(await metered(reader, [part])).toMatchObject({ how: "failed", charged: "nothing" });
  });
});
