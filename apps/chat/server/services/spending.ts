import type { Micros } from "../../contract.ts";
import { costOf, type ModelPrice } from "../model/price.ts";

/** The size of a chunk of an answer, for which credit is held in advance, in tokens. */
export const CHUNK_TOKENS = 256;

export interface SpendingOptions {
  /** The amount already held. */
  held: Micros;
  price: ModelPrice;
  /** Holds more, or all remaining credit if there is less. Returns the additional amount held. */
  extend(amount: Micros): Promise<Micros>;
}

/** Holds credit ahead of a running answer's use. */
export interface Spending {
  /**
   * Holds another chunk once a quarter of the last one is left.
   *
   * @param used the answer's cost so far
   * @returns `false` once everything held is used and there is no more credit, so that the answer must end
   */
  keepAhead(used: Micros): boolean | Promise<boolean>;
  /**
   * Holds the cost of the answer including the input of its next step. Returns `false` if there is not enough credit.
   */
  affords(cost: Micros): boolean | Promise<boolean>;
  /** Whether the answer ended for lack of credit. */
  isExhausted(): boolean;
}

/** Returns the amount to hold before the model is called: its whole input, and the first chunk of its output. */
export function firstHold(promptTokens: number, price: ModelPrice): Micros {
  return costOf({ inputTokens: promptTokens, outputTokens: CHUNK_TOKENS }, price);
}

export function createSpending({ held: heldAtFirst, price, extend }: SpendingOptions): Spending {
  const chunk = costOf({ outputTokens: CHUNK_TOKENS }, price);
  const lowWater = Math.ceil(chunk / 4);
  let held = heldAtFirst;
  let isRefused = false;
  let isExhausted = false;

  async function holdUpTo(total: Micros): Promise<void> {
    held += await extend(total - held);
    if (held < total) isRefused = true;
  }

  function exhaustUnless(isCovered: boolean): boolean {
    if (!isCovered) isExhausted = true;
    return isCovered;
  }

  return {
    keepAhead(used) {
      if (held - used > lowWater) return true;
      if (isRefused) return exhaustUnless(used < held);
      return holdUpTo(used + chunk).then(() => exhaustUnless(used < held));
    },
    affords(cost) {
      if (cost <= held) return true;
      if (isRefused) return exhaustUnless(false);
      return holdUpTo(cost).then(() => exhaustUnless(cost <= held));
    },
    isExhausted: () => isExhausted,
  };
}
