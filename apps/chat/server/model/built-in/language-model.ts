import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { compose, type ToolResult } from "./compose.ts";
import { understand } from "./understand.ts";

export const builtInModelId = "headgate-built-in";

export interface BuiltInModelOptions {
  /** Used to find the year for "last year". */
  clock: { now(): number };
  /** Waits before each chunk, so that the answer appears gradually. Rejects or returns after it is aborted. */
  pace?: (signal: AbortSignal | undefined) => Promise<void>;
}

/** About 18 ms a word: faster than people read, but slow enough to be visible. */
const chunkDelayMs = 18;
const charactersPerToken = 4;

function pauseBetweenChunks(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, chunkDelayMs);
    if (signal?.aborted) done();
    signal?.addEventListener("abort", done, { once: true });
  });
}

interface Turn {
  content: { type: "text"; text: string } | { type: "tool-call"; tool: string; input: string; id: string };
  finishReason: LanguageModelV4FinishReason;
  usage: LanguageModelV4Usage;
}

function textOf(parts: readonly { type: string; text?: string }[]): string {
  return parts.map((part) => (part.type === "text" ? (part.text ?? "") : " ")).join("");
}

function userMessages(prompt: LanguageModelV4Prompt): string[] {
  return prompt.flatMap((message) => (message.role === "user" ? [textOf(message.content)] : []));
}

/** The SDK puts an error's name before its message: "SalaryError: A salary is …". */
function sentenceOf(errorText: string): string {
  return errorText.replace(/^\w*Error: /, "");
}

type Outcome = { kind: "result"; result: ToolResult } | { kind: "failure"; message: string };

/** The results of the tools since the person's last message. */
function outcomesOfThisTurn(prompt: LanguageModelV4Prompt): Outcome[] {
  const since = prompt.findLastIndex((message) => message.role === "user");
  return prompt.slice(since + 1).flatMap((message) =>
    message.role !== "tool"
      ? []
      : message.content.flatMap((part): Outcome[] => {
          if (part.type !== "tool-result") return [];
          const { output, toolName: tool } = part;
          if (output.type === "json") return [{ kind: "result", result: { tool, output: output.value } }];
          return [{ kind: "failure", message: output.type === "error-text" ? sentenceOf(output.value) : "" }];
        }),
  );
}

function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

function usageOf(prompt: LanguageModelV4Prompt, written: string): LanguageModelV4Usage {
  const input = prompt.reduce(
    (sum, { content }) =>
      sum + estimateTokens(typeof content === "string" ? content : JSON.stringify(content)),
    0,
  );
  const output = estimateTokens(written);
  return {
    inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: output, text: output, reasoning: 0 },
  };
}

function takeTurn({ prompt, tools }: LanguageModelV4CallOptions, clock: BuiltInModelOptions["clock"]): Turn {
  const say = (text: string): Turn => ({
    content: { type: "text", text },
    finishReason: { unified: "stop", raw: "stop" },
    usage: usageOf(prompt, text),
  });
  const understanding = understand(userMessages(prompt), clock.now());
  if (understanding.kind === "reply") return say(understanding.text);
  const { tool, input } = understanding.request;
  const outcome = outcomesOfThisTurn(prompt).at(-1);
  // The SDK's words about an input that breaks the tool's schema are for developers.
  if (outcome?.kind === "failure" && outcome.message.startsWith("Invalid input"))
    return say("I couldn't work that out: it has too many parts, or a sum that is out of range.");
  if (outcome?.kind === "failure") return say(`I couldn't work that out. ${outcome.message}`.trim());
  if (outcome?.kind === "result" && outcome.result.tool === tool)
    return say(compose(understanding, outcome.result));
  if (!tools?.some(({ name }) => name === tool))
    return say("The calculator is not available, so I can't work that out.");
  const json = JSON.stringify(input);
  return {
    content: { type: "tool-call", tool, input: json, id: `call_${crypto.randomUUID()}` },
    finishReason: { unified: "tool-calls", raw: "tool-calls" },
    usage: usageOf(prompt, json),
  };
}

/** Splits a text into words. Each word keeps the space after it. */
function chunksOf(text: string): string[] {
  return text.match(/\s*\S+\s*/g) ?? [];
}

async function* partsOf({ content, finishReason, usage }: Turn): AsyncGenerator<LanguageModelV4StreamPart> {
  if (content.type === "text") {
    const id = "text-1";
    yield { type: "text-start", id };
    for (const delta of chunksOf(content.text)) yield { type: "text-delta", id, delta };
    yield { type: "text-end", id };
  } else {
    const { id, tool: toolName, input } = content;
    yield { type: "tool-input-start", id, toolName };
    yield { type: "tool-input-delta", id, delta: input };
    yield { type: "tool-input-end", id };
    yield { type: "tool-call", toolCallId: id, toolName, input };
  }
  yield { type: "finish", finishReason, usage };
}

/**
 * The built-in responder behind the AI SDK's language-model interface: it understands questions about UK pay by
 * rules, calls tools for all figures, and streams like other models. It works without a network or an API key.
 */
export function createBuiltInModel({
  clock,
  pace = pauseBetweenChunks,
}: BuiltInModelOptions): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "headgate",
    modelId: builtInModelId,
    supportedUrls: {},

    async doGenerate(options) {
      options.abortSignal?.throwIfAborted();
      const { content, finishReason, usage } = takeTurn(options, clock);
      const part: LanguageModelV4Content =
        content.type === "text"
          ? content
          : { type: "tool-call", toolCallId: content.id, toolName: content.tool, input: content.input };
      return { content: [part], finishReason, usage, warnings: [] };
    },

    async doStream(options) {
      const { abortSignal } = options;
      abortSignal?.throwIfAborted();
      const parts = partsOf(takeTurn(options, clock));
      const stream = new ReadableStream<LanguageModelV4StreamPart>(
        {
          start(controller) {
            controller.enqueue({ type: "stream-start", warnings: [] });
            controller.enqueue({
              type: "response-metadata",
              modelId: builtInModelId,
              timestamp: new Date(clock.now()),
            });
          },
          async pull(controller) {
            const { done, value } = await parts.next();
            if (done) return controller.close();
            if (value.type === "text-delta") await pace(abortSignal);
            if (abortSignal?.aborted) return controller.error(abortSignal.reason);
            controller.enqueue(value);
          },
        },
        { highWaterMark: 0 },
      );
      return { stream };
    },
  };
}
