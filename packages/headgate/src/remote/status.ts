import type { BreakerState } from "./breaker.ts";

/** All at 0. */
export function createCounters() {
  return {
    /** Decisions of the store. */
    byStore: 0,
    /** Refusals that were known from an answer of the store within the last second. */
    byRefusalMemory: 0,
    /** Decisions of the outage policies. */
    byOutagePolicy: 0,
    /** Calls that failed or were not answered in time. */
    failures: 0,
    /** Of these, calls that were not answered in time. */
    timeouts: 0,
    /** Of these, calls that were answered after all. What a decision had charged is taken back. */
    lateAnswers: 0,
    /** Attempts to find out whether the store answers again. */
    probes: 0,
    /** Partitions and leases whose charges were sent to the store after an outage. */
    reconciled: 0,
    /** Changes that were never sent to the store, because more were waiting than are kept. */
    dropped: 0,
    /** Changes that the store may or may not have made. Their refunds are not repeated. */
    inDoubt: 0,
  };
}

/** What has happened since the limiter was made. */
export type StoreCounters = Readonly<ReturnType<typeof createCounters>>;

/** How the store is, as this process sees it. */
export interface StoreStatus {
  /** `memory`, `redis`, `postgres`, or the name of your own. */
  readonly store: string;
  /** Whether other processes share the store. A store that is not shared is always `closed`, and has no counters. */
  readonly remote: boolean;
  /** `closed`: the store decides. `open`: the outage policies decide. `half-open`: they still decide while the store is probed. */
  readonly state: BreakerState;
  /** Since when, by the limiter's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly since: number;
  /** Failures in a row. */
  readonly failures: number;
  /** The last error in this row of failures. For operators only: it may name hosts. */
  readonly reason: string | undefined;
  /** When the store is probed next, in the same unit as `since`; 0 while closed. */
  readonly nextProbeAt: number;
  /** Partitions, leases and admitted requests with changes not yet sent to the store. */
  readonly waiting: number;
  /**
   * How many live processes the store last reported, among which an outage divides each quota. `undefined`: it has not
   * reported any, and unless a policy says `instances`, this process has the whole quota in an outage.
   */
  readonly processes: number | undefined;
  readonly counters: StoreCounters | undefined;
}
