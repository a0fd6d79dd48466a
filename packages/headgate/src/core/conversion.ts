import type { Algorithm } from "./algorithms/algorithm.ts";
import type { Limit } from "./limit.ts";

/** A state of the same unit and partition, counted by other limits. */
export interface OtherState {
  readonly algorithm: Algorithm;
  readonly limits: readonly Limit[];
  readonly row: Float64Array;
  readonly at: number;
}

/** A partition keeps at most so many states of one unit; those that the limits at hand name are always kept. */
export const mostStatesOfUnit = 4;

/**
 * The state that limits begin with where they have none yet and others counted the same unit: as much was spent, now, as
 * the strictest of the others knows of within the new window. Never less than what was spent: to change the limits
 * forgets nothing.
 *
 * From then on each charge is written to all states of the unit, so that changing back and forth converts nothing again.
 *
 * @param memoryMs how far back a log must know, ms
 * @returns undefined where nothing that counts is known
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
