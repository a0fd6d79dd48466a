import { day, type Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/** What was spent in the window that began at `start`. */
export interface WindowCount {
  start: number;
  count: number;
}

/**
 * A quota a calendar window: minutes, hours and days of UTC, weeks from Monday, months and years of the calendar;
 * any other length is counted in steps from 1970-01-01T00:00Z.
 *
 * Error: the end of one window and the beginning of the next may hold up to `2 * quota` units within one window's
 * length. Choose it for quotas that people know by the calendar; `sliding-window` has no such edge.
 */
export const fixedWindow: Algorithm<WindowCount> = {
  blank: () => ({ start: 0, count: 0 }),

  waitMs(window, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    const start = startOf(limit, now);
    return countAt(window, start) + need <= limit.quota ? 0 : endOf(limit, current(window, start)) - now;
  },

  remaining(window, limit, now) {
    return Math.max(0, limit.quota - countAt(window, startOf(limit, now)));
  },

  resetMs(window, limit, now) {
    const start = startOf(limit, now);
    return countAt(window, start) === 0 ? 0 : endOf(limit, current(window, start)) - now;
  },

  charge(window, limits, now, amount) {
    const start = startOf(only(limits), now);
    const count = countAt(window, start);
    window.start = current(window, start);
    window.count = count + amount;
    return window.start;
  },

  /** The mark is the window that was charged: once it is over there is nothing left to give back. */
  refund(window, _limits, _now, amount, _chargedAt, mark) {
    if (window.start === mark) window.count = Math.max(0, window.count - amount);
  },

  blankAt(window, limits) {
    return window.count === 0 ? 0 : endOf(only(limits), window.start);
  },

  copy: (window) => ({ ...window }),
};

/** A state from a window yet to come stays in force: a clock that ran ahead must not give a quota twice. */
function countAt(window: WindowCount, start: number): number {
  return window.start >= start ? window.count : 0;
}

function current(window: WindowCount, start: number): number {
  return Math.max(window.start, start);
}

const week = 7 * day;
/** 1970-01-01 was a Thursday: the Monday of that week lies three days before. */
const firstMonday = -3 * day;

function startOf(limit: Limit, now: number): number {
  if (limit.calendar !== undefined) {
    const date = new Date(now);
    return Date.UTC(date.getUTCFullYear(), limit.calendar === "year" ? 0 : date.getUTCMonth());
  }
  const origin = limit.windowMs === week ? firstMonday : 0;
  return Math.floor((now - origin) / limit.windowMs) * limit.windowMs + origin;
}

function endOf(limit: Limit, start: number): number {
  if (limit.calendar === undefined) return start + limit.windowMs;
  const date = new Date(start);
  const months = limit.calendar === "year" ? 12 : 1;
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months);
}

function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
