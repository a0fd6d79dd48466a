import { processWide } from "../../core/copies.ts";
import { promptSizeOf } from "./prompt-size.ts";
import type { TextSize } from "./text-tokens.ts";

/** Estimates tokens, and learns a correction for each model. */
export interface Estimator {
  /**
   * @param prompt a text, messages in the form of any SDK, or anything else that is sent as JSON.
   * @param model the model whose correction applies. Default: no correction.
   * @returns whole tokens, rather too many than too few.
   */
  estimate(prompt: unknown, model?: string): number;
  /**
   * Learns from the tokens that a model counted and the uncorrected estimate, both from 1 up. A count of more than
   * eight times the estimate is ignored: it includes something that was not estimated.
   */
  learn(model: string, estimated: number, used: number): void;
  /** Returns the correction factor of a model: 1 until calls of that model were measured. */
  factorOf(model: string | undefined): number;
}

/** How many models are remembered. After that, the least recently used model is forgotten. */
const mostModels = 1000;
/** How many of a model's last calls are remembered. */
const window = 64;
/** At most one call in this many may use more than its estimate. */
const shortInOneOf = 20;
/** How many calls must be known before the correction may lower estimates. */
const callsToTrust = 16;
const least = 0.4;
const most = 8;

/** The ratios of used to estimated tokens in one model's last calls. */
interface Ratios {
  readonly last: number[];
  next: number;
  factor: number;
}

/** Creates an estimator without corrections. `estimateTokens` and meters share one for the whole process. */
export function createEstimator(): Estimator {
  const models = new Map<string, Ratios>();

  function learn(model: string, estimated: number, used: number): void {
    // A count that is far above the estimate is wrong, or includes something else, such as a prompt that the provider
    // adds.
    if (!(estimated >= 1) || !(used >= 1) || used > most * estimated) return;
    const ratios = models.get(model) ?? { last: [], next: 0, factor: 1 };
    ratios.last[ratios.next] = Math.max(least, used / estimated);
    ratios.next = (ratios.next + 1) % window;
    ratios.factor = factorFrom(ratios.last);
    // The map keeps the order of use.
    models.delete(model);
    models.set(model, ratios);
    if (models.size > mostModels) models.delete(models.keys().next().value as string);
  }

  const factorOf = (model: string | undefined) =>
    (model === undefined ? undefined : models.get(model)?.factor) ?? 1;

  return {
    learn,
    factorOf,
    estimate: (prompt, model) => corrected(promptSizeOf(prompt), factorOf(model)),
  };
}

/** The upper quantile of the last ratios. */
function factorFrom(last: readonly number[]): number {
  const sorted = [...last].sort((a, b) => a - b);
  const quantile = sorted[Math.ceil(sorted.length * (1 - 1 / shortInOneOf)) - 1] as number;
  return last.length < callsToTrust ? Math.max(1, quantile) : quantile;
}

/** Returns whole tokens, at most one for each byte. */
export function corrected({ tokens, bytes }: TextSize, factor: number): number {
  return Math.ceil(Math.min(tokens * factor, bytes));
}

/** The shared estimator of this process. */
export const sharedEstimator: Estimator = /* @__PURE__ */ processWide("estimator", createEstimator);

/**
 * Estimates how many tokens a text or messages have, rather too many than too few. It runs in linear time: 100,000
 * characters take less than 2 ms. Use it for the cost of a request before it is admitted; a `meter` later replaces the
 * estimate with the true use.
 *
 * ```ts
 * const cost = { tokens: estimateTokens(messages) + 256 };
 * ```
 *
 * @param prompt a text, messages in the form of any SDK, or anything else that is sent as JSON. An image, a sound or a
 *   document counts as 1,600.
 * @param model applies the correction that meters of this process have learned for that model.
 * @returns whole tokens, from 0 up.
 */
export function estimateTokens(prompt: unknown, model?: string): number {
  return sharedEstimator.estimate(prompt, model);
}
