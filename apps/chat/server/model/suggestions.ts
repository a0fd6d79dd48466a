import type { ModelMessage } from "ai";
import { understand } from "./built-in/understand.ts";

/**
 * Returns follow-up questions to the last question, whichever model answered it. Never throws.
 * @param messages the model's messages
 * @param nowMs milliseconds since the epoch, to determine the current tax year
 */
export function suggestionsAfter(messages: readonly ModelMessage[], nowMs: number): string[] {
  const asked = messages.flatMap(({ role, content }) => {
    if (role !== "user") return [];
    if (typeof content === "string") return [content];
    return [content.map((part) => (part.type === "text" ? part.text : " ")).join("")];
  });
  return understand(asked, nowMs).suggestions;
}
