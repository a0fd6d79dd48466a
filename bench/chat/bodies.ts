import { boundedJson } from "headgate/http";
import { BODY_BOUNDS } from "../../apps/chat/server/routes/message.ts";
import { messageRequest } from "../../apps/chat/server/services/message-request.ts";
import { type Figure, figureOf } from "../measuring/figures.ts";

const MEBIBYTE = 1_048_576;

/** The most expensive bodies to refuse, within the size limit. */
const bodies: Record<string, string> = {
  "349,000 empty parts": `{"messages":[{"role":"user","parts":[${"{},".repeat(348_000)}{}]}]}`,
  "a million brackets": "[".repeat(1_000_000),
  "as many invalid parts as the limits permit": JSON.stringify({
    messages: [{ role: "user", parts: Array.from({ length: 19_980 }, () => ({})) }],
  }),
  "eight long texts": JSON.stringify({
    messages: Array.from({ length: 8 }, () => ({ role: "user", content: "x".repeat(130_000) })),
  }),
  "one text, every character escaped": `{"messages":[{"role":"user","content":"${"\\u0041".repeat(170_000)}"}]}`,
};

export interface BodyCost {
  readonly label: string;
  /** Milliseconds of the event loop from the first byte to the refusal. */
  readonly figure: Figure;
}

/** Measures the cost of refusing each body: reading it within limits, then checking it. */
export async function measureBodies(rounds: number): Promise<BodyCost[]> {
  const costs: BodyCost[] = [];
  for (const [label, body] of Object.entries(bodies)) {
    const bytes = new TextEncoder().encode(body);
    // Warm up the compiler.
    for (let round = 0; round < 5; round += 1) await refuse(bytes);
    const measured: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const startedMs = performance.now();
      await refuse(bytes);
      measured.push(performance.now() - startedMs);
    }
    costs.push({ label, figure: figureOf(measured) });
  }
  return costs;
}

async function refuse(bytes: Uint8Array): Promise<void> {
  let value: unknown;
  try {
    value = await boundedJson(bytes, { ...BODY_BOUNDS, bytes: MEBIBYTE });
  } catch {
    return;
  }
  if (messageRequest.safeParse(value).success) throw new Error("A body that was to be refused was not.");
}
