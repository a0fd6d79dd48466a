import type { Limit } from "../limit.ts";

/**
 * An algorithm is a pure transition on a small state: no I/O and no clock, `now` always comes from outside and never
 * decreases. Limits of one partition share a state if they can; `limits` then holds all of them.
 *
 * A state is a few numbers in a row, `row[at]` and those after it, so that a million of them are a handful of arrays.
 * All zeros is the state in which nothing was ever spent. The owner of the row provides enough room. Only the algorithm
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
   * Writes two numbers into `into`. At `place`: the units free at `now`, never below 0, even in debt. After it: the
   * milliseconds until they next grow, 0 while the whole quota is free. One method returns both because they come from
   * the same lookup. It writes into a list to avoid an allocation, as it runs with every decision.
   */
  read(row: Float64Array, at: number, limit: Limit, now: number, into: number[], place: number): void;
  /**
   * Updates what `read` wrote to what it would write after `amount` units are spent at the same moment. For algorithms
   * where a second `read` would be expensive. The units must have been free.
   */
  readSpent?(limit: Limit, amount: number, into: number[], place: number): void;
  /**
   * Spends `amount` units at `now` without checking the quota. Returns a mark that `refund` needs to give them back.
   * The row has room for `length + growth` numbers.
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
  /** Gives back `amount` of the units spent at `chargedAt`, as far as they still count at `now`. */
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
   * Drops what no limit counts any more, so that the state occupies fewer numbers.
   *
   * @param limits the limits that read the state now; only for algorithms whose state grows.
   */
  tidy?(row: Float64Array, at: number, now: number, limits?: readonly Limit[]): void;
  /**
   * A copy of the state that occupies a few numbers, whatever was spent. It reads the same at `now`; later it frees
   * units at the same time or later. Absent if the state is always a few numbers.
   */
  condensed?(row: Float64Array, at: number, now: number, limits: readonly Limit[]): Float64Array;
  /** A new state must include everything spent after this moment. Absent if a new state begins blank. */
  countsAfter?(limits: readonly Limit[], now: number, memoryMs: number): number;
  /**
   * How many units were spent after a moment: an estimate that is never too low. Absent if the state cannot estimate
   * it.
   */
  spentAfter?(row: Float64Array, at: number, limits: readonly Limit[], now: number, after: number): number;
  /** Takes over the level of another state of the same algorithm, if it is higher. More accurate than `spentAfter`. */
  adopt?(
    row: Float64Array,
    at: number,
    limits: readonly Limit[],
    now: number,
    other: Float64Array,
    otherAt: number,
  ): void;
  /** From this moment on the state is equivalent to a blank one and may be deleted. */
  blankAt(row: Float64Array, at: number, limits: readonly Limit[]): number;
}
