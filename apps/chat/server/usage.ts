/** The tokens of an answer. */
export interface Usage {
  /** Including cached input tokens. */
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
}

export const noUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
