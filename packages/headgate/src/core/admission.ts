import type { Cost } from "./cost.ts";
import { type AlgorithmName, blocked, formatLimit, hidden, type Limit, unlimited } from "./limit.ts";
import type { Override } from "./override.ts";
import type { Charge, Outcome, Reading } from "./store.ts";

/** One limit after a decision. */
export interface LimitReading {
  /** As the `RateLimit` fields name it: `user-per-minute`. */
  readonly name: string;
  readonly layer: string;
  readonly unit: string;
  readonly quota: number;
  readonly windowMs: number;
  readonly algorithm: AlgorithmName;
  /** Units free now; never below 0. */
  readonly remaining: number;
  /** Milliseconds until `remaining` next grows; 0 while the whole quota is free. */
  readonly resetMs: number;
  /** Milliseconds until this limit would admit the request; 0 where it does, `Infinity` where it never will. */
  readonly waitMs: number;
  /** Whether this limit refuses the request. */
  readonly refused: boolean;
  /**
   * What `waitMs` waits for: a `window` to move on, or `holders` to end. Those may end at any time: the wait is then an
   * upper bound, after which what they hold has lapsed.
   */
  readonly waitsFor: WaitsFor;
}

/** What a refused request waits for. */
export type WaitsFor = "window" | "holders";

/**
 * Who decided. `store`: the store itself. `refusal-memory`: this process, from an answer that the store gave within
 * the last second. `outage-policy`: the store could not answer, and the outage policies of the layers decided. `policy`: the
 * limits say `blocked`, and nobody had to be asked.
 */
export type DecidedBy = "store" | "refusal-memory" | "outage-policy" | "policy";

export interface Decided {
  /** Every limit that applied, layer by layer, in the order of the policy. Empty where no layer applied. */
  readonly limits: readonly LimitReading[];
  /** The limit with the fewest units left, without `concurrent` limits: the one to show to a person. */
  readonly tightest: LimitReading | undefined;
  /** When it was decided, by the clock that decided: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  /** `false` if the store could not answer and this process decided by itself; see also `decidedBy`. */
  readonly shared: boolean;
  /** The caller's plan; of several layers that have plans, that of the first. `undefined` where no layer has any. */
  readonly plan: string | undefined;
  /** The hash of the policy that was in force. */
  readonly policy: string;
  readonly decidedBy: DecidedBy;
  /** What operators decided for this caller, in each layer where they did: a block, or other limits. */
  readonly overrides?: readonly AppliedOverride[] | undefined;
}

/** What an operator decided for a caller, as it met a request. */
export interface AppliedOverride extends Omit<Override, "id"> {
  readonly layer: string;
  /** Set where it is for all callers whose key begins with this. */
  readonly prefix?: string;
}

/**
 * An admitted request, and the reservation that it holds: requests are spent, every other unit of its cost is held until
 * its true use is reported, and places of `concurrent` limits until it ends. End it when what it pays for is over.
 *
 * A heartbeat of this process keeps the hold alive. A reservation that is never ended counts as fully used once nothing refers to
 * it any more; if its process dies, the hold lapses within the lease.
 */
export interface Admitted<Unit extends string = string> extends Decided {
  readonly admitted: true;
  /** Whether it holds units or places that are free again when it ends. */
  readonly holds: boolean;
  /**
   * What it may use in all, by unit, before it must be extended: what was asked for, and what extensions granted since.
   * A unit that no limit of this caller counts is absent.
   */
  readonly granted: Cost;
  /**
   * Asks to hold more, in mid-stream: in every layer, or in none. With `atLeast`, as much as is affordable, and no less
   * than that of each unit. Units that are not named stay as they are.
   *
   * Where the store cannot answer, the outage policies of the layers decide, as for `admit`.
   *
   * @throws HeadgateError `cost-invalid`
   */
  extend(more: Cost<Unit> & { readonly atLeast?: number }): Extension | Promise<Extension>;
  /**
   * Reports what has been used so far, in totals: `report({ tokens: 812 })`. It is spent now, and that much less is
   * held. Use beyond what was held is spent too, even into debt. A total below the last one gives the difference
   * back.
   *
   * While the store cannot answer, the report is kept, and sent later.
   *
   * @throws HeadgateError `cost-invalid`; a store that cannot be reached is reported, not thrown.
   */
  report(used: Cost<Unit>): void | Promise<void>;
  /**
   * Ends it, once; later calls change nothing. What is still held is free again.
   *
   * @param used what was used in all. Units that are not named: what was last reported of them, else all that was granted.
   *   `"nothing"` gives everything back, the request too, as if it had never been admitted.
   * @throws HeadgateError `cost-invalid`
   */
  end(used?: Cost<Unit> | "nothing"): void | Promise<void>;
  /** Ends it, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The answer to `extend`. */
export type Extension =
  | { readonly admitted: true /** What is held on top. */; readonly granted: Cost }
  | Refused;

/** A refused request. It has been charged nowhere. */
export interface Refused extends Decided {
  readonly admitted: false;
  /**
   * `cost-exceeds-quota`: no wait helps, because the request asks for more than a whole quota. `store-unavailable`:
   * the store cannot answer, and a layer's outage policy is to refuse. `too-many-reservations`: a partition has its
   * largest number of reservations. `ended`: an extension of a reservation that has ended. `blocked`: the caller's
   * plan is `blocked`, or an operator has blocked the caller; `retryAfterMs` says for how long, and is `Infinity`
   * for good.
   */
  readonly reason:
    | "quota-exceeded"
    | "cost-exceeds-quota"
    | "store-unavailable"
    | "too-many-reservations"
    | "ended"
    | "blocked";
  /**
   * The time until this same request is admitted, in milliseconds, unless other requests use the quota in between. For
   * `store-unavailable`: the time until the store is tried again.
   */
  readonly retryAfterMs: number;
  /** The same in whole seconds, rounded up: never too early. `Infinity` for `cost-exceeds-quota`, and where blocked for good. */
  readonly retryAfterSeconds: number;
  /** What the wait is for: see `LimitReading.waitsFor`. */
  readonly waitsFor: WaitsFor;
  /** The limit with the longest wait. */
  readonly binding: LimitReading;
  /** What the same caller could spend now, by unit. */
  readonly affordable: Readonly<Record<string, number>>;
}

/** The answer to one request. */
export type Admission<Unit extends string = string> = Admitted<Unit> | Refused;

/** The answer to `peek`: what a request would get now. It has been charged nowhere. */
export type Peek = ({ readonly admitted: true } & Decided) | Refused;

/** Gives the store's readings the names of the policy. */
export function nameReadings(
  layers: readonly string[],
  charges: readonly Charge[],
  { admitted, now, readings }: Outcome,
): LimitReading[] {
  const named: LimitReading[] = [];
  for (let c = 0; c < charges.length; c += 1) {
    const { byPrefix, limits: set } = charges[c] as Charge;
    const { limits, names, word } = set;
    const layer = layers[c] as string;
    if (word === "blocked")
      named.push(blockedReading(layer, (byPrefix?.until ?? Number.POSITIVE_INFINITY) - now));
    // Limits that are only counted for other plans are not shown.
    if (word !== undefined) continue;
    for (let l = 0; l < limits.length; l += 1) {
      const name = names[l] as string;
      if (name === hidden) continue;
      const { unit, quota, windowMs, algorithm } = limits[l] as Limit;
      const { remaining, resetMs, waitMs, holders } = readings[c]?.[l] ?? unread;
      const refused = !admitted && waitMs > 0;
      const waitsFor = holders === true ? "holders" : "window";
      named.push({
        name,
        layer,
        unit,
        quota,
        windowMs,
        algorithm,
        remaining,
        resetMs,
        waitMs,
        refused,
        waitsFor,
      });
    }
  }
  return named;
}

function blockedReading(layer: string, waitMs: number): LimitReading {
  return refusingReading(blocked, layer, waitMs);
}

/** Shown in place of limits that are not shown but refuse all the same: without their store nobody passes. */
export function unlimitedReading(layer: string, waitMs: number): LimitReading {
  return refusingReading(unlimited, layer, waitMs);
}

function refusingReading(limit: Limit, layer: string, waitMs: number): LimitReading {
  const name = `${layer}-${formatLimit(limit)}`;
  return { ...limit, name, layer, remaining: 0, resetMs: 0, waitMs, refused: true, waitsFor: "window" };
}

/** The reading of a limit for which a store returned too little. */
export const unread: Reading = { remaining: 0, resetMs: 0, waitMs: 0 };

/** The fewest requests left, places aside; of equals, the one that takes longest to grow again. */
export function findTightest(
  limits: readonly LimitReading[],
  cost: Cost | undefined,
): LimitReading | undefined {
  let tightest: LimitReading | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const limit of limits) {
    if (limit.algorithm === "concurrent") continue;
    const each = cost?.[limit.unit] ?? 1;
    const left = each > 1 ? Math.floor(limit.remaining / each) : limit.remaining;
    if (tightest === undefined || left < fewest || (left === fewest && limit.resetMs > tightest.resetMs)) {
      tightest = limit;
      fewest = left;
    }
  }
  return tightest;
}
