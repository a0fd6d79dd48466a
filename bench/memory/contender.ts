import type { Caller, Limits } from "../traffic.ts";

/** Decides one visit, and returns whether it was admitted. */
export type Visit = { now: (caller: Caller) => boolean } | { later: (caller: Caller) => Promise<boolean> };

export interface MovableClock {
  offsetMs: number;
}

export interface Circumstances {
  /**
   * The limits of contenders that read the machine's clock. To measure admissions, the quotas are out of
   * reach. A count has the same size with any quota. Headgate has the product's limits, and its clock is
   * moved between visits.
   */
  readonly peersLimits: Limits;
  readonly callers: number;
  /** An offset to `Date.now()`, for contenders that take a clock. */
  readonly clock: MovableClock;
}

/** A limiter with three layers in memory, or a floor: a minimal program that shows the lowest possible cost. */
export interface MemoryContender {
  open(circumstances: Circumstances): Visit;
}
