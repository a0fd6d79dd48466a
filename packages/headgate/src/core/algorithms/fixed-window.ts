import { calendarWindow } from "../calendar.ts";
import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/** What was spent in the window from `start` to `end`. */
export interface WindowCount {
  start: number;
  end: number;
  count: number;
}

/**
 * A quota a window with edges: steps of the window's length from 1970-01-01T00:00Z, days, weeks, months or years of
 * the calendar in a time zone, or a window that begins with its first spending.
 *
 * Error: the end of one window and the beginning of the next may hold up to `2 * quota` units within one window's
 * length. Choose it for quotas that people know by the calendar; `sliding-window` has no such edge.
 */
export const fixedWindow: Algorithm<WindowCount> = {
  blank: () => ({ start: 0, end: 0, count: 0 }),

  waitMs(window, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0 || countAt(window, now) + need <= limit.quota) return 0;
    return window.end - now;
  },

  remaining(window, limit, now) {
    return Math.max(0, limit.quota - countAt(window, now));
  },

  resetMs(window, _limit, now) {
    return countAt(window, now) === 0 ? 0 : window.end - now;
  },

  charge(window, limits, now, amount) {
    const count = countAt(window, now);
    if (count === 0) {
      // A window of which nothing was spent is none: the one around `now` takes its place.
      const { start, end } = windowAround(only(limits), now);
      window.start = start;
      window.end = end;
    }
    window.count = count + amount;
    return window.start;
  },

  /** The mark is the window that was charged: once it is over there is nothing left to give back. */
  refund(window, _limits, _now, amount, _chargedAt, mark) {
    if (window.start === mark) window.count = Math.max(0, window.count - amount);
  },

  blankAt: (window) => (window.count === 0 ? 0 : window.end),

  copy: (window) => ({ ...window }),
};

/** A state from a window yet to come stays in force: a clock that ran ahead must not give a quota twice. */
function countAt(window: WindowCount, now: number): number {
  return now < window.end ? window.count : 0;
}

/** The window that a spending at `now` would fall into, were it the first. */
export function windowAround(limit: Limit, now: number): { readonly start: number; readonly end: number } {
  if (limit.from === "first-use") return { start: now, end: now + limit.windowMs };
  if (limit.calendar !== undefined) return calendarWindow(limit.calendar, limit.timeZone ?? "UTC", now);
  const start = Math.floor(now / limit.windowMs) * limit.windowMs;
  return { start, end: start + limit.windowMs };
}

function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
