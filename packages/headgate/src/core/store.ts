import type { Claim, ClaimChange, KnownClaim } from "./claim.ts";
import type { LimitSet } from "./limit-set.ts";
import type { Override, OverrideByPrefix, OverrideTerms } from "./override.ts";

/** One partition that a request is charged to. */
export interface Charge {
  /** The names of limiter and layer. Partitions in different spaces are independent, even if their keys are equal. */
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
  /** For each group of `limits`: the units that must be free, in addition to what the reservation holds already. */
  readonly needs: readonly number[];
  /** For each group of `limits`: the units that are spent immediately if all charges are admitted. */
  readonly spends: readonly number[];
  /** For each group of `limits`: the total units that the reservation holds from then on. Absent: none. */
  readonly holds?: readonly number[];
  /**
   * For each group of `limits`: what the reservation has used so far, for a store that has no entry of it. Absent: it
   * has used nothing.
   */
  readonly known?: readonly number[];
  /** The override that `limits` come from. Absent: no override. */
  readonly override?: Override;
  /** The prefix override that `limits` come from. Stores ignore it. */
  readonly byPrefix?: OverrideByPrefix;
}

/**
 * Identifies a reservation, and one call about it. Calls may be repeated and may arrive out of order. Without a
 * heartbeat, a hold in a partition lasts for that partition's `limits.leaseMs`.
 */
export interface Hold {
  /** The reservation's id: 24 random hexadecimal digits, chosen by the process that makes the request. */
  readonly rid: string;
  /** The number of the call, from 1 up. A call that arrives after a call with a higher number changes nothing. */
  readonly seq: number;
}

/** What a store reports about one limit. */
export interface Reading {
  /** The units that are free after this decision. */
  remaining: number;
  /** How long until the charge's `needs` are free, ms: 0 if they were free, `Infinity` if they never can be. */
  waitMs: number;
  /** How long until `remaining` next grows, ms; 0 while the whole quota is free. */
  resetMs: number;
  /** Set if `waitMs` waits for holders to lapse. It is an upper bound, because they may end sooner. */
  holders?: boolean;
}

/** A store's answer to one batch of charges. */
export interface Outcome {
  readonly admitted: boolean;
  /** The store's time of this decision, ms. */
  readonly now: number;
  /** For each charge, the readings of its limits. */
  readonly readings: readonly (readonly Reading[])[];
  /** For each charge, for each of its groups: what the algorithm needs to give the units back. */
  readonly marks: readonly (readonly number[])[];
  /**
   * Set if the refusal is not due to a limit. `ended`: the reservation has ended. `crowded`: a partition has too many
   * reservations. `blocked`: a partition is blocked. `overridden`: the charges were not made under the overrides in
   * force.
   */
  readonly refusedFor?: "ended" | "crowded" | "blocked" | "overridden";
  /**
   * Set if the id of the request is already claimed. Nothing was decided then: `admitted` is `false`, and `readings`
   * and `marks` are empty.
   */
  readonly known?: KnownClaim;
  /**
   * If the request claimed an id: the number of this attempt, from 1 up. Later attempts were not charged for requests.
   */
  readonly attempt?: number;
  /**
   * Set if the refusal is caused by charges of other requests that are not decided everywhere yet, and may be refunded
   * at any moment. The waits are then short, and the refusal is not remembered.
   */
  readonly contended?: boolean;
  /** If refused as `blocked` or `overridden`: for each charge, the override in force in its partition. */
  readonly overrides?: readonly (Override | undefined)[];
  /**
   * The order among decisions with the same `now`: the store applied the lower number first. Absent if the store does
   * not know.
   */
  readonly order?: number | undefined;
  /** If the refusal repeats an earlier answer of the store: when the store gave that answer. */
  readonly asOf?: { readonly now: number; readonly order: number | undefined } | undefined;
}

/** The reported totals of a reservation in one partition. Never refused. Applying it twice changes nothing. */
export interface Adjustment extends Hold {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
  /** Whether the reservation ends: what it holds is released, and later calls are ignored. */
  readonly ended: boolean;
  /**
   * Whether the reservation may hold more than the store has recorded, because it was extended while the store could
   * not be reached.
   */
  readonly raises: boolean;
  /** For each group: the use that this store has already counted, if it has no entry of the reservation. */
  readonly known: readonly number[];
  /** For each group: the total use. */
  readonly used: readonly number[];
  /** For each group: what is still held. */
  readonly held: readonly number[];
  /** The change of the claim that the reservation owns, kept with this partition. Absent if it has none. */
  readonly claim?: ClaimChange | undefined;
  /** The charges to refund, in this order, if less was used than the store has counted. */
  readonly refunds: readonly Refund[];
}

/** Units that were charged at one moment. */
export interface Refund {
  readonly group: number;
  readonly amount: number;
  readonly chargedAt: number;
  readonly mark: number;
}

/** A text that the processes of a limiter share, and its version. */
export interface SharedText {
  /** A whole number from 0 up. */
  readonly version: number;
  readonly text: string;
}

/**
 * Keeps the counts. A store applies a batch of charges atomically, all or nothing, and returns readings. It does not
 * know the policy.
 *
 * A call that rejects was not applied. If that is not certain, because the connection broke during the call, the error
 * carries `inDoubt: true`. If the store was reached but cannot decide for a long time, for example because it is full,
 * the error may carry `answered: true`: a process that has just started then does not wait for it. A store that need
 * not wait returns values, not promises, which keeps the whole decision synchronous.
 */
export interface Store {
  /** The name in messages and metrics, such as `memory`. */
  readonly name: string;
  /** Whether the store keeps claims of message ids. If not, requests of the limiter cannot have an id. */
  readonly claims?: boolean;
  /** Whether other processes share the store. A call to such a store takes a round trip, and may fail. */
  readonly remote: boolean;
  /**
   * Charges all or none, and returns which. With `peek`, it returns the same answer but spends nothing.
   *
   * @param now the limiter's time, ms. A store with its own clock may ignore it, and then returns its time in
   * `Outcome.now`.
   * @param hold the reservation, if any of the charges holds something. For a known reservation, only the units that it
   *   does not hold already must be free.
   * @param claim the id that the request claims, if it has one; then there is a `hold`. If the id is already claimed,
   * nothing is decided, and the outcome says what is `known`. If the request is admitted, the claim is stored in the
   * same step.
   */
  decide(
    charges: readonly Charge[],
    now: number,
    peek: boolean,
    hold?: Hold,
    claim?: Claim,
  ): Outcome | Promise<Outcome>;
  /** Applies the adjustments and reads each limit as `decide` would for a cost of one unit. */
  adjust(adjustments: readonly Adjustment[], now: number): Outcome | Promise<Outcome>;
  /**
   * Forgets what these partitions have spent. A later refund of forgotten units has no effect. Holds and overrides stay
   * in force.
   */
  reset(
    partitions: readonly { space: string; key: string; limits: LimitSet }[],
    now: number,
  ): void | Promise<void>;
  /**
   * Records that a process is alive, and resolves with the number of processes recorded within the last 30 seconds,
   * including this one. Called now and then, next to a decision that does not wait for the call. Without this method,
   * each process has the whole quota in an outage, unless the outage policy sets `instances`.
   *
   * @param limiter the limiter whose processes are counted.
   * @param process 24 random hexadecimal digits, chosen by the process for this limiter.
   */
  countProcesses?(limiter: string, process: string, now: number): Promise<number>;
  /**
   * Sets the override of each of these partitions, and replaces an earlier override; `undefined` ends it. An override
   * stays in force until its end, whatever is spent, reset or forgotten. Without this method, the limiter's `block` and
   * `override` throw.
   */
  override?(
    partitions: readonly { space: string; key: string }[],
    terms: OverrideTerms | undefined,
    now: number,
  ): void | Promise<void>;
  /**
   * Returns the text that the processes of a limiter share, or `undefined` if its version is still `version`. A text
   * that was never written has version 0. Each process reads it every second, independently of decisions. Without this
   * method, overrides by prefix throw.
   */
  readShared?(limiter: string, version: number): SharedText | undefined | Promise<SharedText | undefined>;
  /**
   * Replaces the text if its version is still `version`, atomically. It lasts until it is replaced.
   *
   * @returns whether the text was written.
   */
  writeShared?(limiter: string, version: number, next: SharedText): boolean | Promise<boolean>;
  /** Resolves once the store can answer, or rejects with the reason why it cannot. For health and readiness probes. */
  check?(): Promise<void>;
  /** Frees connections and memory. The store is not used afterwards. */
  close?(): void | Promise<void>;
}
