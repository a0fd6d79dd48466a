import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { monthsIn } from "./allowance-month.ts";

const iso = (ms: number) => new Date(ms).toISOString();
const nextIn = (zone: string, now: string) => iso(monthsIn(zone).nextAfter(Date.parse(now)));

describe("the months of a time zone", () => {
  it.each([
    ["UTC", "2026-11-10T09:00:00Z", "2026-12-01T00:00:00.000Z"],
    ["UTC", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"],
    // Summer time begins on 29 March 2026 and ends on 25 October 2026.
    ["Europe/London", "2026-03-28T12:00:00Z", "2026-03-31T23:00:00.000Z"],
    ["Europe/London", "2026-10-24T12:00:00Z", "2026-11-01T00:00:00.000Z"],
    ["Europe/London", "2026-06-30T22:59:59.999Z", "2026-06-30T23:00:00.000Z"],
    ["Europe/London", "2026-06-30T23:00:00Z", "2026-07-31T23:00:00.000Z"],
    ["America/New_York", "2026-11-01T03:59:59Z", "2026-11-01T04:00:00.000Z"],
    ["America/New_York", "2026-11-01T05:30:00Z", "2026-12-01T05:00:00.000Z"],
    ["Asia/Kolkata", "2026-11-10T00:00:00Z", "2026-11-30T18:30:00.000Z"],
    ["Pacific/Kiritimati", "2026-11-10T00:00:00Z", "2026-11-30T10:00:00.000Z"],
    ["Etc/GMT+12", "2026-11-10T00:00:00Z", "2026-12-01T12:00:00.000Z"],
    // Cuba's clocks went back from 1:00 to 0:00 on 1 November 2026: the month begins with the first of the two
    // midnights.
    ["America/Havana", "2026-10-31T12:00:00Z", "2026-11-01T04:00:00.000Z"],
    // Paraguay's clocks went from 0:00 to 1:00 on 1 October 2017: the month begins at one o'clock.
    ["America/Asuncion", "2017-09-30T12:00:00Z", "2017-10-01T04:00:00.000Z"],
    // Argentina's clocks went back from 0:00 to 23:00 on 1 March 1992: the month begins with the second midnight.
    ["America/Argentina/Buenos_Aires", "1992-02-29T12:00:00Z", "1992-03-01T03:00:00.000Z"],
  ])("in %s, the month after %s begins at %s", (zone, now, next) => {
    expect(nextIn(zone, now)).toBe(next);
  });

  it("in London's summer, a month lasts until midnight local time", () => {
    const { at, dayOf } = monthsIn("Europe/London");
    const begin = Date.parse("2026-06-30T23:00:00Z");
    expect([at(begin - 1), at(begin)]).toEqual(["2026-06", "2026-07"]);
    expect([dayOf(begin - 1), dayOf(begin)]).toEqual(["2026-06-30", "2026-07-01"]);
  });

  it("the moment before the next month is in this month, in every zone at any time", () => {
    const zones = [
      "UTC",
      "Europe/London",
      "America/Havana",
      "America/St_Johns",
      "Asia/Kathmandu",
      "Pacific/Apia",
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2034, 0, 1) }),
        (zone, now) => {
          const { at, nextAfter } = monthsIn(zone);
          const next = nextAfter(now);
          expect(next).toBeGreaterThan(now);
          expect(at(next - 1)).toBe(at(now));
          expect(at(next) > at(now)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("an unknown time zone throws an error", () => {
    expect(() => monthsIn("Europe/Londn")).toThrow(RangeError);
  });
});
