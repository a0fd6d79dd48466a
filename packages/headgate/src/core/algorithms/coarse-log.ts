import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";
import { cut, endOf, first, firstAfter, keptMs, slidingWindow, spentFrom } from "./sliding-window.ts";

/**
 * The number of buckets of a window. All stores use it; under another number, stored values would mean something else.
 * Fewer than 200 would keep more than 0.5% of a window too long. With more than 247, two versions of a PostgreSQL row
 * would no longer fit into one page, and each update would cost half as much again.
 */
export const bucketsAWindow = 240;
/** A window covers at most this many buckets, as it may begin within one. */
export const mostEntries = bucketsAWindow + 1;

/** How long a bucket is, in whole milliseconds. Buckets begin at multiples of it. */
export function bucketMs(windowMs: number): number {
  return Math.ceil(windowMs / bucketsAWindow);
}

/**
 * A sliding window whose log is short at any quota. The state is that of `sliding-window`, but what is spent in one
 * 240th of the window shares one entry, whose stamp is that of the newest spending in it. Limits share a log only where
 * they have the same window.
 *
 * Error: units may leave up to a 240th of the window late, and never early. No window ever holds more than the quota,
 * and a caller who keeps asking is admitted at most 0.5% less often than by an exact log. Waits are exact.
 */
export const coarseLog: Algorithm = {
  length: slidingWindow.length,
  growth: slidingWindow.growth,
  waitMs: slidingWindow.waitMs,
  // Without `readSpent`: a charge may move the stamp of the only entry, and then what it read before is no longer so.
  read: slidingWindow.read,
  tidy: (row, at, now) => slidingWindow.tidy?.(row, at, now),
  blankAt: slidingWindow.blankAt,
  // It knows its own window, and no more: to reach further back it would need more entries.
  countsAfter: (limits, now) => now - only(limits).windowMs,
  spentAfter: (row, at, limits, now, after) =>
    slidingWindow.spentAfter?.(row, at, limits, now, Math.max(after, now - (row[at + keptMs] as number))) ??
    0,

  charge(row, at, limits, now, amount) {
    if (amount === 0) return 0;
    const { windowMs } = only(limits);
    row[at + keptMs] = windowMs;
    let end = endOf(row, at);
    if (end > at + first) {
      const newest = row[end - 2] as number;
      if (newest >= now || areTogether(newest, now, windowMs)) {
        row[end - 2] = Math.max(newest, now);
        row[end - 1] = (row[end - 1] as number) + amount;
        return 0;
      }
      if (end - at - first >= 2 * mostEntries) {
        slidingWindow.tidy?.(row, at, now);
        end = endOf(row, at);
      }
    }
    const total = row[end - 1] as number;
    row[end] = now;
    row[end + 1] = total + amount;
    row[at] = end + 2 - at - first;
    return 0;
  },

  /**
   * The entry is that of the first stamp from then on, as entries have the newest of their bucket. What is left in it
   * keeps its stamp, which may be that of what is given back.
   */
  refund(row, at, limits, _now, amount, chargedAt) {
    const { windowMs } = only(limits);
    const end = endOf(row, at);
    const index = firstAfter(row, at, end, chargedAt - 1, mostEntries);
    if (index === end || !areTogether(row[index] as number, chargedAt, windowMs)) return;
    const weight = spentFrom(row, index, index + 2);
    const given = Math.min(amount, weight);
    for (let i = index + 1; i < end; i += 2) row[i] = (row[i] as number) - given;
    if (given === weight) cut(row, at, index, index + 2, end);
  },
};

/** Whether two moments fall into one bucket. */
function areTogether(one: number, other: number, windowMs: number): boolean {
  const length = bucketMs(windowMs);
  return Math.floor(one / length) === Math.floor(other / length);
}

/** All limits of one log have the same window. */
function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
