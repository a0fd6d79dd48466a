/** Asks the built-in responder directly: the same steps as with its language model, but without a stream. */
import { asSchema } from "ai";
import { compose } from "../server/model/built-in/compose.ts";
import { type Understanding, understand } from "../server/model/built-in/understand.ts";
import { salaryTools } from "../server/model/tools.ts";

/** A day in the tax year 2026/27. */
export const day = Date.parse("2026-11-28T12:00:00Z");

export interface Asked {
  text: string;
  /** `undefined` if it answered without a calculation. */
  tool: string | undefined;
  input: Record<string, unknown>;
  output: unknown;
  understanding: Understanding;
}

/** @param messages a person's messages, oldest first; `→` splits a text into several messages */
export async function asked(...messages: string[]): Promise<Asked> {
  const all = messages.flatMap((message) => message.split("→").map((part) => part.trim()));
  const understanding = understand(all, day);
  if (understanding.kind === "reply") {
    return { text: understanding.text, tool: undefined, input: {}, output: undefined, understanding };
  }
  const { tool, input } = understanding.request;
  const { inputSchema, execute } = salaryTools[tool];
  const checked = await asSchema(inputSchema as never).validate?.(input);
  if (!checked?.success) throw checked?.error ?? new Error("no validation");
  const output = (execute as (input: unknown) => unknown)(checked.value);
  return { text: compose(understanding, { tool, output }), tool, input, output, understanding };
}
