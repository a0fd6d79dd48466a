import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/** What was spent in the step of time that began at `start`, and in the one before it. */
export interface StepCounts {
  start: number;
  current: number;
  previous: number;
}

/**
 * A sliding window in two numbers, for quotas so high that a stamp a unit is too much. Time goes in steps of one
 * window; what the step before this one spent is taken to have been spread over it evenly, and leaves evenly.
 *
 * Error: where it was not spread evenly, a window may hold more than the quota: at worst (all of it at the step's
 * end, and the rest as late as possible) up to `2 * quota - 1` units; where it came early, a request may be refused
 * although the window had room. Under steady traffic the error is within one unit.
 */
export const slidingCounter: Algorithm<StepCounts> = {
  blank: () => ({ start: 0, current: 0, previous: 0 }),

  waitMs(counts, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    const here = at(counts, limit, now);
    if (free(here, limit, now) >= need) return 0;
    // Within this step, if what was spent in it leaves room at all; else in the next, where it becomes the previous.
    if (here.current + need <= limit.quota) return firstFree(here, limit, now, here.start, need) - now;
    const next = { start: here.start + limit.windowMs, current: 0, previous: here.current };
    return firstFree(next, limit, next.start, next.start, need) - now;
  },

  remaining(counts, limit, now) {
    return Math.max(0, free(at(counts, limit, now), limit, now));
  },

  resetMs(counts, limit, now) {
    const left = slidingCounter.remaining(counts, limit, now);
    return left === limit.quota ? 0 : slidingCounter.waitMs(counts, limit, now, left + 1);
  },

  charge(counts, limits, now, amount) {
    const { start, current, previous } = at(counts, only(limits), now);
    counts.start = start;
    counts.current = current + amount;
    counts.previous = previous;
    return start;
  },

  /** The mark is the step that was charged. */
  refund(counts, limits, _now, amount, _chargedAt, mark) {
    if (counts.start === mark) counts.current = Math.max(0, counts.current - amount);
    else if (counts.start - only(limits).windowMs === mark)
      counts.previous = Math.max(0, counts.previous - amount);
  },

  blankAt(counts, limits) {
    const { windowMs } = only(limits);
    if (counts.current > 0) return counts.start + 2 * windowMs;
    return counts.previous > 0 ? counts.start + windowMs : 0;
  },

  copy: (counts) => ({ ...counts }),
};

/** The counts as they stand at `now`: one step on, the current count is the previous one. */
function at(counts: StepCounts, { windowMs }: Limit, now: number): StepCounts {
  const start = Math.floor(now / windowMs) * windowMs;
  if (counts.start >= start) return counts;
  if (counts.start + windowMs === start) return { start, current: 0, previous: counts.current };
  return { start, current: 0, previous: 0 };
}

function free({ start, current, previous }: StepCounts, { quota, windowMs }: Limit, now: number): number {
  const left = Math.max(0, windowMs - (now - start));
  return Math.floor(quota - current - (previous * left) / windowMs);
}

/** The first moment from `earliest` on, within the step, at which `need` units are free. */
function firstFree(counts: StepCounts, limit: Limit, earliest: number, start: number, need: number): number {
  let low = earliest - 1;
  let high = start + limit.windowMs;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (free(counts, limit, middle) >= need) high = middle;
    else low = middle;
  }
  return high;
}

function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
