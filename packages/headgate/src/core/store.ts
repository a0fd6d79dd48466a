import type { LimitSet } from "./limit-set.ts";

/** One partition that a request is charged to. */
export interface Charge {
  /** The layer's name, with the limiter's prefix: partitions of different spaces never meet. */
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
  /** For each group of `limits`: the units that must be free. */
  readonly needs: readonly number[];
  /** For each group of `limits`: the units that are spent if all charges are admitted. */
  readonly spends: readonly number[];
}

/** What a store read of one limit. */
export interface Reading {
  /** Units free, after this decision. */
  remaining: number;
  /** How long until the charge's `needs` are free: 0 where they were, `Infinity` where they never can be. */
  waitMs: number;
  /** How long until `remaining` next grows; 0 while the whole quota is free. */
  resetMs: number;
}

/** A store's answer to one batch of charges. */
export interface Outcome {
  readonly admitted: boolean;
  /** The store's time of this decision, ms. */
  readonly now: number;
  /** For each charge, for each of its limits. */
  readonly readings: readonly (readonly Reading[])[];
  /** For each charge, for each of its groups: what the algorithm needs to give the units back. */
  readonly marks: readonly (readonly number[])[];
}

/** A change to what an earlier charge spent, once its true cost is known. Never refused. */
export interface Adjustment {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
  /** Units given back of those spent at `chargedAt` under `mark`. */
  readonly refunds: readonly Refund[];
  /** Leases that go on. */
  readonly renewals: readonly Renewal[];
  /** For each group of `limits`: units spent now, whatever is free. */
  readonly spends: readonly number[];
}

export interface Refund {
  readonly group: number;
  readonly amount: number;
  readonly chargedAt: number;
  readonly mark: number;
}

export interface Renewal {
  readonly group: number;
  readonly mark: number;
}

/**
 * Where the counts live. A store applies a batch of charges atomically, all or nothing, and returns readings;
 * everything that is policy stays outside it. A call that rejects promptly was not applied; where that cannot be known (the
 * connection broke with the call under way), the error carries `inDoubt: true`. A store that answers at once returns values, not promises: then
 * deciding is synchronous from end to end.
 */
export interface Store {
  /** For messages and metrics: `memory`. */
  readonly name: string;
  /** Whether other processes share it: such a store costs a trip, and may fail to answer. */
  readonly remote: boolean;
  /**
   * Charges all or none, and says which. With `peek`, reads as if asked but spends nothing.
   *
   * @param now the limiter's time, ms; a store with a clock of its own may disregard it and say so in `Outcome.now`.
   */
  decide(charges: readonly Charge[], now: number, peek: boolean): Outcome | Promise<Outcome>;
  /** Applies the adjustments and reads each limit as `decide` would for a cost of one unit. */
  adjust(adjustments: readonly Adjustment[], now: number): Outcome | Promise<Outcome>;
  /** Forgets what these partitions spent. */
  reset(
    partitions: readonly { space: string; key: string; limits: LimitSet }[],
    now: number,
  ): void | Promise<void>;
  /** Resolves once the store can answer, rejects with the reason why it cannot. For probes and readiness. */
  check?(): Promise<void>;
  /** Gives up connections and memory. The store is not used afterwards. */
  close?(): void | Promise<void>;
}
