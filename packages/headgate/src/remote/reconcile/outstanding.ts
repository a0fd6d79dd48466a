import { windowAround } from "../../core/algorithms/fixed-window.ts";
import type { LimitGroup } from "../../core/limit-set.ts";

/** Units of one group spent at one moment. */
export interface Spent {
  readonly at: number;
  readonly amount: number;
}

/**
 * How many of the spent units still count at this moment, under the widest limit of the group. If an algorithm forgets
 * gradually (a sliding counter), all units count as long as any of them does.
 *
 * @param spent oldest first.
 */
export function outstanding(group: LimitGroup, spent: readonly Spent[], now: number): number {
  if (group.limits[0]?.algorithm === "token-bucket") return undrained(group, spent, now);
  let units = 0;
  for (const { at, amount } of spent) if (countsUntil(group, at) > now) units += amount;
  return units;
}

/** When units spent at this moment stop counting. A bucket that is in debt may take longer. */
export function countsUntil(group: LimitGroup, at: number): number {
  let until = 0;
  for (const limit of group.limits) {
    if (limit.algorithm === "fixed-window") until = Math.max(until, windowAround(limit, at).end);
    else if (limit.algorithm === "sliding-counter") {
      until = Math.max(until, (Math.floor(at / limit.windowMs) + 2) * limit.windowMs);
    } else until = Math.max(until, at + limit.windowMs);
  }
  return until;
}

function undrained(group: LimitGroup, spent: readonly Spent[], now: number): number {
  const { quota, windowMs } = group.limits[0] as LimitGroup["limits"][number];
  let level = 0;
  let since = 0;
  for (const { at, amount } of spent) {
    level = Math.max(0, level - ((at - since) * quota) / windowMs) + amount;
    since = at;
  }
  // Rounded up, except for the rounding error of a floating-point number.
  return Math.ceil(Math.max(0, level - ((now - since) * quota) / windowMs) - 1e-6);
}
