import { calendarWindow } from "../calendar.ts";
import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/** The state: the window, and what was spent in it. */
const start = 0;
const end = 1;
const count = 2;

/**
 * A quota per window with fixed edges. Windows are steps of the window's length since 1970-01-01T00:00Z, or calendar
 * days, weeks, months or years in a time zone, or begin with their first spending.
 *
 * Error: the end of one window and the beginning of the next may hold up to `2 * quota` units within one window's
 * length. Choose this algorithm for quotas that follow the calendar. `sliding-window` has no such edge.
 */
export const fixedWindow: Algorithm = {
  length: () => 3,
  growth: 0,

  waitMs(row, at, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0 || countAt(row, at, now) + need <= limit.quota) return 0;
    return (row[at + end] as number) - now;
  },

  read(row, at, limit, now, into, place) {
    const spent = countAt(row, at, now);
    into[place] = Math.max(0, limit.quota - spent);
    into[place + 1] = spent === 0 ? 0 : (row[at + end] as number) - now;
  },

  charge(row, at, limits, now, amount) {
    const before = countAt(row, at, now);
    if (before === 0) {
      // Nothing has been spent in the stored window, so the window around `now` replaces it.
      const window = windowAround(only(limits), now);
      row[at + start] = window.start;
      row[at + end] = window.end;
    }
    row[at + count] = before + amount;
    return row[at + start] as number;
  },

  /** The mark is the start of the charged window: once that window is over, there is nothing left to give back. */
  refund(row, at, _limits, _now, amount, _chargedAt, mark) {
    if (row[at + start] === mark) row[at + count] = Math.max(0, (row[at + count] as number) - amount);
  },

  countsAfter(limits, now) {
    const limit = only(limits);
    return limit.from === "first-use" ? now - limit.windowMs : windowAround(limit, now).start - 1;
  },

  /** The state does not know when in the window the units were spent, so all of them count. */
  spentAfter: (row, at, _limits, now) => countAt(row, at, now),

  blankAt: (row, at) => (row[at + count] === 0 ? 0 : (row[at + end] as number)),
};

/** A state from a future window still counts: a clock that ran ahead must not grant a quota twice. */
function countAt(row: Float64Array, at: number, now: number): number {
  return now < (row[at + end] as number) ? (row[at + count] as number) : 0;
}

/** The window that a first spending at `now` would open. */
export function windowAround(limit: Limit, now: number): { readonly start: number; readonly end: number } {
  if (limit.from === "first-use") return { start: now, end: now + limit.windowMs };
  if (limit.calendar !== undefined) return calendarWindow(limit.calendar, limit.timeZone ?? "UTC", now);
  const start = Math.floor(now / limit.windowMs) * limit.windowMs;
  return { start, end: start + limit.windowMs };
}

function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
