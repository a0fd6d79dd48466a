import type { Micros } from "../../contract.ts";
import type { Usage } from "../usage.ts";

/** What a million tokens cost, in micros of US dollars. */
export interface ModelPrice {
  inputPerMillion: Micros;
  /** Of input that the provider read from its cache. */
  cachedInputPerMillion: Micros;
  outputPerMillion: Micros;
  /** Names these prices in the ledger. */
  version: string;
}

/** When the list below was last compared with what the providers publish. */
const LIST_VERSION = "list 2026-11";

/** @param cached default: as dear as other input */
const dollars = (input: number, output: number, cached = input): ModelPrice => ({
  inputPerMillion: Math.round(input * 1e6),
  cachedInputPerMillion: Math.round(cached * 1e6),
  outputPerMillion: Math.round(output * 1e6),
  version: LIST_VERSION,
});

/** The built-in calculator costs nothing, unless `MODEL_PRICE_…` says otherwise, such as to try out credit. */
export const builtInPrice: ModelPrice = { ...dollars(0, 0), version: "built-in" };

/** Whether an answer costs anything: where it does not, nobody is asked for credit. */
export function isPriced({ inputPerMillion, outputPerMillion }: ModelPrice): boolean {
  return inputPerMillion > 0 || outputPerMillion > 0;
}

/** For models not listed below: as dear as a large one, so that an unknown model never runs up a surprise. */
export const priceOfUnknownModel: ModelPrice = { ...dollars(5, 25), version: "unknown model" };

/** Providers' list prices, November 2026, in dollars a million tokens: input, output, cached input. The longest name that begins a model's id counts. */
const listPrices: Record<string, ModelPrice> = {
  "gpt-4.1": dollars(2, 8, 0.5),
  "gpt-4.1-mini": dollars(0.4, 1.6, 0.1),
  "gpt-4.1-nano": dollars(0.1, 0.4, 0.025),
  "gpt-4o": dollars(2.5, 10, 1.25),
  "gpt-4o-mini": dollars(0.15, 0.6, 0.075),
  "gpt-5-mini": dollars(0.25, 2, 0.025),
  "gpt-5-nano": dollars(0.05, 0.4, 0.005),
  "gpt-5.4-mini": dollars(0.75, 4.5, 0.075),
  "gpt-5.4-nano": dollars(0.2, 1.25, 0.02),
  "claude-fable-5": dollars(10, 50, 1),
  "claude-haiku-4-5": dollars(1, 5, 0.1),
  "claude-haiku-5-5": dollars(0.1, 0.5, 0.01),
  "claude-opus-4-5": dollars(5, 25, 0.5),
  "claude-opus-4-6": dollars(5, 25, 0.5),
  "claude-opus-4-7": dollars(5, 25, 0.5),
  "claude-opus-4-8": dollars(5, 25, 0.5),
  "claude-opus-5": dollars(5, 25, 0.5),
  "claude-opus-5-5": dollars(4, 20, 0.4),
  "claude-sonnet-4-5": dollars(3, 15, 0.3),
  "claude-sonnet-4-6": dollars(3, 15, 0.3),
  "claude-sonnet-5": dollars(2, 10, 0.2),
  "claude-sonnet-5-5": dollars(2, 10, 0.2),
};

/** `gpt-4.1-2025-04-14` is a dated `gpt-4.1`; `gpt-4.1-turbo` would be another model. */
const datedSuffix = /^(?:-\d{4}-?\d{2}-?\d{2}|-latest)?$/;

/** The list price of a model; `undefined` when it is not known. */
export function listPriceOf(modelId: string): ModelPrice | undefined {
  const name = Object.keys(listPrices).find(
    (known) => modelId.startsWith(known) && datedSuffix.test(modelId.slice(known.length)),
  );
  return name === undefined ? undefined : listPrices[name];
}

/**
 * Reads a decimal of dollars as micros, exactly: "0.15" is 150_000.
 * @returns `undefined` when the text is not a plain decimal from 0 to 999,999.999999
 */
export function microsOf(text: string): Micros | undefined {
  const match = /^(?<whole>\d{1,6})(?:\.(?<fraction>\d{1,6}))?$/.exec(text.trim());
  if (!match?.groups) return undefined;
  const { whole = "0", fraction = "" } = match.groups;
  return Number(whole) * 1_000_000 + Number(fraction.padEnd(6, "0"));
}

/**
 * What an answer costs, in whole micros of US dollars, rounded up: a fraction of one is never given away.
 * A count that a provider left out, or that is no number, counts as 0.
 */
export function costOf(
  used: { [Count in keyof Usage]?: number | undefined },
  price: Omit<ModelPrice, "version">,
): Micros {
  const tokens = (count = 0) => BigInt(Number.isFinite(count) ? Math.max(0, Math.ceil(count)) : 0);
  const input = tokens(used.inputTokens);
  const cached = tokens(used.cachedInputTokens) < input ? tokens(used.cachedInputTokens) : input;
  const millionths =
    (input - cached) * BigInt(price.inputPerMillion) +
    cached * BigInt(price.cachedInputPerMillion) +
    tokens(used.outputTokens) * BigInt(price.outputPerMillion);
  return Number((millionths + 999_999n) / 1_000_000n);
}
