/** Computes the months of an allowance, in one time zone. */
export interface Months {
  /** Returns the month, such as `2026-11`, which sorts by time */
  at(nowMs: number): string;
  /** Returns the first moment of the next month, in milliseconds, even if midnight is skipped or occurs twice. */
  nextAfter(nowMs: number): number;
  /** Returns the day, such as `2026-12-01`. */
  dayOf(ms: number): string;
}

const HOUR_MS = 3_600_000;
/** The maximum offset of a time zone from UTC. */
const FURTHEST_MS = 16 * HOUR_MS;

/** @throws {RangeError} for an unknown time zone */
export function monthsIn(timeZone: string): Months {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    calendar: "iso8601",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });

  function read(ms: number) {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const { year = "", month = "", day = "", hour = "", minute = "", second = "" } = parts;
    return { year: year.padStart(4, "0"), month, day, hour, minute, second };
  }

  /** Returns the zone's offset from UTC. */
  function offsetAt(ms: number): number {
    const { year, month, day, hour, minute, second } = read(ms);
    const local = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second);
    return local - Math.floor(ms / 1_000) * 1_000;
  }

  function at(ms: number): string {
    const { year, month } = read(ms);
    return `${year}-${month}`;
  }

  return {
    at,
    nextAfter(nowMs) {
      const { year, month } = read(nowMs);
      const midnight = Date.UTC(+year, +month, 1);
      // Clocks may change that night. Of the two offsets around the change, use the first with which the month has
      // begun.
      const next = at(midnight + 2 * FURTHEST_MS);
      const [first = midnight] = [midnight - FURTHEST_MS, midnight + FURTHEST_MS]
        .map((around) => midnight - offsetAt(around))
        .filter((begin) => at(begin) === next)
        .sort((one, other) => one - other);
      return first;
    },
    dayOf(ms) {
      const { year, month, day } = read(ms);
      return `${year}-${month}-${day}`;
    },
  };
}
