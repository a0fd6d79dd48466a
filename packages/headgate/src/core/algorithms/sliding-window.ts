import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/**
 * What was spent, oldest first: `[stamp, total, stamp, total, …]`, where `total` counts all units ever spent up to
 * and including that stamp. Running totals let one look-up answer "how much since?" and "which spending has to leave
 * the window?", however heavy each was. Limits over the same unit share one log, whatever their windows.
 */
export interface SlidingLog {
  entries: number[];
  /** Index in `entries` of the oldest one that may still count; what lies before it is dead. */
  head: number;
  /** The running total before `head`. */
  base: number;
}

/**
 * "No more than `quota` units in any window": exact, without error, at every edge.
 *
 * A unit spent at `s` counts in the interval `(t - window, t]` and is free again at `s + window` to the millisecond.
 * Spending of one millisecond shares an entry. The log holds at most one entry a unit of the widest limit's quota.
 */
export const slidingWindow: Algorithm<SlidingLog> = {
  blank: () => ({ entries: [], head: 0, base: 0 }),

  waitMs(log, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    const { entries, head } = log;
    if (entries.length === head || need === 0) return 0;
    // The newest entry that must have left before `need` units fit.
    const mustLeave = newestBefore(log, total(log) - limit.quota + need);
    if (mustLeave < 0) return 0;
    return Math.max(0, at(entries, mustLeave) + limit.windowMs - now);
  },

  remaining(log, limit, now) {
    return Math.max(0, limit.quota - spentSince(log, now - limit.windowMs));
  },

  resetMs(log, limit, now) {
    const first = firstAfter(log, now - limit.windowMs);
    if (first === log.entries.length) return 0;
    const spent = total(log) - totalBefore(log, first);
    if (spent <= limit.quota) return at(log.entries, first) + limit.windowMs - now;
    // In debt: nothing is free before the debt itself has left the window.
    return slidingWindow.waitMs(log, limit, now, 1);
  },

  charge(log, limits, now, amount) {
    if (amount === 0) return 0;
    prune(log, now - widestWindowMs(limits));
    const { entries, head } = log;
    const end = entries.length;
    if (end > head && at(entries, end - 2) >= now) {
      entries[end - 1] = at(entries, end - 1) + amount;
      return 0;
    }
    entries.push(now, total(log) + amount);
    return 0;
  },

  refund(log, _limits, _now, amount, chargedAt) {
    const index = firstAfter(log, chargedAt - 1);
    const { entries } = log;
    if (index === entries.length || at(entries, index) !== chargedAt) return;
    const weight = at(entries, index + 1) - totalBefore(log, index);
    const given = Math.min(amount, weight);
    for (let i = index + 1; i < entries.length; i += 2) entries[i] = at(entries, i) - given;
    if (given === weight) entries.splice(index, 2);
  },

  blankAt(log, limits) {
    const { entries, head } = log;
    if (entries.length === head) return 0;
    return at(entries, entries.length - 2) + widestWindowMs(limits);
  },

  copy: (log) => ({ entries: log.entries.slice(log.head), head: 0, base: log.base }),
};

function at(entries: readonly number[], index: number): number {
  return entries[index] as number;
}

function total(log: SlidingLog): number {
  const { entries, head, base } = log;
  return entries.length === head ? base : at(entries, entries.length - 1);
}

function totalBefore(log: SlidingLog, index: number): number {
  return index === log.head ? log.base : at(log.entries, index - 1);
}

function spentSince(log: SlidingLog, after: number): number {
  return total(log) - totalBefore(log, firstAfter(log, after));
}

function widestWindowMs(limits: readonly Limit[]): number {
  let widest = 0;
  for (const limit of limits) if (limit.windowMs > widest) widest = limit.windowMs;
  return widest;
}

/** Index of the oldest entry later than `after`, or the log's end. */
function firstAfter(log: SlidingLog, after: number): number {
  const { entries, head } = log;
  // The oldest entry is usually the answer, and so is the end: look there before searching.
  if (entries.length === head || at(entries, head) > after) return head;
  if (at(entries, entries.length - 2) <= after) return entries.length;
  let low = head / 2;
  let high = entries.length / 2 - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at(entries, middle * 2) > after) high = middle;
    else low = middle;
  }
  return high * 2;
}

/** Index of the newest entry before which fewer than `units` had been spent, or -1. */
function newestBefore(log: SlidingLog, units: number): number {
  const { entries, head, base } = log;
  if (base >= units) return -1;
  let low = head / 2;
  let high = entries.length / 2;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at(entries, middle * 2 - 1) < units) low = middle;
    else high = middle;
  }
  return low * 2;
}

/** Forgets what left even the widest window; moves the rest down once the dead part is the larger. */
function prune(log: SlidingLog, after: number): void {
  const { entries } = log;
  while (log.head < entries.length && at(entries, log.head) <= after) {
    log.base = at(entries, log.head + 1);
    log.head += 2;
  }
  if (log.head > 16 && log.head * 2 > entries.length) {
    entries.splice(0, log.head);
    log.head = 0;
  } else if (log.head === entries.length) {
    entries.length = 0;
    log.head = 0;
  }
}
