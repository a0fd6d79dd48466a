import type { ChatMessage } from "../../../contract.ts";

/** One chunk of the AI SDK's UI message protocol. Unknown chunks are ignored. */
interface Chunk {
  type: string;
  [member: string]: unknown;
}

type Part = ChatMessage["parts"][number];

/** The state of an answer after the chunks received so far. */
export interface AnswerSoFar {
  message: ChatMessage;
  /** The service's error message, if the answer failed. */
  errorText: string | undefined;
  /** Whether the service has reported the end of the answer. If the stream ends before, the connection was lost. */
  isComplete: boolean;
}

/** Returns an answer without any chunks. */
export function emptyAnswer(id: string): AnswerSoFar {
  return { message: { id, role: "assistant", parts: [] }, errorText: undefined, isComplete: false };
}

/**
 * Reads the events of an answer's stream (`data:` lines of server-sent events, each a chunk as JSON).
 *
 * @throws {TypeError} if the connection breaks; the signal's reason if it was aborted
 */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Chunk> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + (value ?? "")).split(/\r?\n/);
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) {
        const chunk = readLine(line);
        if (chunk) yield chunk;
      }
      if (done) return;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function readLine(line: string): Chunk | undefined {
  const [, text] = /^data: ?(.+)/.exec(line) ?? [];
  if (text === undefined || text === "[DONE]") return undefined;
  try {
    const chunk: unknown = JSON.parse(text);
    return typeof (chunk as Partial<Chunk> | null)?.type === "string" ? (chunk as Chunk) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the answer with one more chunk, without changing the given answer. */
export function withChunk(answer: AnswerSoFar, chunk: Chunk): AnswerSoFar {
  switch (chunk.type) {
    case "start":
      return withMetadata(
        typeof chunk.messageId === "string"
          ? { ...answer, message: { ...answer.message, id: chunk.messageId } }
          : answer,
        chunk,
      );
    case "message-metadata": {
      const known = withMetadata(answer, chunk);
      return known.message.metadata?.incomplete ? { ...known, isComplete: true } : known;
    }
    case "finish":
      return { ...withMetadata(answer, chunk), isComplete: true };
    case "error":
      return { ...answer, errorText: String(chunk.errorText), isComplete: true };
    default:
      return { ...answer, message: { ...answer.message, parts: partsWith(answer.message.parts, chunk) } };
  }
}

function withMetadata(answer: AnswerSoFar, { messageMetadata }: Chunk): AnswerSoFar {
  if (typeof messageMetadata !== "object" || messageMetadata === null) return answer;
  const metadata = { ...answer.message.metadata, ...messageMetadata };
  return { ...answer, message: { ...answer.message, metadata } };
}

function partsWith(parts: readonly Part[], chunk: Chunk): Part[] {
  switch (chunk.type) {
    case "start-step":
      return [...parts, { type: "step-start" }];
    case "text-start":
      return [...parts, { type: "text", text: "", state: "streaming" }];
    case "text-delta":
      return changeLast(parts, "text", (part) => ({ ...part, text: `${part.text}${chunk.delta}` }));
    case "text-end":
      return changeLast(parts, "text", (part) => ({ ...part, state: "done" }));
    case "reasoning-start":
      return [...parts, { type: "reasoning", id: chunk.id, text: "", state: "streaming" } as Part];
    case "reasoning-delta":
      return changeLast(parts, "reasoning", (part) => ({ ...part, text: `${part.text}${chunk.delta}` }));
    case "reasoning-end":
      return changeLast(parts, "reasoning", (part) => ({ ...part, state: "done" }));
    case "tool-input-start":
      return withCall(parts, chunk, { state: "input-streaming" });
    case "tool-input-available":
      return withCall(parts, chunk, { state: "input-available", input: chunk.input });
    case "tool-input-error":
      return withCall(parts, chunk, {
        state: "output-error",
        input: chunk.input,
        errorText: chunk.errorText,
      });
    case "tool-output-available":
      return withCall(parts, chunk, { state: "output-available", output: chunk.output });
    case "tool-output-error":
      return withCall(parts, chunk, { state: "output-error", errorText: chunk.errorText });
    case "tool-output-denied":
      return withCall(parts, chunk, { state: "output-denied" });
    default:
      return [...parts];
  }
}

function changeLast<Type extends "text" | "reasoning">(
  parts: readonly Part[],
  type: Type,
  change: (part: Extract<Part, { type: Type }>) => Part,
): Part[] {
  const index = parts.findLastIndex((part) => part.type === type);
  return parts.map((part, at) => (at === index ? change(part as Extract<Part, { type: Type }>) : part));
}

/** Adds a tool call, or changes the call with the same id. */
function withCall(parts: readonly Part[], chunk: Chunk, changes: object): Part[] {
  const { toolCallId, toolName, dynamic } = chunk;
  const isCall = (part: Part) => "toolCallId" in part && part.toolCallId === toolCallId;
  if (parts.some(isCall)) {
    return parts.map((part) => (isCall(part) ? ({ ...part, ...changes } as Part) : part));
  }
  if (toolName === undefined) return [...parts];
  const kind = dynamic === true ? { type: "dynamic-tool", toolName } : { type: `tool-${toolName}` };
  return [...parts, { ...kind, toolCallId, ...changes } as Part];
}
