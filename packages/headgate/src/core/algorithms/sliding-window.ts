import { copyNumbers } from "../copy-numbers.ts";
import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/**
 * The state consists of the number of numbers in the log, how long entries are kept (ms), the total before the first
 * entry, and then the entries, oldest first. An entry is two numbers: a stamp, and all units ever spent up to and
 * including that stamp.
 *
 * With running totals, one lookup finds how much was spent since a moment, or which entry must leave the window, even
 * if entries have different weights. Limits over the same unit share one log, even if their windows differ.
 */
const size = 0;
export const keptMs = 1;
const base = 2;
export const first = 3;

/** The largest quota that is counted stamp by stamp without the `exact` option. */
const largestUsualQuota = 1000;

/** The number of newest entries that are searched one by one, which is faster than a binary search. */
const fewEntries = 6;

/**
 * "No more than `quota` units in any window": exact, without error, at every edge.
 *
 * A unit spent at `s` counts in the interval `(t - window, t]` and is free again at `s + window` to the millisecond.
 * All spending in one millisecond shares an entry. Entries are kept for the layer's widest window, in case the caller's
 * limits change. Beyond 1,000 entries, or the largest quota if that is more, older entries are merged, because no limit
 * needs them one by one.
 */
export const slidingWindow: Algorithm = {
  length: (row, at) => first + (row[at + size] as number),
  growth: 2,

  waitMs(row, at, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    const end = endOf(row, at);
    if (end === at + first || need === 0) return 0;
    // The newest entry that must have left before `need` units fit.
    const mustLeave = newestBefore(row, at, end, (row[end - 1] as number) - limit.quota + need);
    if (mustLeave < 0) return 0;
    return Math.max(0, (row[mustLeave] as number) + limit.windowMs - now);
  },

  read(row, at, limit, now, into, place) {
    const { quota, windowMs } = limit;
    const end = endOf(row, at);
    const oldest = firstAfter(row, at, end, now - windowMs, quota);
    const free = quota - spentFrom(row, oldest, end);
    into[place] = Math.max(0, free);
    if (oldest === end) into[place + 1] = 0;
    else if (free >= 0) into[place + 1] = (row[oldest] as number) + windowMs - now;
    // In debt: nothing is free until the debt has left the window.
    else into[place + 1] = slidingWindow.waitMs(row, at, limit, now, 1);
  },

  readSpent({ windowMs }, amount, into, place) {
    if (amount === 0) return;
    into[place] = (into[place] as number) - amount;
    // The oldest entry does not change, unless there was none.
    if (into[place + 1] === 0) into[place + 1] = windowMs;
  },

  charge(row, at, limits, now, amount) {
    if (amount === 0) return 0;
    if (row[at + keptMs] === 0) for (const { windowMs } of limits) slidingWindow.keepFor?.(row, at, windowMs);
    const end = endOf(row, at);
    const total = row[end - 1] as number;
    if (end > at + first && (row[end - 2] as number) >= now) {
      row[end - 1] = total + amount;
      return 0;
    }
    row[end] = now;
    row[end + 1] = total + amount;
    row[at + size] = end + 2 - at - first;
    return 0;
  },

  refund(row, at, _limits, _now, amount, chargedAt) {
    const end = endOf(row, at);
    const index = firstAfter(row, at, end, chargedAt - 1, end);
    if (index === end || row[index] !== chargedAt) return;
    const weight = spentFrom(row, index, index + 2);
    const given = Math.min(amount, weight);
    for (let i = index + 1; i < end; i += 2) row[i] = (row[i] as number) - given;
    if (given === weight) cut(row, at, index, index + 2, end);
  },

  keepFor(row, at, windowMs) {
    if (windowMs > (row[at + keptMs] as number)) row[at + keptMs] = windowMs;
  },

  tidy(row, at, now, limits = []) {
    const end = endOf(row, at);
    const live = firstAfter(row, at, end, now - (row[at + keptMs] as number), end);
    if (live > at + first) {
      row[at + base] = row[live - 1] as number;
      cut(row, at, at + first, live, end);
    }
    if ((row[at + size] as number) >= 4 * largestUsualQuota) merge(row, at, limits);
  },

  /**
   * Keeps the oldest and the newest entry of each window. The units of the entries between them leave with the newest.
   */
  condensed(row, at, now, limits) {
    const end = endOf(row, at);
    const start = firstAfter(row, at, end, now - (row[at + keptMs] as number), end);
    const windowsOf = (index: number) =>
      limits.filter(({ windowMs }) => (row[index] as number) > now - windowMs).length;
    const entries: number[] = [];
    let before = -1;
    for (let index = start; index < end; index += 2) {
      const windows = windowsOf(index);
      const isNewest = index + 2 === end || windowsOf(index + 2) !== windows;
      if (windows !== before || isNewest) entries.push(row[index] as number, row[index + 1] as number);
      before = windows;
    }
    return Float64Array.of(entries.length, row[at + keptMs] as number, row[start - 1] as number, ...entries);
  },

  countsAfter: (_limits, now, memoryMs) => now - memoryMs,

  spentAfter(row, at, _limits, _now, after) {
    const end = endOf(row, at);
    return spentFrom(row, firstAfter(row, at, end, after, end), end);
  },

  blankAt(row, at) {
    const end = endOf(row, at);
    return end === at + first ? 0 : (row[end - 2] as number) + (row[at + keptMs] as number);
  },
};

export function endOf(row: Float64Array, at: number): number {
  // `| 0` makes this an integer for the JavaScript engine, which then need not check each use as an index.
  return at + first + ((row[at + size] as number) | 0);
}

/**
 * Returns what was spent from one entry up to, not including, another. The number before the first entry is the total
 * before it.
 */
export function spentFrom(row: Float64Array, from: number, to: number): number {
  return (row[to - 1] as number) - (row[from - 1] as number);
}

/**
 * Once there are twice as many entries as any limit needs one by one, merges the older entries in pairs: the units of
 * the first entry in each pair leave with the second, a little later.
 */
function merge(row: Float64Array, at: number, limits: readonly Limit[]): void {
  let most = largestUsualQuota;
  for (const { quota } of limits) most = Math.max(most, quota);
  const end = endOf(row, at);
  const start = at + first;
  const older = (end - start) / 2 - most;
  if (older < most) return;
  const pairs = older >> 1;
  for (let p = 0; p < pairs; p += 1) copyNumbers(row, start + 4 * p + 2, row, start + 2 * p, 2);
  cut(row, at, start + 2 * pairs, start + 4 * pairs, end);
}

/** Removes the numbers from one index up to, not including, another. */
export function cut(row: Float64Array, at: number, from: number, to: number, end: number): void {
  copyNumbers(row, to, row, from, end - to);
  row[at + size] = (row[at + size] as number) - (to - from);
}

/**
 * The index of the oldest entry later than `after`, or the log's end.
 *
 * @param most the usual maximum of units after `after`. Each entry is at least one unit, so the search can begin that
 *   many entries before the end.
 */
export function firstAfter(row: Float64Array, at: number, end: number, after: number, most: number): number {
  const start = at + first;
  let low = end - most * 2;
  if (low < start || (row[low - 2] as number) > after) low = start;
  // The answer is usually the oldest entry, the end, or one of the last few entries: look there before searching.
  if (low === end || (row[low] as number) > after) return low;
  if ((row[end - 2] as number) <= after) return end;
  let high = end - 2;
  const near = end - 2 * fewEntries;
  while (high > near && high - low > 2) {
    if ((row[high - 2] as number) <= after) return high;
    high -= 2;
  }
  while (high - low > 2) {
    const middle = low + (((high - low) >> 2) << 1);
    if ((row[middle] as number) > after) high = middle;
    else low = middle;
  }
  return high;
}

/** The newest entry before which fewer than `units` had been spent, or -1. */
function newestBefore(row: Float64Array, at: number, end: number, units: number): number {
  if ((row[at + base] as number) >= units) return -1;
  const start = at + first;
  // If every entry is one unit, as usual, this is the answer. With heavier entries the answer is later.
  let low = end - 2 * ((row[end - 1] as number) - units + 1);
  if (low < start) low = start;
  let high = end;
  if (high - low > 2 && (row[low + 1] as number) >= units) return low;
  while (high - low > 2) {
    const middle = low + (((high - low) >> 2) << 1);
    if ((row[middle - 1] as number) < units) low = middle;
    else high = middle;
  }
  return low;
}
