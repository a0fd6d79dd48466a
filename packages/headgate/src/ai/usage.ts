import { HeadgateError } from "../core/errors.ts";
import { show } from "../core/show.ts";

/** Tokens by kind. No token counts twice: cached input is not in `input`, and reasoning is not in `output`. */
export interface TokenUse {
  readonly input: number;
  /** Input that the provider read from its cache. */
  readonly cacheRead: number;
  /** Input that the provider wrote to its cache. */
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

/** The use that a provider reported for one call. A missing figure is `undefined` and will be estimated; 0 means 0. */
export interface ReportedUse {
  /** All input, including cached input. */
  readonly input?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  /** All output, including reasoning. */
  readonly output?: number | undefined;
  readonly reasoning?: number | undefined;
}

/** How much each kind of token counts in the meter's unit. */
export type TokenWeights = TokenUse;

export const noUse: TokenUse = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0 };

export function addUse(a: TokenUse, b: TokenUse): TokenUse {
  return {
    input: a.input + b.input,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
  };
}

export function isNoUse(use: TokenUse): boolean {
  return Object.values(use).every((tokens) => tokens === 0);
}

/** The reported use, with estimates for missing figures. */
export function completedUse(reported: ReportedUse, estimated: TokenUse): TokenUse {
  const cacheRead = tokensIn(reported.cacheRead) ?? 0;
  const cacheWrite = tokensIn(reported.cacheWrite) ?? 0;
  const allInput = tokensIn(reported.input);
  const allOutput = tokensIn(reported.output);
  const reasoning = tokensIn(reported.reasoning) ?? (allOutput === undefined ? estimated.reasoning : 0);
  return {
    input: allInput === undefined ? estimated.input : Math.max(0, allInput - cacheRead - cacheWrite),
    cacheRead,
    cacheWrite,
    output: allOutput === undefined ? estimated.output : Math.max(0, allOutput - reasoning),
    reasoning,
  };
}

/** Whether input and output are both reported, so that no estimate is needed. */
export function isComplete({ input, output }: ReportedUse): boolean {
  return tokensIn(input) !== undefined && tokensIn(output) !== undefined;
}

/** A valid count. Any other value counts as missing. */
export function tokensIn(count: unknown): number | undefined {
  const makesSense = typeof count === "number" && count >= 0 && count <= mostTokens;
  return makesSense ? Math.ceil(count) : undefined;
}

/** More tokens than any model uses in one call. */
const mostTokens = 1e8;

/**
 * @throws HeadgateError `option-invalid`
 */
export function checkWeights(weights: Partial<TokenWeights>): TokenWeights {
  const { input = 1, output = 1 } = weights;
  const { cacheRead = input, cacheWrite = input, reasoning = output } = weights;
  const all = { input, cacheRead, cacheWrite, output, reasoning };
  for (const name of Object.keys(weights)) {
    const weight = all[name as keyof TokenWeights];
    if (Number.isFinite(weight) && weight >= 0 && weight <= mostWeight) continue;
    throw new HeadgateError(
      "option-invalid",
      `weights of meter must be numbers from 0 to ${mostWeight} for ${Object.keys(all).join(", ")}, got ${show(weights[name as keyof TokenWeights])} for ${name}.`,
    );
  }
  return all;
}

const mostWeight = 1_000_000;

/** The tokens that each unit counts, if a limit names the unit. */
export const unitsOfTheirOwn: Readonly<Record<string, TokenWeights>> = {
  "input-tokens": { ...noUse, input: 1, cacheRead: 1, cacheWrite: 1 },
  "output-tokens": { ...noUse, output: 1, reasoning: 1 },
  "cached-tokens": { ...noUse, cacheRead: 1 },
  "reasoning-tokens": { ...noUse, reasoning: 1 },
};

/** Returns whole units, rounded up. */
export function unitsOf(use: TokenUse, weights: TokenWeights): number {
  const sum =
    use.input * weights.input +
    use.cacheRead * weights.cacheRead +
    use.cacheWrite * weights.cacheWrite +
    use.output * weights.output +
    use.reasoning * weights.reasoning;
  // Rounding errors must not add a unit to a whole number.
  return Math.ceil(Math.round(sum * 1e6) / 1e6);
}
