import type { Micros } from "../../contract.ts";
import { decimalOf, MICROS_PER_UNIT } from "../money.ts";
import type { Usage } from "../usage.ts";
import { LIST_CURRENCY, LIST_VERSION, listPrices } from "./price-list.ts";

/** The price of a million tokens, in micros of the list's currency, or of the service's after `exchanged`. */
export interface ModelPrice {
  inputPerMillion: Micros;
  /** The price of input that the provider read from its cache. */
  cachedInputPerMillion: Micros;
  outputPerMillion: Micros;
  /** Names these prices in the ledger, with the rate and the factor. */
  version: string;
}

/** The built-in calculator is free, unless `MODEL_PRICE_…` sets a price, such as to try out credit. */
export const builtInPrice: ModelPrice = {
  inputPerMillion: 0,
  cachedInputPerMillion: 0,
  outputPerMillion: 0,
  version: "built-in",
};

/** Whether an answer costs anything. If not, it needs no credit. */
export function isPriced({ inputPerMillion, outputPerMillion }: ModelPrice): boolean {
  return inputPerMillion > 0 || outputPerMillion > 0;
}

/** The price of an unlisted model: that of a large model, so that its cost is not underestimated. */
export const priceOfUnknownModel: ModelPrice = {
  inputPerMillion: 5_000_000,
  cachedInputPerMillion: 5_000_000,
  outputPerMillion: 25_000_000,
  version: "unknown model",
};

/** An exchange rate to the service's currency. */
export interface Exchange {
  currency: string;
  /** The price of one unit of the list's currency, in micros of this currency. */
  rate: Micros;
  /** Whose rate it is, and from when. Absent: the operator's. */
  version?: string;
}

/**
 * Converts a price from the list's currency to the service's, at a rate that the version names.
 *
 * @returns the same price if it is free, or already in this currency
 */
export function exchanged(price: ModelPrice, { currency, rate, version }: Exchange): ModelPrice {
  if (currency === LIST_CURRENCY || !isPriced(price)) return price;
  const source = version === undefined ? "" : ` (${version})`;
  return scaled(price, rate, `${decimalOf(rate)} ${currency}/${LIST_CURRENCY}${source}`);
}

/**
 * Multiplies a price by a plan's factor.
 *
 * @param factor in millionths: 1,200,000 adds a fifth
 */
export function multiplied(price: ModelPrice, factor: number): ModelPrice {
  return factor === MICROS_PER_UNIT || !isPriced(price)
    ? price
    : scaled(price, factor, `x${decimalOf(factor)}`);
}

/** Rounds up, like `costOf`, so that no price becomes 0. */
function scaled(price: ModelPrice, millionths: number, by: string): ModelPrice {
  const times = (micros: Micros) =>
    Number((BigInt(micros) * BigInt(millionths) + BigInt(MICROS_PER_UNIT - 1)) / BigInt(MICROS_PER_UNIT));
  return {
    inputPerMillion: times(price.inputPerMillion),
    cachedInputPerMillion: times(price.cachedInputPerMillion),
    outputPerMillion: times(price.outputPerMillion),
    version: `${price.version} ${by}`,
  };
}

/** `gpt-4.1-2025-04-14` is a dated `gpt-4.1`; `gpt-4.1-turbo` would be another model. */
const datedSuffix = /^(?:-\d{4}-?\d{2}-?\d{2}|-latest)?$/;

/** Returns the list price of a model, in dollars; `undefined` if it is unknown. */
export function listPriceOf(modelId: string): ModelPrice | undefined {
  const [, price] =
    Object.entries(listPrices).find(
      ([known]) => modelId.startsWith(known) && datedSuffix.test(modelId.slice(known.length)),
    ) ?? [];
  return price && { ...price, version: LIST_VERSION };
}

/**
 * Converts a decimal of dollars to micros, exactly: "0.15" is 150_000.
 * @returns `undefined` if the text is not a plain decimal from 0 to 999,999.999999
 */
export function microsOf(text: string): Micros | undefined {
  const match = /^(?<whole>\d{1,6})(?:\.(?<fraction>\d{1,6}))?$/.exec(text.trim());
  if (!match?.groups) return undefined;
  const { whole = "0", fraction = "" } = match.groups;
  return Number(whole) * 1_000_000 + Number(fraction.padEnd(6, "0"));
}

/**
 * Returns the cost of an answer, in whole micros of the price's currency, rounded up. A missing or invalid count from a
 * provider counts as 0.
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
