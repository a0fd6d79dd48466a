import type { ChatMessage } from "../../../contract.ts";

/** All that is written in a message, without its tools. */
export function textOf(message: ChatMessage): string {
  return message.parts
    .flatMap((part) => (part.type === "text" ? [part.text] : []))
    .join("\n\n")
    .trim();
}

/** A call of a tool, whatever its kind; the fields are those of the AI SDK's tool parts. */
export interface ToolCall {
  id: string;
  name: string;
  state: string;
  input?: unknown;
  output?: unknown;
  errorText?: string | undefined;
}

/** The tool call that a part of a message is; `null` for every other part. */
export function toolCallOf(part: ChatMessage["parts"][number]): ToolCall | null {
  if (!("toolCallId" in part)) return null;
  return {
    id: part.toolCallId,
    name: part.type === "dynamic-tool" ? part.toolName : part.type.replace(/^tool-/, ""),
    state: part.state,
    input: part.input,
    output: "output" in part ? part.output : undefined,
    errorText: "errorText" in part ? part.errorText : undefined,
  };
}

/** An answer with nothing in it yet: no words, no tool. */
export function isEmptyAnswer(message: ChatMessage): boolean {
  return !message.parts.some(
    (part) =>
      part.type.startsWith("tool-") ||
      part.type === "dynamic-tool" ||
      (part.type === "text" && part.text.trim() !== ""),
  );
}

/**
 * Markdown as it is read aloud: without marks, table rules and addresses, and no longer than a few breaths.
 * @param longest characters
 */
export function spokenText(markdown: string, longest = 600): string {
  const plain = markdown
    .replace(/```[\s\S]*?(```|$)/g, " Code. ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^\s*\|?[\s:|-]+\|[\s:|-]*$/gm, " ")
    .replace(/[*_`#>|]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  if (plain.length <= longest) return plain;
  return `${plain.slice(0, plain.lastIndexOf(" ", longest))} …`;
}

/**
 * A new message's id: 128 random bits. `crypto.randomUUID` is missing on plain http, where home networks are.
 */
export function newMessageId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
