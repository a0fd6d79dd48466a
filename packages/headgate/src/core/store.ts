import type { Claim, ClaimChange, KnownClaim } from "./claim.ts";
import type { LimitSet } from "./limit-set.ts";
import type { Override, OverrideByPrefix, OverrideTerms } from "./override.ts";

/** One partition that a request is charged to. */
export interface Charge {
  /** The names of limiter and layer: partitions of different spaces never meet. */
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
  /** For each group of `limits`: the units that must be free, beyond what the reservation holds already. */
  readonly needs: readonly number[];
  /** For each group of `limits`: the units that are spent at once if all charges are admitted. */
  readonly spends: readonly number[];
  /** For each group of `limits`: the units that the reservation holds from then on, in all. Absent: none. */
  readonly holds?: readonly number[];
  /** For each group of `limits`: what the reservation has used so far, where the store has no entry of it. Absent: nothing. */
  readonly known?: readonly number[];
  /** The override by which `limits` are the partition's. Absent: they are its own. */
  readonly override?: Override;
  /** The same of an override by prefix. Stores know nothing of those. */
  readonly byPrefix?: OverrideByPrefix;
}

/**
 * The reservation that a call is about. Calls may be repeated, and may overtake each other. What it holds in a partition
 * lives for that partition's `limits.leaseMs` without a heartbeat.
 */
export interface Hold {
  /** 24 hexadecimal digits, drawn by the process that asks. */
  readonly rid: string;
  /** The number of the call, from 1 up: a later call outranks an earlier one. */
  readonly seq: number;
}

/** What a store read of one limit. */
export interface Reading {
  /** Units free, after this decision. */
  remaining: number;
  /** How long until the charge's `needs` are free: 0 where they were, `Infinity` where they never can be. */
  waitMs: number;
  /** How long until `remaining` next grows; 0 while the whole quota is free. */
  resetMs: number;
  /** Set where `waitMs` is until those who hold something lapse: an upper bound, as they may end sooner. */
  holders?: boolean;
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
  /**
   * Set where no limit is the reason. The reservation has `ended`, or a partition holds for too many (`crowded`); a
   * partition is `blocked`; or the charges were not made under the overrides in force (`overridden`).
   */
  readonly refusedFor?: "ended" | "crowded" | "blocked" | "overridden";
  /**
   * Set where the id of the request is claimed already: nothing was decided. Then `admitted` is `false`, and `readings` and `marks` are
   * empty.
   */
  readonly known?: KnownClaim;
  /** Where the request claimed an id: which attempt at it this is, from 1 up. Later ones were not charged for requests. */
  readonly attempt?: number;
  /**
   * Set where the refusal rests on units of other requests that are charged and may be given back at any moment, as those requests
   * are not decided everywhere yet. The waits are short then; the refusal is not remembered.
   */
  readonly contended?: boolean;
  /** Where refused as `blocked` or `overridden`: for each charge, what is in force in its partition. */
  readonly overrides?: readonly (Override | undefined)[];
  /**
   * Where this decision comes among those of the same `now`: the store applied the lower number first. Absent where the store
   * does not know.
   */
  readonly order?: number | undefined;
  /** Where the refusal repeats an earlier answer of the store: when the store gave that answer. */
  readonly asOf?: { readonly now: number; readonly order: number | undefined } | undefined;
}

/** What is said of a reservation in one partition. Never refused; saying it twice changes nothing. */
export interface Adjustment extends Hold {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
  /** Nothing more follows: what is held is released, and whatever comes later is ignored. */
  readonly ended: boolean;
  /** Whether it may hold more than the store knows of: for what was held while the store could not be asked. */
  readonly raises: boolean;
  /** For each group: what was used, as this store knows it already where it has no entry of the reservation. */
  readonly known: readonly number[];
  /** For each group: what has been used, in all. */
  readonly used: readonly number[];
  /** For each group: what is still held. */
  readonly held: readonly number[];
  /** What becomes of the claim that the reservation owns, kept with this partition. Absent: it has none. */
  readonly claim?: ClaimChange | undefined;
  /** What units are taken from where fewer were used than the store knows of, the first first. */
  readonly refunds: readonly Refund[];
}

/** Units that were charged at one moment. */
export interface Refund {
  readonly group: number;
  readonly amount: number;
  readonly chargedAt: number;
  readonly mark: number;
}

/** A text that the processes of a limiter share, and which of its versions it is. */
export interface SharedText {
  /** A whole number from 0 up. */
  readonly version: number;
  readonly text: string;
}

/**
 * Where the counts live. A store applies a batch of charges atomically, all or nothing, and returns readings;
 * everything that is policy stays outside it. A call that rejects promptly was not applied; where that cannot be known (the
 * connection broke with the call under way), the error carries `inDoubt: true`. Where the store was reached and cannot decide for long (it is
 * full), the error may carry `answered: true`: a process that has just started does not wait for it. A store that answers at once returns values, not promises: then
 * deciding is synchronous from end to end.
 */
export interface Store {
  /** For messages and metrics: `memory`. */
  readonly name: string;
  /** Whether it keeps claims of message ids. Without it, no request of a limiter can name an id. */
  readonly claims?: boolean;
  /** Whether other processes share it: such a store costs a trip, and may fail to answer. */
  readonly remote: boolean;
  /**
   * Charges all or none, and says which. With `peek`, reads as if asked but spends nothing.
   *
   * @param now the limiter's time, ms; a store with a clock of its own may disregard it and say so in `Outcome.now`.
   * @param hold the reservation, where any of the charges holds something. Asked again about one that is known, it
   *   needs only what it does not hold already.
   * @param claim the id that the request claims, where it has one; then there is a `hold`. If the id is claimed already, nothing is
   *   decided, and the outcome says what is `known`. If the request is admitted, the claim is kept in the same step.
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
   * Forgets what these partitions spent: a refund of it gives nothing back. What is held stays held, and overrides stay in
   * force.
   */
  reset(
    partitions: readonly { space: string; key: string; limits: LimitSet }[],
    now: number,
  ): void | Promise<void>;
  /**
   * Records that a process is alive, and resolves with the number of live processes, this one included: those
   * recorded within the last 30 seconds. Called at times together with a decision, which does not wait for it.
   * Without this method, each process has the whole quota in an outage, unless the outage policy says `instances`.
   *
   * @param limiter the limiter whose processes are counted.
   * @param process 24 hexadecimal digits, drawn by the process for this limiter.
   */
  countProcesses?(limiter: string, process: string, now: number): Promise<number>;
  /**
   * Puts an override into force for each of these partitions, in place of the one before; `undefined` ends it. It lasts until its
   * end, whatever is spent, reset or forgotten meanwhile. A store without it can block and override nobody: the limiter then says so.
   */
  override?(
    partitions: readonly { space: string; key: string }[],
    terms: OverrideTerms | undefined,
    now: number,
  ): void | Promise<void>;
  /**
   * The text that the processes of a limiter share, unless its version is the one given: then `undefined`. Version 0 is that of a
   * text that nobody has written. Each process reads it every second, apart from its decisions. A store without it cannot override
   * by prefix: the limiter then says so.
   */
  readShared?(limiter: string, version: number): SharedText | undefined | Promise<SharedText | undefined>;
  /**
   * Puts another text in its place, if its version is still `version`, in one step. It lasts until it is replaced.
   *
   * @returns whether it was put there.
   */
  writeShared?(limiter: string, version: number, next: SharedText): boolean | Promise<boolean>;
  /** Resolves once the store can answer, rejects with the reason why it cannot. For probes and readiness. */
  check?(): Promise<void>;
  /** Gives up connections and memory. The store is not used afterwards. */
  close?(): void | Promise<void>;
}
