import type { Limit } from "../limit.ts";

/**
 * An algorithm is a pure transition on a small state: no I/O and no clock, `now` always comes from outside and never
 * decreases. Limits of one partition that can share a state do; `limits` then holds all of them.
 *
 * A state is a few numbers in a row, `row[at]` and those after it, so that a million of them are a handful of arrays.
 * All zeros is the state in which nothing was ever spent. Whoever keeps the row makes room; what the numbers mean is
 * the algorithm's own affair.
 *
 * Amounts are whole units; times are whole milliseconds.
 */
export interface Algorithm {
  /** How many numbers the state takes now. */
  length(row: Float64Array, at: number): number;
  /** How many more `charge` may take. */
  readonly growth: number;
  /**
   * How long until `need` units are free, if nobody spends meanwhile: 0 admits, `Infinity` means never.
   * It is the first such moment: any earlier, they are not free.
   */
  waitMs(row: Float64Array, at: number, limit: Limit, now: number, need: number): number;
  /**
   * Writes two numbers into `into`: at `place`, the units free at `now`, never below 0, also while in debt; after it,
   * how long until they next grow, 0 while the whole quota is free. Together, because the same look tells both, and
   * into a list, because this happens with every decision.
   */
  read(row: Float64Array, at: number, limit: Limit, now: number, into: number[], place: number): void;
  /**
   * Makes what `read` wrote before `amount` units were spent at that same moment what it would write after: for
   * algorithms to which reading twice is dear. The units were free.
   */
  readSpent?(limit: Limit, amount: number, into: number[], place: number): void;
  /**
   * Spends `amount` units at `now` without asking. Returns a mark that `refund` needs to give them back.
   * The row has room for `length + growth` numbers.
   */
  charge(row: Float64Array, at: number, limits: readonly Limit[], now: number, amount: number): number;
  /** Spends as `charge` does, on a state that other limits left; only where `charge` would make it theirs. */
  chargeAlong?(row: Float64Array, at: number, limits: readonly Limit[], now: number, amount: number): number;
  /**
   * Makes a state that other quotas left that of these limits, as `charge` does. To be called where they refuse.
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
  /** Notes that a limit with so long a window reads the state too, where what is kept depends on it. */
  keepFor?(row: Float64Array, at: number, windowMs: number): void;
  /**
   * Drops what no longer counts for anybody, so that the state takes fewer numbers.
   *
   * @param limits those that read it now; only for algorithms whose state grows.
   */
  tidy?(row: Float64Array, at: number, now: number, limits?: readonly Limit[]): void;
  /** A state that begins now has to know what was spent after this moment. Absent where it begins blank. */
  countsAfter?(limits: readonly Limit[], now: number, memoryMs: number): number;
  /** How many units were spent after a moment, as far as this state can tell: never fewer. Absent where it cannot. */
  spentAfter?(row: Float64Array, at: number, limits: readonly Limit[], now: number, after: number): number;
  /** Takes over what a state of another kind of this algorithm knows, where that is more, and better than `spentAfter`. */
  adopt?(
    row: Float64Array,
    at: number,
    limits: readonly Limit[],
    now: number,
    other: Float64Array,
    otherAt: number,
  ): void;
  /** From this moment on the state is worth no more than a blank one, and may be forgotten. */
  blankAt(row: Float64Array, at: number, limits: readonly Limit[]): number;
}
