import type { Caller, Limits } from "../traffic.ts";

/** What one visit does: whether it was admitted. */
export type Visit = { now: (caller: Caller) => boolean } | { later: (caller: Caller) => Promise<boolean> };

export interface MovableClock {
  offsetMs: number;
}

export interface Circumstances {
  /**
   * What all but Headgate count by, which read the machine's clock: to be admitted, quotas out of reach. A count takes
   * as much room at any quota. Headgate has the product's limits, and its clock is moved between visits.
   */
  readonly peersLimits: Limits;
  readonly callers: number;
  /** To be added to what `Date.now()` says, by those who take a clock. */
  readonly clock: MovableClock;
}

/** A limiter with three layers in memory, or a floor. */
export interface MemoryContender {
  open(circumstances: Circumstances): Visit;
}
