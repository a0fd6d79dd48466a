import type { Admitted, Refused } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import {
  addUse,
  isNoUse,
  noUse,
  type TokenUse,
  type TokenWeights,
  unitsOf,
  unitsOfTheirOwn,
} from "./usage.ts";

/** How many held tokens may be left before the next chunk is requested. */
export const lowWaterMark = (chunk: number): number => Math.ceil(chunk / 4);

/** A running call and its estimated use so far. */
export interface RunningCall {
  readonly used: TokenUse;
}

export interface AccountOptions {
  readonly unit: string;
  readonly weights: TokenWeights;
  /** How many tokens are held ahead of need. */
  readonly chunk: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Tracks what the calls of one admission have used, and what the admission holds for them. The hold is extended by a
 * chunk when less than a quarter of a chunk is left.
 */
export class Account {
  readonly admission: Admitted;
  readonly #options: AccountOptions;
  /** The units that count tokens, and which tokens each of them counts. */
  readonly #weights: ReadonlyMap<string, TokenWeights>;
  readonly #running = new Set<RunningCall>();
  /** The use of finished calls. */
  #settled: TokenUse = noUse;
  #extending: Promise<void> | undefined;
  #refused: Refused | undefined;
  #ended = false;

  constructor(admission: Admitted, options: AccountOptions) {
    this.admission = admission;
    this.#options = options;
    const units = new Map(Object.entries(unitsOfTheirOwn)).set(options.unit, options.weights);
    const { granted } = admission;
    this.#weights = new Map([...units].filter(([unit]) => Object.hasOwn(granted, unit)));
  }

  /** The last refusal to hold more. */
  get refused(): Refused | undefined {
    return this.#refused;
  }

  /** What all calls have used so far. */
  get used(): TokenUse {
    let used = this.#settled;
    for (const call of this.#running) used = addUse(used, call.used);
    return used;
  }

  /** The use of all calls, in the units of the limits. */
  get cost(): Cost {
    const { used } = this;
    return Object.fromEntries([...this.#weights].map(([unit, weights]) => [unit, unitsOf(used, weights)]));
  }

  begin(call: RunningCall): void {
    this.#running.add(call);
  }

  /** Records the final use of a call. */
  settle(call: RunningCall, used: TokenUse): void {
    if (!this.#running.delete(call)) return;
    this.#settled = addUse(this.#settled, used);
  }

  /** Returns how much of a unit is held and not yet used. */
  heldIn(unit: string): number {
    return this.#ended || !this.#weights.has(unit) ? 0 : Math.max(0, this.#free(unit));
  }

  get running(): Iterable<RunningCall> {
    return [...this.#running];
  }

  /** Ends a call that was not made. */
  settleNothing(call: RunningCall): void {
    this.settle(call, noUse);
  }

  /** Whether the hold does not cover another token of the answer. */
  get isExhausted(): boolean {
    return !this.#covers(1);
  }

  /**
   * Extends the hold if less than a quarter of a chunk is left.
   *
   * @returns whether any of the hold is left; a promise only if nothing is left, so that the store must be asked.
   */
  keepAhead(): boolean | Promise<boolean> {
    const { chunk } = this.#options;
    if (this.#covers(lowWaterMark(chunk))) return true;
    if (this.#extending === undefined && this.#refused === undefined) void this.#extend(chunk);
    return this.isExhausted ? this.#secure() : true;
  }

  /**
   * Holds what a call needs before it is made: its prompt, and at least one token of its answer.
   *
   * @param output tokens of the answer to hold ahead.
   * @param enough the hold is not extended if it covers this many tokens of the answer.
   */
  async secure(output: number, enough: number): Promise<boolean> {
    await this.#extending;
    if (!this.#covers(enough)) await this.#extend(output);
    return !this.isExhausted;
  }

  /** Tries to hold more after the hold was used up. */
  async #secure(): Promise<boolean> {
    await this.#extending;
    if (!this.isExhausted) return true;
    // Report first, so that used tokens are no longer held: a refusal then waits for the window, not for this answer.
    await this.report();
    await this.#extend(this.#options.chunk);
    return !this.isExhausted;
  }

  /** How many output tokens the hold covers. */
  get heldOutput(): number {
    return this.#outputFor((unit) => this.#free(unit));
  }

  /** How many output tokens the hold covers, plus what could still be held according to the last readings. */
  get affordableOutput(): number {
    return this.#outputFor((unit) => this.#free(unit) + this.#remaining(unit));
  }

  #outputFor(available: (unit: string) => number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const [unit, weights] of this.#weights) {
      // A model's reasoning cannot be limited by itself: a limit that counts only reasoning must not shorten the
      // answer.
      if (weights.output === 0) continue;
      const each = Math.max(weights.output, weights.reasoning);
      least = Math.min(least, Math.floor(available(unit) / each));
    }
    return Math.max(0, least);
  }

  /** Whether the hold covers this many more tokens of the answer, in every unit. */
  #covers(tokens: number): boolean {
    const { used } = this;
    const { granted } = this.admission;
    for (const [unit, weights] of this.#weights)
      if (unitsAhead(used, tokens, weights) > (granted[unit] ?? 0)) return false;
    return true;
  }

  #free(unit: string): number {
    const weights = this.#weights.get(unit) as TokenWeights;
    return (this.admission.granted[unit] ?? 0) - unitsOf(this.used, weights);
  }

  #remaining(unit: string): number {
    const limits = this.admission.limits.filter((limit) => limit.unit === unit);
    return Math.min(...limits.map(({ remaining }) => remaining));
  }

  /** Extends the hold for this many more output tokens, as far as affordable. */
  #extend(output: number): void | Promise<void> {
    if (this.#ended) return;
    const use = this.used;
    const { granted } = this.admission;
    const more: Record<string, number> = {};
    let needed = 0;
    for (const [unit, weights] of this.#weights) {
      const missing = unitsAhead(use, output, weights) - (granted[unit] ?? 0);
      if (missing > 0) more[unit] = missing;
      needed = Math.max(needed, unitsAhead(use, 1, weights) - (granted[unit] ?? 0));
    }
    const amounts = Object.values(more);
    if (amounts.length === 0) return;
    const atLeast = Math.max(1, Math.min(needed, ...amounts));
    return this.#ask({ ...more, atLeast });
  }

  #ask(more: Cost & { readonly atLeast: number }): void | Promise<void> {
    const failed = (error: unknown) => this.#options.onError(error);
    try {
      const answer = this.admission.extend(more);
      if (!(answer instanceof Promise)) {
        this.#refused = answer.admitted ? undefined : answer;
        return;
      }
      this.#extending = answer
        .then((extension) => {
          this.#refused = extension.admitted ? undefined : extension;
        }, failed)
        .then(() => {
          this.#extending = undefined;
        });
      return this.#extending;
    } catch (error) {
      failed(error);
    }
  }

  /** Reports the use so far, so that a crash loses little. */
  async report(): Promise<void> {
    if (this.#ended) return;
    try {
      await this.admission.report(this.cost);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** Ends the admission, once: with the use, or with `"nothing"` if nothing was used or served. */
  async end(served: boolean): Promise<Cost | "nothing"> {
    const charged = served || !isNoUse(this.used) ? this.cost : "nothing";
    this.#ended = true;
    try {
      await this.admission.end(charged);
    } catch (error) {
      this.#options.onError(error);
    }
    return charged;
  }
}

/** Returns the units of a use plus further tokens of the answer, which may be output or reasoning. */
function unitsAhead(use: TokenUse, tokens: number, weights: TokenWeights): number {
  const kind = weights.reasoning > weights.output ? "reasoning" : "output";
  return unitsOf({ ...use, [kind]: use[kind] + tokens }, weights);
}
