import { HeadgateError } from "./errors.ts";
import { show } from "./show.ts";

/** The calendar units that a fixed window can follow. */
export const calendarNames = ["day", "week", "month", "year"] as const;
export type Calendar = (typeof calendarNames)[number];

/** A window of the calendar: from `start` up to, not including, `end`; ms since 1970-01-01T00:00Z. */
export interface CalendarWindow {
  readonly start: number;
  readonly end: number;
}

/**
 * The calendar window around a moment, in a time zone: days from local midnight to local midnight, weeks from Monday. A
 * day on which clocks change is 23 or 25 hours long.
 */
export function calendarWindow(calendar: Calendar, timeZone: string, now: number): CalendarWindow {
  const { year, month, day } = localDate(timeZone, now);
  const midnight = (y: number, m: number, d: number) => localMidnight(timeZone, y, m, d);
  switch (calendar) {
    case "day":
      return { start: midnight(year, month, day), end: midnight(year, month, day + 1) };
    case "week": {
      const sinceMonday = (new Date(Date.UTC(year, month, day)).getUTCDay() + 6) % 7;
      const monday = day - sinceMonday;
      return { start: midnight(year, month, monday), end: midnight(year, month, monday + 7) };
    }
    case "month":
      return { start: midnight(year, month, 1), end: midnight(year, month + 1, 1) };
    case "year":
      return { start: midnight(year, 0, 1), end: midnight(year + 1, 0, 1) };
  }
}

/** @throws HeadgateError `limit-invalid` if this runtime does not know the time zone. */
export function checkTimeZone(timeZone: string): void {
  try {
    formatOf(timeZone);
  } catch {
    throw new HeadgateError(
      "limit-invalid",
      `Invalid limit: timeZone must be a name such as Europe/London or UTC, got ${show(timeZone)}.`,
    );
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(timeZone, format);
  }
  return format;
}

function localDate(timeZone: string, now: number): { year: number; month: number; day: number } {
  const local = new Date(now + offsetAt(timeZone, now));
  return { year: local.getUTCFullYear(), month: local.getUTCMonth(), day: local.getUTCDate() };
}

/** Returns how far local time is ahead of UTC at this moment, ms. */
function offsetAt(timeZone: string, now: number): number {
  if (timeZone === "UTC") return 0;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(now)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(now / 1000) * 1000;
}

/**
 * The first moment of a local day. If clocks go forward at midnight, it is the moment of the change. If they go back,
 * it is the earlier of the two midnights.
 */
function localMidnight(timeZone: string, year: number, month: number, day: number): number {
  const wall = Date.UTC(year, month, day);
  if (timeZone === "UTC") return wall;
  const before = wall - offsetAt(timeZone, wall - 24 * 3_600_000);
  const after = wall - offsetAt(timeZone, wall + 24 * 3_600_000);
  const candidates = [Math.min(before, after), Math.max(before, after)];
  for (const candidate of candidates) {
    if (candidate + offsetAt(timeZone, candidate) >= wall) return firstOfDay(timeZone, candidate, wall);
  }
  return candidates[1] as number;
}

/** If the candidate is past a gap, step back to the moment of the change. */
function firstOfDay(timeZone: string, candidate: number, wall: number): number {
  let late = candidate;
  if (late + offsetAt(timeZone, late) === wall) return late;
  let early = late - 4 * 3_600_000;
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (middle + offsetAt(timeZone, middle) >= wall) late = middle;
    else early = middle;
  }
  return late;
}
