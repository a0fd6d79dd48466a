import type { ModelMessage } from "ai";
import { understand } from "./built-in/understand.ts";

/**
 * Questions that follow from the last one, whichever model answered it. Never throws.
 * @param messages what the model was given
 * @param nowMs milliseconds since the epoch: which tax year is running
 */
export function suggestionsAfter(messages: readonly ModelMessage[], nowMs: number): string[] {
  const asked = messages.flatMap(({ role, content }) => {
    if (role !== "user") return [];
    if (typeof content === "string") return [content];
    return [content.map((part) => (part.type === "text" ? part.text : " ")).join("")];
  });
  return understand(asked, nowMs).suggestions;
}
