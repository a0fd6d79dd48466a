import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/** The units that were spent in the step that began at `start`, and in the step before it. */
interface StepCounts {
  start: number;
  current: number;
  previous: number;
}

/**
 * A sliding window in two numbers, for quotas too high to keep a stamp per unit. Time is divided into steps of one
 * window. What was spent in the previous step is assumed to be spread evenly over it, and leaves evenly.
 *
 * Error: if spending was not spread evenly, a window may hold more than the quota. At worst, if everything in the
 * previous step was spent at its end, a window holds up to `2 * quota - 1` units. If spending came early in the step, a
 * request may be refused although the window had room. Under steady traffic the error is within one unit.
 */
export const slidingCounter: Algorithm = {
  length: () => 3,
  growth: 0,

  waitMs(row, at, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    return waitOf(countsAt(row, at, limit, now), limit, now, need);
  },

  read(row, at, limit, now, into, place) {
    const counts = countsAt(row, at, limit, now);
    const left = Math.max(0, free(counts, limit, now));
    into[place] = left;
    into[place + 1] = left === limit.quota ? 0 : waitOf(counts, limit, now, left + 1);
  },

  charge(row, at, limits, now, amount) {
    const counts = countsAt(row, at, only(limits), now);
    counts.current += amount;
    write(row, at, counts);
    return counts.start;
  },

  /** The mark is the start of the charged step. */
  refund(row, at, limits, _now, amount, _chargedAt, mark) {
    const counts = read(row, at);
    if (counts.start === mark) counts.current = Math.max(0, counts.current - amount);
    else if (counts.start - only(limits).windowMs === mark)
      counts.previous = Math.max(0, counts.previous - amount);
    write(row, at, counts);
  },

  /** Covers both steps. A new state counts all earlier spending in the current step. */
  countsAfter(limits, now) {
    const { windowMs } = only(limits);
    return (Math.floor(now / windowMs) - 1) * windowMs - 1;
  },

  spentAfter(row, at, limits, now, after) {
    const { start, current, previous } = countsAt(row, at, only(limits), now);
    return after < start - 1 ? current + previous : current;
  },

  blankAt(row, at, limits) {
    const { windowMs } = only(limits);
    const { start, current, previous } = read(row, at);
    if (current > 0) return start + 2 * windowMs;
    return previous > 0 ? start + windowMs : 0;
  },
};

function read(row: Float64Array, at: number): StepCounts {
  return { start: row[at] as number, current: row[at + 1] as number, previous: row[at + 2] as number };
}

function write(row: Float64Array, at: number, { start, current, previous }: StepCounts): void {
  row[at] = start;
  row[at + 1] = current;
  row[at + 2] = previous;
}

/** The counts at `now`: one step later, the current count becomes the previous count. */
function countsAt(row: Float64Array, at: number, { windowMs }: Limit, now: number): StepCounts {
  const counts = read(row, at);
  const start = Math.floor(now / windowMs) * windowMs;
  if (counts.start >= start) return counts;
  const follows = counts.start + windowMs === start;
  return { start, current: 0, previous: follows ? counts.current : 0 };
}

function waitOf(counts: StepCounts, limit: Limit, now: number, need: number): number {
  if (free(counts, limit, now) >= need) return 0;
  const { start, current } = counts;
  // If this step has room, the wait ends within it. Otherwise it ends in the next step, where the current count is the
  // previous one.
  if (current + need <= limit.quota) return firstFree(counts, limit, now, start, need) - now;
  const next = { start: start + limit.windowMs, current: 0, previous: current };
  return firstFree(next, limit, next.start, next.start, need) - now;
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
