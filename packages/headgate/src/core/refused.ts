import {
  type DecidedBy,
  findTightest,
  inspected,
  type LimitReading,
  nameReadings,
  type Refused,
} from "./admission.ts";
import type { Cost } from "./cost.ts";
import type { Ruling } from "./ruling.ts";

/**
 * A refused request. What it says of its limits is put into words when somebody asks for it: most refusals of a flood
 * are never looked at closely. What it says is settled all the same, by the store's readings of that moment.
 */
export class RefusedRequest implements Refused {
  readonly #ruling: Ruling;
  readonly #cost: Cost | undefined;
  #limits: readonly LimitReading[] | undefined;
  #binding: LimitReading | undefined;

  /** @param ruling one that refuses. */
  constructor(ruling: Ruling, cost: Cost | undefined) {
    this.#ruling = ruling;
    this.#cost = cost;
  }

  get admitted(): false {
    return false;
  }

  get at(): number {
    return this.#ruling.outcome.now;
  }

  get decidedBy(): DecidedBy {
    return this.#ruling.decidedBy;
  }

  get shared(): boolean {
    return this.#ruling.decidedBy !== "outage-policy";
  }

  get limits(): readonly LimitReading[] {
    if (this.#limits === undefined) {
      const { layers, charges, outcome } = this.#ruling;
      this.#limits = nameReadings(layers, charges, outcome);
    }
    return this.#limits;
  }

  get tightest(): LimitReading | undefined {
    return findTightest(this.limits, this.#cost);
  }

  get binding(): LimitReading {
    this.#binding ??= longestOf(this.limits);
    return this.#binding;
  }

  get reason(): Refused["reason"] {
    if (this.binding.waitMs === Number.POSITIVE_INFINITY) return "cost-exceeds-quota";
    return this.#ruling.unavailable === true ? "store-unavailable" : "quota-exceeded";
  }

  get retryAfterMs(): number {
    return this.binding.waitMs;
  }

  get retryAfterSeconds(): number {
    return Math.ceil(this.binding.waitMs / 1000);
  }

  get affordable(): Readonly<Record<string, number>> {
    const affordable: Record<string, number> = {};
    for (const { unit, remaining } of this.limits) {
      const least = affordable[unit];
      if (least === undefined || remaining < least) affordable[unit] = remaining;
    }
    return affordable;
  }

  /** For logs: what it says, as a plain object. */
  toJSON(): Refused {
    const { admitted, reason, retryAfterMs, retryAfterSeconds, binding, affordable } = this;
    const { limits, tightest, at, shared, decidedBy } = this;
    return {
      admitted,
      reason,
      retryAfterMs,
      retryAfterSeconds,
      binding,
      affordable,
      limits,
      tightest,
      at,
      shared,
      decidedBy,
    };
  }

  [inspected](): Refused {
    return this.toJSON();
  }
}

function longestOf(limits: readonly LimitReading[]): LimitReading {
  let longest: LimitReading | undefined;
  for (const limit of limits) {
    if (longest === undefined || limit.waitMs > longest.waitMs) longest = limit;
  }
  return longest as LimitReading;
}
