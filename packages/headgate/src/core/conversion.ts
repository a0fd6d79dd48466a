import type { Algorithm } from "./algorithms/algorithm.ts";
import type { Limit } from "./limit.ts";

/** A state of the same unit and partition, counted by other limits. */
export interface OtherState {
  readonly algorithm: Algorithm;
  readonly limits: readonly Limit[];
  readonly row: Float64Array;
  readonly at: number;
}

/** A partition keeps at most this many states of one unit. It always keeps the states of the current limits. */
export const mostStatesOfUnit = 4;

/**
 * Makes the first state for limits that have none yet, if other limits already counted the same unit. The new state
 * starts with the highest count that any other state has within the new window, as if all of it had been spent now.
 * This is never less than what was spent, so a change of limits forgets nothing.
 *
 * From then on each charge is written to all states of the unit, so changing back and forth needs no new conversion.
 *
 * @param memoryMs how far back a log must remember, ms
 * @returns `undefined` if no other state has a count that still applies
 */
export function beginFrom(
  others: readonly OtherState[],
  algorithm: Algorithm,
  limits: readonly Limit[],
  memoryMs: number,
  now: number,
): Float64Array | undefined {
  if (algorithm.countsAfter === undefined) return undefined;
  const after = algorithm.countsAfter(limits, now, memoryMs);
  const live = others.filter(
    ({ row, at, algorithm: other, limits: its }) => other.blankAt(row, at, its) > now,
  );
  let amount = 0;
  for (const { algorithm: other, limits: its, row, at } of live) {
    if (other === algorithm && algorithm.adopt !== undefined) continue;
    amount = Math.max(amount, other.spentAfter?.(row, at, its, now, after) ?? 0);
  }
  const begun = new Float64Array(algorithm.length(new Float64Array(16), 0) + algorithm.growth);
  if (amount > 0) {
    algorithm.keepFor?.(begun, 0, memoryMs);
    algorithm.charge(begun, 0, limits, now, amount);
  }
  for (const { algorithm: other, row, at } of live) {
    if (other === algorithm) algorithm.adopt?.(begun, 0, limits, now, row, at);
  }
  return algorithm.blankAt(begun, 0, limits) > now ? begun : undefined;
}
