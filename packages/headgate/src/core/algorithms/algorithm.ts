import type { Limit } from "../limit.ts";

/**
 * An algorithm is a pure transition on a small state: no I/O and no clock, `now` always comes from outside and never
 * decreases. Limits of one partition that can share a state do; `limits` then holds all of them.
 *
 * Amounts are whole units; times are whole milliseconds.
 */
export interface Algorithm<State> {
  /** A state in which nothing was ever spent. */
  blank(): State;
  /**
   * How long until `need` units are free, if nobody spends meanwhile: 0 admits, `Infinity` means never.
   * It is the first such moment: any earlier, they are not free.
   */
  waitMs(state: State, limit: Limit, now: number, need: number): number;
  /** Units free at `now`; never below 0, also while in debt. */
  remaining(state: State, limit: Limit, now: number): number;
  /** How long until `remaining` next grows; 0 while the whole quota is free. */
  resetMs(state: State, limit: Limit, now: number): number;
  /** Spends `amount` units at `now` without asking. Returns a mark that `refund` needs to give them back. */
  charge(state: State, limits: readonly Limit[], now: number, amount: number): number;
  /** Gives back `amount` of the units spent at `chargedAt`, as far as they still count at `now`. */
  refund(
    state: State,
    limits: readonly Limit[],
    now: number,
    amount: number,
    chargedAt: number,
    mark: number,
  ): void;
  /** Keeps a lease alive that `charge` gave under this mark; only for algorithms that give leases. */
  renew?(state: State, limits: readonly Limit[], now: number, mark: number): void;
  /** From this moment on the state is worth no more than a blank one, and may be forgotten. */
  blankAt(state: State, limits: readonly Limit[]): number;
  copy(state: State): State;
}
