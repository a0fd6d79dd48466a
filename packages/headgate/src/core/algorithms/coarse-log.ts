import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";
import { cut, endOf, first, firstAfter, keptMs, slidingWindow, spentFrom } from "./sliding-window.ts";

/**
 * The number of buckets in a window. All stores use it, and stored values depend on it. With fewer than 200 buckets,
 * units would leave more than 0.5% of a window late. With more than 247, two versions of a PostgreSQL row would not fit
 * into one page, and each update would cost 50% more.
 */
export const bucketsAWindow = 240;
/** A window covers at most this many buckets, because it may begin in the middle of a bucket. */
export const mostEntries = bucketsAWindow + 1;

/** The length of a bucket in whole milliseconds. Buckets begin at multiples of this length. */
export function bucketMs(windowMs: number): number {
  return Math.ceil(windowMs / bucketsAWindow);
}

/**
 * A sliding window whose log is short at any quota. The state has the format of `sliding-window`, but all spending in
 * one 240th of the window shares one entry, stamped with the newest spending in it. Limits share a log only if they
 * have the same window.
 *
 * Error: units may leave up to a 240th of the window late, and never early. No window ever holds more than the quota,
 * and a caller who keeps asking is admitted at most 0.5% less often than by an exact log. Waits are exact.
 */
export const coarseLog: Algorithm = {
  length: slidingWindow.length,
  growth: slidingWindow.growth,
  waitMs: slidingWindow.waitMs,
  // No `readSpent`: a charge may move the stamp of the only entry, which invalidates an earlier `read`.
  read: slidingWindow.read,
  tidy: (row, at, now) => slidingWindow.tidy?.(row, at, now),
  condensed: slidingWindow.condensed as NonNullable<Algorithm["condensed"]>,
  blankAt: slidingWindow.blankAt,
  // A log covers only its own window: to reach further back it would need more entries.
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
   * The charge is in the first entry whose stamp is not before `chargedAt`, because an entry has the newest stamp of
   * its bucket. The rest of the entry keeps that stamp, even if it was the stamp of the refunded charge.
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
