// `npm run prices` writes this file from prices.json: change that file, not this one.

export const LIST_VERSION = "list 2026-11";
export const LIST_CURRENCY = "USD";

/** Micros of USD for a million tokens. */
export const listPrices: Readonly<
  Record<string, { inputPerMillion: number; cachedInputPerMillion: number; outputPerMillion: number }>
> = {
  "gpt-4.1": { inputPerMillion: 2_000_000, cachedInputPerMillion: 500_000, outputPerMillion: 8_000_000 },
  "gpt-4.1-mini": { inputPerMillion: 400_000, cachedInputPerMillion: 100_000, outputPerMillion: 1_600_000 },
  "gpt-4.1-nano": { inputPerMillion: 100_000, cachedInputPerMillion: 25_000, outputPerMillion: 400_000 },
  "gpt-4o": { inputPerMillion: 2_500_000, cachedInputPerMillion: 1_250_000, outputPerMillion: 10_000_000 },
  "gpt-4o-mini": { inputPerMillion: 150_000, cachedInputPerMillion: 75_000, outputPerMillion: 600_000 },
  "gpt-5-mini": { inputPerMillion: 250_000, cachedInputPerMillion: 25_000, outputPerMillion: 2_000_000 },
  "gpt-5-nano": { inputPerMillion: 50_000, cachedInputPerMillion: 5_000, outputPerMillion: 400_000 },
  "gpt-5.4-mini": { inputPerMillion: 750_000, cachedInputPerMillion: 75_000, outputPerMillion: 4_500_000 },
  "gpt-5.4-nano": { inputPerMillion: 200_000, cachedInputPerMillion: 20_000, outputPerMillion: 1_250_000 },
  "claude-fable-5": {
    inputPerMillion: 10_000_000,
    cachedInputPerMillion: 1_000_000,
    outputPerMillion: 50_000_000,
  },
  "claude-haiku-4-5": {
    inputPerMillion: 1_000_000,
    cachedInputPerMillion: 100_000,
    outputPerMillion: 5_000_000,
  },
  "claude-haiku-5-5": { inputPerMillion: 100_000, cachedInputPerMillion: 10_000, outputPerMillion: 500_000 },
  "claude-opus-4-5": {
    inputPerMillion: 5_000_000,
    cachedInputPerMillion: 500_000,
    outputPerMillion: 25_000_000,
  },
  "claude-opus-4-6": {
    inputPerMillion: 5_000_000,
    cachedInputPerMillion: 500_000,
    outputPerMillion: 25_000_000,
  },
  "claude-opus-4-7": {
    inputPerMillion: 5_000_000,
    cachedInputPerMillion: 500_000,
    outputPerMillion: 25_000_000,
  },
  "claude-opus-4-8": {
    inputPerMillion: 5_000_000,
    cachedInputPerMillion: 500_000,
    outputPerMillion: 25_000_000,
  },
  "claude-opus-5": {
    inputPerMillion: 5_000_000,
    cachedInputPerMillion: 500_000,
    outputPerMillion: 25_000_000,
  },
  "claude-opus-5-5": {
    inputPerMillion: 4_000_000,
    cachedInputPerMillion: 400_000,
    outputPerMillion: 20_000_000,
  },
  "claude-sonnet-4-5": {
    inputPerMillion: 3_000_000,
    cachedInputPerMillion: 300_000,
    outputPerMillion: 15_000_000,
  },
  "claude-sonnet-4-6": {
    inputPerMillion: 3_000_000,
    cachedInputPerMillion: 300_000,
    outputPerMillion: 15_000_000,
  },
  "claude-sonnet-5": {
    inputPerMillion: 2_000_000,
    cachedInputPerMillion: 200_000,
    outputPerMillion: 10_000_000,
  },
  "claude-sonnet-5-5": {
    inputPerMillion: 2_000_000,
    cachedInputPerMillion: 200_000,
    outputPerMillion: 10_000_000,
  },
};

/** What one USD costs in other currencies, in micros of that currency. */
export const listRates: Readonly<Record<string, { rate: number; version: string }>> = {
  GBP: { rate: 746_324, version: "HMRC 2026-06" },
};
