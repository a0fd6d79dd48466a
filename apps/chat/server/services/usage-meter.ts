import type { TextStreamPart, ToolSet } from "ai";
import { tokensIn } from "../model/answer.ts";
import { noUsage, type Usage } from "../usage.ts";

export interface UsageMeter {
  read(part: TextStreamPart<ToolSet>): void;
  /**
   * Returns the use so far: the reported usage of ended steps, and an estimate for a step that is running, was cut off,
   * or has no reported usage.
   */
  usage(): Usage;
  /** Returns the input of the next step, in tokens: the last step's input and output. */
  nextPrompt(): number;
}

/**
 * Counts the tokens of an answer while it streams, so that a stopped answer is charged for its part.
 *
 * @param promptTokens an estimate of the first step's input
 */
export function usageMeter(promptTokens: number): UsageMeter {
  let ended = noUsage;
  let isInStep = false;
  let prompt = promptTokens;
  let writtenCharacters = 0;
  let toolCharacters = 0;

  const written = () => tokensIn(writtenCharacters);
  const current = (): Usage => ({ ...noUsage, inputTokens: prompt, outputTokens: written() });

  function endStep({ usage }: { usage: StepUsage }): void {
    // Use the estimate if the provider reports nothing, but accept a reported 0.
    const inputTokens = countOf(usage.inputTokens) ?? prompt;
    const outputTokens = countOf(usage.outputTokens) ?? written();
    const cachedInputTokens = countOf(usage.inputTokenDetails.cacheReadTokens) ?? 0;
    ended = sum(ended, { inputTokens, cachedInputTokens, outputTokens });
    prompt = inputTokens + outputTokens;
    writtenCharacters = 0;
    isInStep = false;
  }

  return {
    read(part) {
      switch (part.type) {
        case "start-step":
          prompt += tokensIn(toolCharacters);
          toolCharacters = 0;
          isInStep = true;
          return;
        case "text-delta":
        case "reasoning-delta":
          writtenCharacters += part.text.length;
          return;
        case "tool-input-delta":
          writtenCharacters += part.delta.length;
          return;
        case "tool-result":
          toolCharacters += JSON.stringify(part.output)?.length ?? 0;
          return;
        case "finish-step":
          return endStep(part);
      }
    },
    usage: () => (isInStep ? sum(ended, current()) : ended),
    nextPrompt: () => prompt + tokensIn(toolCharacters),
  };
}

/** The maximum number of tokens of a step. A larger or invalid number counts as not reported. */
const MOST_TOKENS = 1e8;

function countOf(tokens: number | undefined): number | undefined {
  return tokens !== undefined && tokens >= 0 && tokens <= MOST_TOKENS ? Math.ceil(tokens) : undefined;
}

type StepUsage = Extract<TextStreamPart<ToolSet>, { type: "finish-step" }>["usage"];

function sum(one: Usage, other: Usage): Usage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cachedInputTokens: one.cachedInputTokens + other.cachedInputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
  };
}
