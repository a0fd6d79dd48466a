import type { Cost } from "./cost.ts";
import { type AlgorithmName, blocked, formatLimit, hidden, type Limit, unlimited } from "./limit.ts";
import type { Override } from "./override.ts";
import type { Charge, Outcome, Reading } from "./store.ts";

/** One limit after a decision. */
export interface LimitReading {
  /** The name used in the `RateLimit` fields, such as `user-per-minute`. */
  readonly name: string;
  readonly layer: string;
  readonly unit: string;
  readonly quota: number;
  readonly windowMs: number;
  readonly algorithm: AlgorithmName;
  /** Units that are free now; never below 0. */
  readonly remaining: number;
  /** Milliseconds until `remaining` next grows; 0 while the whole quota is free. */
  readonly resetMs: number;
  /** Milliseconds until this limit would admit the request: 0 if it admits it now, `Infinity` if it never will. */
  readonly waitMs: number;
  /** Whether this limit refuses the request. */
  readonly refused: boolean;
  /**
   * What `waitMs` waits for: a `window` to move on, or other reservations (`holders`) to end. Holders may end at any
   * time, so the wait is then an upper bound: by then their leases have expired.
   */
  readonly waitsFor: WaitsFor;
}

/** What a refused request waits for. */
export type WaitsFor = "window" | "holders";

/**
 * Who decided. `store`: the store itself. `refusal-memory`: this process, from an answer that the store gave within the
 * last second. `outage-policy`: the store could not answer, and the outage policies of the layers decided. `policy`:
 * the limits say `blocked`, so no store was asked.
 */
export type DecidedBy = "store" | "refusal-memory" | "outage-policy" | "policy";

export interface Decided {
  /** Every limit that applied, layer by layer, in the order of the policy. Empty if no layer applied. */
  readonly limits: readonly LimitReading[];
  /** The limit with the fewest units left, not counting `concurrent` limits. Show this limit to users. */
  readonly tightest: LimitReading | undefined;
  /**
   * When the decision was made, by the clock of the store or process that decided: milliseconds since
   * 1970-01-01T00:00Z.
   */
  readonly at: number;
  /**
   * The caller's plan. If several layers have plans: the plan in the first of them. `undefined` if no layer has plans.
   */
  readonly plan: string | undefined;
  /** The hash of the policy that was in force. */
  readonly policy: string;
  readonly decidedBy: DecidedBy;
  /** The operators' overrides for this caller: at most one for each layer. */
  readonly overrides?: readonly AppliedOverride[] | undefined;
}

/** An operator's override that applied to a request. */
export interface AppliedOverride extends Omit<Override, "id"> {
  readonly layer: string;
  /** Set if the override is for all callers whose key begins with this text. */
  readonly prefix?: string;
}

/**
 * An admitted request and its reservation. Requests are spent immediately. Every other unit of the cost is held until
 * its true use is reported, and places of `concurrent` limits are held until the reservation ends. End the reservation
 * when the work is done.
 *
 * A heartbeat of this process keeps the hold alive. A reservation that is never ended counts as fully used once it has
 * been garbage-collected. If its process dies, the hold expires within the lease.
 */
export interface Admitted<Unit extends string = string> extends Decided {
  readonly admitted: true;
  /** Whether the reservation holds units or places that become free when it ends. */
  readonly holds: boolean;
  /**
   * If the request has an id: the number of this attempt, from 1 up. A later attempt takes over from an attempt that
   * stopped without an end, and is not charged for requests again. Look first for work that the earlier attempt saved.
   */
  readonly attempt?: number | undefined;
  /**
   * The total that the request may use before it must be extended, by unit: the admitted cost plus all extensions. A
   * unit that no limit of this caller counts is absent.
   */
  readonly granted: Cost;
  /**
   * Asks to hold more, for example in the middle of a stream. More is held in every layer or in none. With `atLeast`,
   * grants as much as is affordable, but no less than `atLeast` of each unit. Units that `more` does not name do not
   * change.
   *
   * If the store cannot answer, the outage policies of the layers decide, as for `admit`.
   *
   * @throws HeadgateError `cost-invalid`
   */
  extend(more: Cost<Unit> & { readonly atLeast?: number }): Extension | Promise<Extension>;
  /**
   * Reports what has been used so far, in totals: `report({ tokens: 812 })`. These units are spent now, and the hold
   * shrinks by as much. Use beyond the hold is spent too, even into debt. A total below the last one refunds the
   * difference.
   *
   * While the store cannot answer, the report is kept, and sent later.
   *
   * @throws HeadgateError `cost-invalid`; an unreachable store is reported to `onError`, not thrown.
   */
  report(used: Cost<Unit>): void | Promise<void>;
  /**
   * Ends the reservation and frees what it still holds. Later calls change nothing.
   *
   * @param used the total use. For a unit that is left out, the last report counts, or else everything that was
   *   granted. `"nothing"` refunds everything, including the request, as if it had never been admitted, and frees its id.
   * @param claim the result for the request's id, if it has one. Default: the id is done.
   * @throws HeadgateError `cost-invalid`; `option-invalid` for a result that is too long.
   */
  end(used?: Cost<Unit> | "nothing", claim?: ClaimEnd): void | Promise<void>;
  /** Ends the reservation at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The result for a request's id when its reservation ends. */
export interface ClaimEnd {
  /**
   * Whether the request was answered; `true` by default. With `false`, the next request with the id is admitted
   * immediately, and is not charged for requests again; the fourth attempt is charged as a new request.
   */
  readonly done?: boolean;
  /**
   * A reference to the answer, up to 256 bytes: requests with the same id get it for 24 hours. Default: the `result`
   * given to `admit`.
   */
  readonly result?: string;
}

/** The answer to `extend`. */
export type Extension =
  | { readonly admitted: true /** What is held in addition. */; readonly granted: Cost }
  | Refused;

/** A refused request. Nothing has been charged. */
export interface Refused extends Decided {
  readonly admitted: false;
  /**
   * `cost-exceeds-quota`: no wait helps, because the request asks for more than a whole quota. `store-unavailable`: the
   * store cannot answer, and a layer's outage policy is to refuse. `too-many-reservations`: a partition has its largest
   * number of reservations. `ended`: the reservation to extend has ended. `blocked`: the caller's plan is `blocked`, or
   * an operator has blocked the caller; `retryAfterMs` says for how long, and is `Infinity` for a permanent block.
   */
  readonly reason:
    | "quota-exceeded"
    | "cost-exceeds-quota"
    | "store-unavailable"
    | "too-many-reservations"
    | "ended"
    | "blocked";
  /**
   * Milliseconds until this same request would be admitted if nobody else spends meanwhile. For `store-unavailable`:
   * milliseconds until the store is tried again.
   */
  readonly retryAfterMs: number;
  /**
   * `retryAfterMs` in whole seconds, rounded up, so never too early. `Infinity` for `cost-exceeds-quota` and for a
   * permanent block.
   */
  readonly retryAfterSeconds: number;
  /** What the wait is for: see `LimitReading.waitsFor`. */
  readonly waitsFor: WaitsFor;
  /** The limit with the longest wait. */
  readonly binding: LimitReading;
  /** What this caller could spend now, by unit. */
  readonly affordable: Readonly<Record<string, number>>;
}

/** The answer to one request. */
export type Admission<Unit extends string = string> = Admitted<Unit> | Refused;

/** The answer to a request whose id is already claimed. Nothing was charged, and no limit was checked. */
export interface Known {
  readonly admitted: false;
  readonly reason: "known";
  /**
   * `running`: a request with the id was admitted and has not ended; attach to its answer, or respond with 409. `done`:
   * the request was answered; send that answer again. `conflict`: the id belongs to a body with another fingerprint;
   * respond with 422.
   */
  readonly state: "running" | "done" | "conflict";
  /** The reference of the admitted request; `undefined` if it has none, and for a conflict. */
  readonly result: string | undefined;
  /**
   * When the request was decided, by the clock of the store or process that decided: milliseconds since
   * 1970-01-01T00:00Z.
   */
  readonly at: number;
  /** `outage-policy`: the store could not answer, and this process knows the id by itself. */
  readonly decidedBy: DecidedBy;
}

/** The answer to `peek`: what a request would get now. Nothing was charged. */
export type Peek = ({ readonly admitted: true } & Decided) | Refused;

/** Adds the policy's names to the store's readings. */
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
    // Limits behind `unlimited` only count, for the layer's other plans. They are not shown.
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

/**
 * The reading of an `unlimited` layer that still refuses, because its store is unavailable and its outage policy is
 * `refuse`.
 */
export function unlimitedReading(layer: string, waitMs: number): LimitReading {
  return refusingReading(unlimited, layer, waitMs);
}

function refusingReading(limit: Limit, layer: string, waitMs: number): LimitReading {
  const name = `${layer}-${formatLimit(limit)}`;
  return { ...limit, name, layer, remaining: 0, resetMs: 0, waitMs, refused: true, waitsFor: "window" };
}

/** The reading of a limit that the store's answer leaves out. */
export const unread: Reading = { remaining: 0, resetMs: 0, waitMs: 0 };

/**
 * Finds the limit with the fewest units left, leaving out `concurrent` limits. If several are equal, it is the one with
 * the longest reset.
 */
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
