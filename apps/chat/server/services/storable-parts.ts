import { isToolUIPart } from "ai";
import type { ChatMessage } from "../../contract.ts";
import { storable } from "./text.ts";

type Part = ChatMessage["parts"][number];

/**
 * Returns the parts of an answer to store. Text that a stop cut off counts as finished. Tool calls without a result are
 * left out, because they would seem to run for ever. Empty if nothing readable is left.
 */
export function storableParts(parts: ChatMessage["parts"]): ChatMessage["parts"] {
  const kept = parts.filter((part) => !isToolUIPart(part) || hasResult(part)).map(asFinished);
  return kept.some(isReadable) ? (withStorableText(kept) as ChatMessage["parts"]) : [];
}

function hasResult(part: { state: string }): boolean {
  return part.state === "output-available" || part.state === "output-error";
}

function asFinished(part: Part): Part {
  return part.type === "text" || part.type === "reasoning" ? { ...part, state: "done" } : part;
}

function isReadable(part: Part): boolean {
  if (part.type === "text" || part.type === "reasoning") return part.text !== "";
  return part.type !== "step-start";
}

/** Cleans all texts in a value, because a model's text, at any depth of a tool's output, cannot be trusted. */
function withStorableText(value: unknown): unknown {
  if (typeof value === "string") return storable(value);
  if (Array.isArray(value)) return value.map(withStorableText);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [storable(name), withStorableText(inner)]),
  );
}
