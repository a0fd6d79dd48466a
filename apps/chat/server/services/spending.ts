import type { Micros } from "../../contract.ts";
import { costOf, type ModelPrice } from "../model/price.ts";

/** How much of an answer credit is held ahead, in tokens. */
export const CHUNK_TOKENS = 256;

export interface SpendingOptions {
  /** What is held already. */
  held: Micros;
  price: ModelPrice;
  /** Holds more, or what there is of it. @returns how much was held on top */
  extend(amount: Micros): Promise<Micros>;
}

/** Holds credit ahead of what a running answer uses. */
export interface Spending {
  /**
   * Holds another chunk once a quarter of the last one is left.
   *
   * @param used what the answer has cost so far
   * @returns `false` once it has used all that is held, and no more is to be had: it has to end
   */
  keepAhead(used: Micros): boolean | Promise<boolean>;
  /** Holds what the answer will have cost after the beginning of its next step. @returns `false` if there is not enough credit */
  affords(cost: Micros): boolean | Promise<boolean>;
  /** Whether credit, and nothing else, ended the answer. */
  isExhausted(): boolean;
}

/** What is held before the model is asked: all that it reads, and the first chunk of what it writes. */
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
