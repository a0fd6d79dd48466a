/** The months of an allowance, by the calendar of one time zone. */
export interface Months {
  /** @returns such as `2026-11`: these sort as time does */
  at(nowMs: number): string;
  /** When the next month begins: its first moment, also where midnight is skipped or comes twice. In milliseconds. */
  nextAfter(nowMs: number): number;
  /** @returns the day, such as `2026-12-01` */
  dayOf(ms: number): string;
}

const HOUR_MS = 3_600_000;
/** No zone is further from UTC. */
const FURTHEST_MS = 16 * HOUR_MS;

/** @throws {RangeError} for a name that is no time zone */
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

  /** How far the zone's clocks are ahead of UTC. */
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
      // Clocks may change on that very night: of the two offsets around it, the first by which the month has begun.
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
