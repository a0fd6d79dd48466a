import type { ChatMessage } from "../../../contract.ts";

/** Returns the text of a message, without tool calls. */
export function textOf(message: ChatMessage): string {
  return message.parts
    .flatMap((part) => (part.type === "text" ? [part.text] : []))
    .join("\n\n")
    .trim();
}

/** A tool call of any kind, with the fields of the AI SDK's tool parts. */
export interface ToolCall {
  id: string;
  name: string;
  state: string;
  input?: unknown;
  output?: unknown;
  errorText?: string | undefined;
}

/** Returns a message part as a tool call; `null` for every other part. */
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

/** Whether an answer has no text and no tool call yet. */
export function isEmptyAnswer(message: ChatMessage): boolean {
  return !message.parts.some(
    (part) =>
      part.type.startsWith("tool-") ||
      part.type === "dynamic-tool" ||
      (part.type === "text" && part.text.trim() !== ""),
  );
}

/**
 * Returns Markdown for reading aloud: without markup, table rules and addresses, and shortened.
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
 * Returns a new message id of 128 random bits. Browsers lack `crypto.randomUUID` on plain HTTP, as on home networks.
 */
export function newMessageId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
