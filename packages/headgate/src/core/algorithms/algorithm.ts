import type { Limit } from "../limit.ts";

/**
 * An algorithm is a pure transition on a small state. It has no I/O and no clock: `now` is a parameter and never
 * decreases. Limits of one partition share a state if they can; `limits` then holds all of them.
 *
 * A state is a few numbers in an array, from `row[at]` on, so that a million states fit into a handful of arrays. A
 * state of zeros is blank: nothing was ever spent. The owner of the array provides enough room. Only the algorithm
 * knows what the numbers mean.
 *
 * Amounts are whole units; times are whole milliseconds.
 */
export interface Algorithm {
  /** How many numbers the state occupies now. */
  length(row: Float64Array, at: number): number;
  /** How many more numbers a `charge` may need. */
  readonly growth: number;
  /**
   * Milliseconds until `need` units are free, if nobody spends meanwhile: 0 admits, `Infinity` means never. The wait is
   * exact: a millisecond earlier, the units are not free.
   */
  waitMs(row: Float64Array, at: number, limit: Limit, now: number, need: number): number;
  /**
   * Writes two numbers into `into`. At `place`: the units free at `now`, never below 0, even in debt. At `place + 1`:
   * the milliseconds until the free units next grow, 0 while the whole quota is free. Both come from the same lookup.
   * Writing into an array avoids an allocation in every decision.
   */
  read(row: Float64Array, at: number, limit: Limit, now: number, into: number[], place: number): void;
  /**
   * Updates what `read` wrote to what it would write after `amount` units are spent at the same moment. Only for
   * algorithms whose `read` is expensive. The units must have been free.
   */
  readSpent?(limit: Limit, amount: number, into: number[], place: number): void;
  /**
   * Spends `amount` units at `now` without checking the quota. Returns a mark: a number that `refund` needs to give the
   * units back. The row has room for `length + growth` numbers.
   */
  charge(row: Float64Array, at: number, limits: readonly Limit[], now: number, amount: number): number;
  /**
   * Spends like `charge`, on a state that other limits wrote, without converting the state. Absent if `charge` never
   * converts.
   */
  chargeAlong?(row: Float64Array, at: number, limits: readonly Limit[], now: number, amount: number): number;
  /**
   * Converts a state that other quotas wrote to these limits, as `charge` does. Called when these limits refuse.
   *
   * @returns whether anything has changed
   */
  adapt?(row: Float64Array, at: number, limits: readonly Limit[], now: number): boolean;
  /** Gives back `amount` of the units spent at `chargedAt`, except units that no longer count at `now`. */
  refund(
    row: Float64Array,
    at: number,
    limits: readonly Limit[],
    now: number,
    amount: number,
    chargedAt: number,
    mark: number,
  ): void;
  /** Keeps entries for at least `windowMs`, because a limit with this window reads the state too. */
  keepFor?(row: Float64Array, at: number, windowMs: number): void;
  /**
   * Drops entries that no limit counts now, so that the state occupies fewer numbers.
   *
   * @param limits the limits that read the state now; needed only by algorithms whose state grows.
   */
  tidy?(row: Float64Array, at: number, now: number, limits?: readonly Limit[]): void;
  /**
   * Returns a copy of the state that occupies only a few numbers. It reads the same at `now`, and frees units at the
   * same time as the state or later. Absent if the state is always a few numbers.
   */
  condensed?(row: Float64Array, at: number, now: number, limits: readonly Limit[]): Float64Array;
  /** A new state must include everything spent after this moment. Absent if a new state begins blank. */
  countsAfter?(limits: readonly Limit[], now: number, memoryMs: number): number;
  /**
   * Estimates how many units were spent after a moment, never too few. Absent if the state cannot estimate this.
   */
  spentAfter?(row: Float64Array, at: number, limits: readonly Limit[], now: number, after: number): number;
  /**
   * Takes over the level of another state of the same algorithm, if that level is higher. More accurate than
   * `spentAfter`.
   */
  adopt?(
    row: Float64Array,
    at: number,
    limits: readonly Limit[],
    now: number,
    other: Float64Array,
    otherAt: number,
  ): void;
  /** Returns the moment from which the state is equivalent to a blank state and may be deleted. */
  blankAt(row: Float64Array, at: number, limits: readonly Limit[]): number;
}
