import type { ReportedUse } from "./usage.ts";

/** How to meter the parts of a stream from a provider's own client. */
export interface StreamReader<Part = unknown> {
  /** The text that a part adds to the answer: text, reasoning or a tool's input; `undefined` if none. */
  text(part: Part): string | undefined;
  /** The total usage so far, if a part reports it. */
  usage(part: Part): ReportedUse | undefined;
  /** Whether a part reports that the answer failed without breaking the stream. */
  failed?(part: Part): boolean;
}

/** The fields of a provider's parts that are read here. */
interface Json {
  readonly [name: string]: Json | undefined;
}

/**
 * Chunks of OpenAI's chat completions, and of compatible servers. Ask for `stream_options: { include_usage: true
 * }`.
 */
export const openaiChat: StreamReader = {
  text(part) {
    const delta = at(part, "choices", "0", "delta");
    const calls = Array.isArray(delta?.tool_calls) ? (delta.tool_calls as Json[]) : [];
    const inputs = calls.flatMap((call) => [at(call, "function", "name"), at(call, "function", "arguments")]);
    return joined(delta?.reasoning_content ?? delta?.reasoning, delta?.content, delta?.refusal, ...inputs);
  },
  usage(part) {
    const usage = at(part, "usage");
    if (!isObject(usage)) return undefined;
    return {
      input: count(usage.prompt_tokens),
      cacheRead: count(usage.prompt_tokens_details?.cached_tokens),
      output: count(usage.completion_tokens),
      reasoning: count(usage.completion_tokens_details?.reasoning_tokens),
    };
  },
  failed: (part) => isObject(at(part, "error")),
};

/** Events of OpenAI's responses. */
export const openaiResponses: StreamReader = {
  text: (part) => (text(at(part, "type"))?.endsWith(".delta") ? joined(at(part, "delta")) : undefined),
  usage(part) {
    const usage = at(part, "response", "usage");
    if (!isObject(usage)) return undefined;
    return {
      input: count(usage.input_tokens),
      cacheRead: count(usage.input_tokens_details?.cached_tokens),
      output: count(usage.output_tokens),
      reasoning: count(usage.output_tokens_details?.reasoning_tokens),
    };
  },
  failed: (part) => ["error", "response.failed"].includes(text(at(part, "type")) ?? ""),
};

/** Events of Anthropic's messages. */
export const anthropicMessages: StreamReader = {
  text(part) {
    const delta = at(part, "delta");
    return joined(delta?.text, delta?.thinking, delta?.partial_json);
  },
  usage(part) {
    const isStart = text(at(part, "type")) === "message_start";
    const usage = isStart ? at(part, "message", "usage") : at(part, "usage");
    if (!isObject(usage)) return undefined;
    const fresh = count(usage.input_tokens);
    const cacheRead = count(usage.cache_read_input_tokens);
    const cacheWrite = count(usage.cache_creation_input_tokens);
    return {
      // Anthropic reports cached tokens separately from the input.
      input: fresh === undefined ? undefined : fresh + (cacheRead ?? 0) + (cacheWrite ?? 0),
      cacheRead,
      cacheWrite,
      // The first event reports the output of only the first token.
      output: isStart ? undefined : count(usage.output_tokens),
    };
  },
  failed: (part) => text(at(part, "type")) === "error",
};

/** Throws for bytes and text, in which the readers would find no tokens. */
function at(part: unknown, ...path: readonly string[]): Json | undefined {
  if (typeof part === "string" || ArrayBuffer.isView(part))
    throw new TypeError(
      "A part of the bound stream is text or bytes, not an object. Bind the stream that the provider's client returns: its parts are parsed events.",
    );
  let value = part as Json | undefined | null;
  for (const name of path) value = value?.[name];
  return value ?? undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function joined(...values: readonly unknown[]): string {
  return values.map((value) => text(value) ?? "").join("");
}

function count(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
