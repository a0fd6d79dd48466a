import type { Call } from "./call.ts";
import type { GenerateResult, StreamPart } from "./language-model.ts";
import type { Spending } from "./spending.ts";
import type { ReportedUse } from "./usage.ts";

/** @param usage as a model reports it; a custom model may leave out figures that the type requires */
export function reportedUse(usage: Partial<GenerateResult["usage"]> | null | undefined): ReportedUse {
  const { inputTokens, outputTokens } = usage ?? {};
  return {
    input: inputTokens?.total,
    cacheRead: inputTokens?.cacheRead,
    cacheWrite: inputTokens?.cacheWrite,
    output: outputTokens?.total,
    reasoning: outputTokens?.reasoning,
  };
}

/** Creates the finish part of an answer that is stopped because the budget is used up. */
export function stopPart(
  spending: Spending,
  call: Call | undefined,
): Extract<StreamPart, { type: "finish" }> {
  const { input = 0, cacheRead = 0, cacheWrite = 0, output = 0, reasoning = 0 } = call?.used ?? {};
  const { budget } = spending.news();
  return {
    type: "finish",
    finishReason: { unified: "length", raw: "headgate-budget" },
    usage: {
      inputTokens: { total: input + cacheRead + cacheWrite, noCache: input, cacheRead, cacheWrite },
      outputTokens: { total: output + reasoning, text: output, reasoning },
    },
    ...(budget === undefined ? {} : { providerMetadata: { headgate: { budget: { ...budget } } } }),
  };
}
