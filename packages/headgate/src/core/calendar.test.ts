import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calendarNames, calendarWindow } from "./calendar.ts";

const iso = (window: { start: number; end: number }) => [
  new Date(window.start).toISOString(),
  new Date(window.end).toISOString(),
];

describe("calendarWindow", () => {
  it.each([
    ["day", "UTC", "2026-11-24T12:00Z", "2026-11-24T00:00:00.000Z", "2026-11-25T00:00:00.000Z"],
    ["week", "UTC", "2026-11-24T12:00Z", "2026-11-23T00:00:00.000Z", "2026-11-30T00:00:00.000Z"],
    ["week", "UTC", "2026-11-29T23:59Z", "2026-11-23T00:00:00.000Z", "2026-11-30T00:00:00.000Z"],
    ["month", "UTC", "2028-02-29T12:00Z", "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"],
    ["year", "UTC", "2026-12-31T23:59Z", "2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
    // Clocks go forward on the 29th: the day has 23 hours.
    ["day", "Europe/London", "2026-03-29T12:00Z", "2026-03-29T00:00:00.000Z", "2026-03-29T23:00:00.000Z"],
    ["day", "Europe/London", "2026-10-25T12:00Z", "2026-10-24T23:00:00.000Z", "2026-10-26T00:00:00.000Z"],
    [
      "month",
      "America/New_York",
      "2026-03-01T04:59Z",
      "2026-02-01T05:00:00.000Z",
      "2026-03-01T05:00:00.000Z",
    ],
    ["day", "Asia/Kolkata", "2026-11-24T18:31Z", "2026-11-24T18:30:00.000Z", "2026-11-25T18:30:00.000Z"],
    // Chile moves its clocks forward at midnight: 2026-09-06 begins at one o'clock.
    ["day", "America/Santiago", "2026-09-06T12:00Z", "2026-09-06T04:00:00.000Z", "2026-09-07T03:00:00.000Z"],
    // Chile moves its clocks back at midnight: the hour before midnight happens twice, and the day ends after the
    // second time.
    ["day", "America/Santiago", "2026-04-04T12:00Z", "2026-04-04T03:00:00.000Z", "2026-04-05T04:00:00.000Z"],
  ] as const)("returns the %s in %s around %s", (calendar, timeZone, at, start, end) => {
    expect(iso(calendarWindow(calendar, timeZone, Date.parse(at)))).toEqual([start, end]);
  });

  it("covers time without gaps or overlaps, in every zone", () => {
    const zones = fc.constantFrom(
      ...[
        "UTC",
        "Europe/London",
        "America/Santiago",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
      ],
    );
    const moments = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2040, 0, 1) });
    fc.assert(
      fc.property(fc.constantFrom(...calendarNames), zones, moments, (calendar, zone, now) => {
        const window = calendarWindow(calendar, zone, now);
        expect(window.start).toBeLessThanOrEqual(now);
        expect(window.end).toBeGreaterThan(now);
        expect(calendarWindow(calendar, zone, window.start)).toEqual(window);
        expect(calendarWindow(calendar, zone, window.end - 1)).toEqual(window);
        expect(calendarWindow(calendar, zone, window.end).start).toBe(window.end);
      }),
      { numRuns: 500 },
    );
  });
});
