import { processWide } from "../../core/copies.ts";
import { promptSizeOf } from "./prompt-size.ts";
import type { TextSize } from "./text-tokens.ts";

/** Estimates tokens, and learns for each model how far off it was. */
export interface Estimator {
  /**
   * @param prompt a text, messages in the form of any SDK, or anything else that is sent as JSON.
   * @param model whose corrections apply; without one, none does.
   * @returns whole tokens, on the safe side.
   */
  estimate(prompt: unknown, model?: string): number;
  /**
   * What a model counted for what was estimated without corrections, both from 1 up. More than eight times the estimate is
   * passed over: it counts something else.
   */
  learn(model: string, estimated: number, used: number): void;
  /** What estimates for a model are multiplied by: 1 until something is known of it. */
  factorOf(model: string | undefined): number;
}

/** How many models are remembered; beyond that, the least recently used is forgotten. */
const mostModels = 1000;
/** How many of a model's last calls are remembered. */
const window = 64;
/** An estimate may fall short of no more than one call in this many. */
const shortInOneOf = 20;
/** How many calls must be known before estimates get lower. */
const callsToTrust = 16;
const least = 0.4;
const most = 8;

/** The last ratios of used to estimated of one model. */
interface Ratios {
  readonly last: number[];
  next: number;
  factor: number;
}

/**
 * Makes an estimator that knows of no model yet. `estimateTokens` and meters share one for the whole process.
 */
export function createEstimator(): Estimator {
  const models = new Map<string, Ratios>();

  function learn(model: string, estimated: number, used: number): void {
    // What is far off counts something else: a prompt that the provider adds, or nonsense.
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

/** Whole tokens, and no more than the bytes allow. */
export function corrected({ tokens, bytes }: TextSize, factor: number): number {
  return Math.ceil(Math.min(tokens * factor, bytes));
}

/** Of this process. */
export const sharedEstimator: Estimator = /* @__PURE__ */ processWide("estimator", createEstimator);

/**
 * Estimates how many tokens a model takes for a text or for messages, on the safe side, in a time that grows with their
 * length alone: 100,000 characters take less than two milliseconds. It is for what has to be known before a request is
 * admitted; a `meter` puts the true use in its place.
 *
 * ```ts
 * const cost = { tokens: estimateTokens(messages) + 256 };
 * ```
 *
 * @param prompt a text, messages in the form of any SDK, or anything else that is sent as JSON. An image, a sound or a
 *   document counts as 1,600.
 * @param model corrects the estimate by what meters of this process learned of that model.
 * @returns whole tokens, from 0 up.
 */
export function estimateTokens(prompt: unknown, model?: string): number {
  return sharedEstimator.estimate(prompt, model);
}
