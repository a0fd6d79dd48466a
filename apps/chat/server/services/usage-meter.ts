import type { TextStreamPart, ToolSet } from "ai";

export interface Usage {
  inputTokens: number;
  outputTokens: number;
}

export interface UsageMeter {
  read(part: TextStreamPart<ToolSet>): void;
  /**
   * What was used so far: what the provider reported of the steps that ended, and an estimate of one that was cut
   * short, of which no provider reports.
   *
   * @param estimate given what the unfinished step had written
   */
  usage(estimate: (written: string) => Usage): Usage;
}

/** Counts the tokens of an answer while it comes, so that one that is stopped in the middle is charged for its part. */
export function usageMeter(): UsageMeter {
  const reported: Usage = { inputTokens: 0, outputTokens: 0 };
  let isInStep = false;
  let written = "";

  return {
    read(part) {
      if (part.type === "start-step") isInStep = true;
      if (part.type === "text-delta" || part.type === "reasoning-delta") written += part.text;
      if (part.type === "tool-input-delta") written += part.delta;
      if (part.type === "finish-step") {
        reported.inputTokens += part.usage.inputTokens ?? 0;
        reported.outputTokens += part.usage.outputTokens ?? 0;
        isInStep = false;
        written = "";
      }
    },
    usage(estimate) {
      if (!isInStep) return { ...reported };
      const { inputTokens, outputTokens } = estimate(written);
      return {
        inputTokens: reported.inputTokens + inputTokens,
        outputTokens: reported.outputTokens + outputTokens,
      };
    },
  };
}
