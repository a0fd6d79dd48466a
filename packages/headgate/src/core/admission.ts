import type { Cost } from "./cost.ts";
import type { Limit } from "./limit.ts";
import type { Charge, Outcome, Reading } from "./store.ts";

/** How one limit stands after a decision. */
export interface LimitReading {
  /** As the `RateLimit` fields name it: `user-per-minute`. */
  readonly name: string;
  readonly layer: string;
  readonly unit: string;
  readonly quota: number;
  readonly windowMs: number;
  /** Units free now; never below 0. */
  readonly remaining: number;
  /** Milliseconds until `remaining` next grows; 0 while the whole quota is free. */
  readonly resetMs: number;
  /** Milliseconds until this limit would admit the request; 0 where it does, `Infinity` where it never will. */
  readonly waitMs: number;
  /** Whether this limit refuses the request. */
  readonly refused: boolean;
}

/**
 * Who decided. `store`: the store itself. `refusal-memory`: this process, from an answer that the store gave within
 * the last second. `outage-policy`: the store could not answer, and the outage policies of the layers decided.
 */
export type DecidedBy = "store" | "refusal-memory" | "outage-policy";

export interface Decided {
  /** Every limit that applied, layer by layer, in the order of the policy. Empty where no layer applied. */
  readonly limits: readonly LimitReading[];
  /** The limit with the fewest units left: what a person should be shown. */
  readonly tightest: LimitReading | undefined;
  /** When it was decided, by the clock that decided: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  /** `false` where the store could not answer and this process decided by itself, as `decidedBy` tells too. */
  readonly shared: boolean;
  readonly decidedBy: DecidedBy;
}

/** An admitted request. It has been charged in every layer; the handle says what becomes of the charge. */
export interface Admitted extends Decided {
  readonly admitted: true;
  /**
   * Charges the true cost in place of what was charged so far: `settle({ tokens: 812 })` after 1,200 were reserved
   * gives 388 back; after 500, it spends 312 more, even into debt. Units not named stay as they are. What is never
   * settled stays charged.
   *
   * While the store cannot answer, what has to be changed is kept and changed once it can.
   *
   * @throws HeadgateError `cost-invalid`; a store that cannot be reached is reported, not thrown.
   */
  settle(actual: Cost): void | Promise<void>;
  /** Gives everything back, as if the request had never been admitted. For when nothing was served. */
  refund(): void | Promise<void>;
  /**
   * Asks for more in mid-stream: charged on top in every layer, or in none. Units not named cost nothing more.
   *
   * Where the store cannot answer, the outage policies of the layers do, as for `admit`.
   *
   * @throws HeadgateError `cost-invalid`
   */
  extend(cost: Cost): Extension | Promise<Extension>;
  /**
   * Gives back the places of `concurrent` limits; what else was spent stays spent. A place that is never given back
   * is kept for as long as the handle is in use, and ends by itself one window later.
   */
  release(): void | Promise<void>;
  /** Releases, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The answer to `extend`. */
export type Extension = { readonly admitted: true } | Refused;

/** A refused request. It has been charged nowhere. */
export interface Refused extends Decided {
  readonly admitted: false;
  /**
   * `cost-exceeds-quota`: no wait helps, the request asks for more than a whole quota. `store-unavailable`: the store
   * cannot answer, and a layer's outage policy lets nobody pass without it.
   */
  readonly reason: "quota-exceeded" | "cost-exceeds-quota" | "store-unavailable";
  /**
   * The first moment at which this same request is admitted if nobody else spends meanwhile, in milliseconds. For
   * `store-unavailable`: when the store is asked again.
   */
  readonly retryAfterMs: number;
  /** The same in whole seconds, rounded up: never too early. `Infinity` for `cost-exceeds-quota`. */
  readonly retryAfterSeconds: number;
  /** The limit with the longest wait. */
  readonly binding: LimitReading;
  /** What the same caller could spend now, by unit. */
  readonly affordable: Readonly<Record<string, number>>;
}

/** The answer to one request. */
export type Admission = Admitted | Refused;

/** The answer to a question: what a request would meet now. It has been charged nowhere. */
export type Peek = ({ readonly admitted: true } & Decided) | Refused;

/** Puts the store's readings under the names of the policy. */
export function nameReadings(
  layers: readonly string[],
  charges: readonly Charge[],
  { admitted, readings }: Outcome,
): LimitReading[] {
  const named: LimitReading[] = [];
  for (let c = 0; c < charges.length; c += 1) {
    const { limits, names } = (charges[c] as Charge).limits;
    const layer = layers[c] as string;
    for (let l = 0; l < limits.length; l += 1) {
      const { unit, quota, windowMs } = limits[l] as Limit;
      const { remaining, resetMs, waitMs } = readings[c]?.[l] ?? unread;
      const refused = !admitted && waitMs > 0;
      const name = names[l] as string;
      named.push({ name, layer, unit, quota, windowMs, remaining, resetMs, waitMs, refused });
    }
  }
  return named;
}

/** What a store that answers too little has said of a limit. */
export const unread: Reading = { remaining: 0, resetMs: 0, waitMs: 0 };

/** The fewest requests left; of equals, the one that takes longest to grow again. */
export function findTightest(
  limits: readonly LimitReading[],
  cost: Cost | undefined,
): LimitReading | undefined {
  let tightest: LimitReading | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const limit of limits) {
    const each = cost?.[limit.unit] ?? 1;
    const left = each > 1 ? Math.floor(limit.remaining / each) : limit.remaining;
    if (tightest === undefined || left < fewest || (left === fewest && limit.resetMs > tightest.resetMs)) {
      tightest = limit;
      fewest = left;
    }
  }
  return tightest;
}
