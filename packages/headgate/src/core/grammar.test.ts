import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeadgateError } from "./errors.ts";
import { parseLimits } from "./grammar.ts";
import {
  algorithmNames,
  blocked,
  day,
  defineLimit,
  formatLimit,
  hour,
  longestWindowMs,
  minute,
  unlimited,
} from "./limit.ts";

describe("a unit that looks like a built-in unit", () => {
  it.each([
    ["2 requsts/minute", "requests"],
    ["2 reqests per minute", "requests"],
    ["5 request-s/minute", "requests"],
    ["1000 tokns/day", "tokens"],
    ["1000 TOEKNS/day", "tokens"],
    ["2 concurent/minute", "concurrent"],
    ["2 concurrents/minute", "concurrent"],
  ])("is refused as a probable misspelling: %s", (text, meant) => {
    expect(() => parseLimits(text)).toThrow(`"${meant}", or a unit name that is less like it`);
  });

  it.each([
    "5 points/minute",
    "3 euros/day",
    "10 images/day",
    "100 words/day",
    "7 input-tokens/day",
    "9 messages/day",
  ])("is accepted if it differs enough: %s", (text) => {
    expect(parseLimits(text)).toHaveLength(1);
  });

  it("is refused in an object too", () => {
    expect(() => defineLimit({ quota: 2, windowMs: minute, unit: "requets" })).toThrow(
      'unit "requets" is probably a misspelling of "requests"',
    );
  });
});

describe("parseLimits", () => {
  const sliding = { unit: "requests", algorithm: "sliding-window" };
  const fixed = { unit: "requests", algorithm: "fixed-window" };
  it.each([
    ["5/minute", [{ quota: 5, windowMs: minute, ...sliding }]],
    ["5 per minute", [{ quota: 5, windowMs: minute, ...sliding }]],
    ["  5 / MINUTE  ", [{ quota: 5, windowMs: minute, ...sliding }]],
    ["5 requests per minute", [{ quota: 5, windowMs: minute, ...sliding }]],
    ["1 request/min", [{ quota: 1, windowMs: minute, ...sliding }]],
    ["10/30 seconds", [{ quota: 10, windowMs: 30_000, ...sliding }]],
    ["10/30s", [{ quota: 10, windowMs: 30_000, ...sliding }]],
    ["3/250ms", [{ quota: 3, windowMs: 250, ...sliding }]],
    ["1_000_000/day", [{ quota: 1_000_000, windowMs: day, ...sliding }]],
    ["100000 tokens/day", [{ quota: 100_000, windowMs: day, unit: "tokens", algorithm: "token-bucket" }]],
    ["1 token/day", [{ quota: 1, windowMs: day, unit: "tokens", algorithm: "token-bucket" }]],
    ["200/day fixed-window", [{ quota: 200, windowMs: day, ...fixed, calendar: "day" }]],
    ["200/2 days fixed-window", [{ quota: 200, windowMs: 2 * day, ...fixed }]],
    ["200/hour fixed-window from first-use", [{ quota: 200, windowMs: hour, ...fixed, from: "first-use" }]],
    [
      "200/week fixed-window in Europe/London; 5/s",
      [
        { quota: 200, windowMs: 7 * day, ...fixed, calendar: "week", timeZone: "Europe/London" },
        { quota: 5, windowMs: 1000, ...sliding },
      ],
    ],
    ["2 concurrent", [{ quota: 2, windowMs: 30_000, unit: "concurrent", algorithm: "concurrent" }]],
    ["2 concurrent per 10 s", [{ quota: 2, windowMs: 10_000, unit: "concurrent", algorithm: "concurrent" }]],
    [
      "1000000/day sliding-counter",
      [{ quota: 1e6, windowMs: day, unit: "requests", algorithm: "sliding-counter" }],
    ],
    ["1001/day sliding-window exact", [{ quota: 1001, windowMs: day, ...sliding, exact: true }]],
    ["1001/day sliding-window", [{ quota: 1001, windowMs: day, ...sliding }]],
    // Up to 1,000 every sliding window is exact.
    ["1000/day sliding-window exact", [{ quota: 1000, windowMs: day, ...sliding }]],
    [
      "90000 tokens/day sliding-window EXACT; 5/minute",
      [
        { quota: 90_000, windowMs: day, unit: "tokens", algorithm: "sliding-window", exact: true },
        { quota: 5, windowMs: minute, ...sliding },
      ],
    ],
    ["9/week", [{ quota: 9, windowMs: 7 * day, ...sliding }]],
    ["9/month", [{ quota: 9, windowMs: 30 * day, ...sliding }]],
    [
      "9/month fixed-window",
      [{ quota: 9, windowMs: 30 * day, unit: "requests", algorithm: "fixed-window", calendar: "month" }],
    ],
    [
      "9/year fixed-window",
      [{ quota: 9, windowMs: 365 * day, unit: "requests", algorithm: "fixed-window", calendar: "year" }],
    ],
    [
      "5/minute; 60/hour",
      [
        { quota: 5, windowMs: minute, ...sliding },
        { quota: 60, windowMs: hour, ...sliding },
      ],
    ],
    [
      "5/minute, 60/hour,",
      [
        { quota: 5, windowMs: minute, ...sliding },
        { quota: 60, windowMs: hour, ...sliding },
      ],
    ],
    [
      "5/minute|60/hour token-bucket",
      [
        { quota: 5, windowMs: minute, ...sliding },
        { quota: 60, windowMs: hour, unit: "requests", algorithm: "token-bucket" },
      ],
    ],
  ])("reads %j", (text, limits) => {
    expect(parseLimits(text)).toEqual(limits);
  });

  it.each([
    ["banana", 'Cannot read the limit "banana" at "banana" (character 1): expected a quota, as in 5/minute.'],
    ["", 'Cannot read the limit "" at its end: expected a quota, as in 5/minute.'],
    ["5", 'Cannot read the limit "5" at its end: expected "/" or "per" and a window, as in 5/minute.'],
    [
      "5/",
      'Cannot read the limit "5/" at its end: expected a window: ms, second, minute, hour, day, week, month or year.',
    ],
    [
      "5/fortnight",
      'Cannot read the limit "5/fortnight" at "fortnight" (character 3): expected a window: ms, second, minute, hour, day, week, month or year.',
    ],
    [
      "5/m",
      'Cannot read the limit "5/m" at "m" (character 3): expected "min" or "month": "m" could mean either.',
    ],
    [
      "0/minute",
      'Cannot read the limit "0/minute" at "0/minute" (character 1): expected a quota of 1 or more.',
    ],
    [
      "5/0 minutes",
      'Cannot read the limit "5/0 minutes" at "0" (character 3): expected a window of 1 or more.',
    ],
    [
      "-5/minute",
      'Cannot read the limit "-5/minute" at "-5/minute" (character 1): expected a quota, as in 5/minute.',
    ],
    [
      "1.5/minute",
      'Cannot read the limit "1.5/minute" at "1.5/minute" (character 1): expected a whole number.',
    ],
    [
      "1e3/minute",
      'Cannot read the limit "1e3/minute" at "1e3/minute" (character 1): expected a whole number, with a space before its unit, as in "5000 tokens/day".',
    ],
    [
      "5k/minute",
      'Cannot read the limit "5k/minute" at "5k/minute" (character 1): expected a whole number, with a space before its unit, as in "5000 tokens/day".',
    ],
    [
      "5/minute 60/hour",
      'Cannot read the limit "5/minute 60/hour" at "60/hour" (character 10): expected ";" before the next limit, or an algorithm: sliding-window, token-bucket, fixed-window, sliding-counter, concurrent.',
    ],
    [
      "5/minute leaky",
      'Cannot read the limit "5/minute leaky" at "leaky" (character 10): expected ";" before the next limit, or an algorithm: sliding-window, token-bucket, fixed-window, sliding-counter, concurrent.',
    ],
    [
      "5000/day exact",
      'Cannot read the limit "5000/day exact" at "exact" (character 10): expected ";" before the next limit, or an algorithm: sliding-window, token-bucket, fixed-window, sliding-counter, concurrent.',
    ],
    [
      "5000/day fixed-window exact",
      'Cannot read the limit "5000/day fixed-window exact" at "exact" (character 23): expected ";" before the next limit, or an algorithm: sliding-window, token-bucket, fixed-window, sliding-counter, concurrent.',
    ],
    [
      "5/200 years",
      'Cannot read the limit "5/200 years" at "years" (character 7): expected a window of at most 100 years.',
    ],
    [
      "5/2 months fixed-window",
      'Cannot read the limit "5/2 months fixed-window" at "fixed-window" (character 12): expected one calendar month, "from first-use", or an algorithm other than fixed-window.',
    ],
    [
      "99999999999999999/day",
      'Cannot read the limit "99999999999999999/day" at "99999999999999999/day" (character 1): expected a number below 2^53.',
    ],
    [
      "5/minute;;60/hour",
      'Cannot read the limit "5/minute;;60/hour" at ";60/hour" (character 10): expected a quota, as in 5/minute.',
    ],
  ])("throws for %j: %s", (text, message) => {
    const error = { name: "HeadgateError", code: "limit-unreadable", message };
    expect(() => parseLimits(text)).toThrow(expect.objectContaining(error));
  });

  it.each([
    [
      "5/minute; blocked",
      'at "blocked" (character 11): expected a quota, as in 5/minute: "blocked" must be the only limit.',
    ],
    ["Unlimited; 5/minute", 'expected a quota, as in 5/minute: "unlimited" must be the only limit.'],
    ["5 tokens", 'at its end: expected "/" or "per" and a window, as in 5/minute.'],
    ["2 requsts/minute", 'at "requsts/minute" (character 3)'],
    ["5/1.5 minutes", 'at "1.5" (character 3): expected a whole number.'],
    ["5/2 years fixed-window", "expected one calendar year,"],
    ["5/hour fixed-window from now", 'at "now" (character 26): expected "first-use".'],
    ["5/day fixed-window in", "at its end: expected a time zone, such as Europe/London."],
    [
      "5/2 days fixed-window in UTC",
      'at "UTC" (character 26): expected a window of one day, week, month or year before',
    ],
    ["5/hour fixed-window in UTC", "expected a window of one day, week, month or year before a time zone."],
    ["5/day fixed-window in Nowhere", "Nowhere"],
  ])("throws for %j, and names the position: %s", (text, message) => {
    expect(() => parseLimits(text)).toThrow(message);
  });

  it.each([
    [1, "ms millisecond milliseconds"],
    [1_000, "s sec secs second seconds"],
    [minute, "min mins minute minutes"],
    [hour, "h hr hrs hour hours"],
    [day, "d day days"],
    [7 * day, "w week weeks"],
    [30 * day, "month months"],
    [365 * day, "y year years"],
  ])("reads a window of %d ms in all its forms: %s", (windowMs, names) => {
    for (const name of names.split(" ")) {
      expect(parseLimits(`5/${name.toUpperCase()}`)).toEqual([{ quota: 5, windowMs, ...sliding }]);
      expect(parseLimits(`5 / 2${name}`)).toEqual([{ quota: 5, windowMs: 2 * windowMs, ...sliding }]);
    }
  });

  it.each([
    ["day", "day"],
    ["week", "week"],
    ["month", "month"],
    ["year", "year"],
    ["hour", undefined],
  ])("a fixed window of one %s follows the calendar: %s", (name, calendar) => {
    expect(parseLimits(`5/1 ${name} fixed-window`)[0]?.calendar).toBe(calendar);
  });

  it.each(["Etc/GMT+3", "Etc/GMT-14", "America/Argentina/Buenos_Aires", "UTC"])(
    "reads the zone %s",
    (timeZone) => {
      expect(parseLimits(`5/day fixed-window in ${timeZone}`)[0]).toMatchObject({
        calendar: "day",
        timeZone,
      });
    },
  );

  it("reads blocked and unlimited, whatever their case and the space around them", () => {
    expect(parseLimits(" Blocked ")).toEqual([blocked]);
    expect(parseLimits("UNLIMITED")).toEqual([unlimited]);
  });

  it("reads a window of exactly 100 years", () => {
    expect(parseLimits("5/36525 days")[0]?.windowMs).toBe(longestWindowMs);
    expect(() => parseLimits("5/36526 days")).toThrow("a window of at most 100 years");
  });

  it("refuses a value that is not a string", () => {
    expect(() => parseLimits(5 as never)).toThrow('A limit must be text such as "5/minute", got 5.');
    expect(() => parseLimits(null as never)).toThrow("got null");
    expect(() => parseLimits(5 as never)).toThrow(expect.objectContaining({ code: "limit-unreadable" }));
  });

  it("returns the limit that formatLimit has formatted", () => {
    const limits = fc.record({
      quota: fc.integer({ min: 1, max: 2000 }),
      windowMs: fc.oneof(
        fc.integer({ min: 1, max: longestWindowMs }),
        fc
          .integer({ min: 1, max: 100 })
          .chain((n) => fc.constantFrom(n * 1000, n * minute, n * hour, n * day)),
      ),
      unit: fc.constantFrom("requests", "tokens", "pages"),
      algorithm: fc.constantFrom(...algorithmNames),
      timeZone: fc.constantFrom(undefined, "UTC", "Europe/London"),
      from: fc.constantFrom(undefined, "first-use" as const),
      exact: fc.boolean(),
    });
    fc.assert(
      fc.property(limits, ({ timeZone, from, exact, ...given }) => {
        const options = given.algorithm === "concurrent" ? { ...given, unit: "concurrent" } : given;
        let limit = defineLimit({ ...options, exact: exact && options.algorithm === "sliding-window" });
        if (limit.calendar !== undefined && timeZone !== undefined)
          limit = defineLimit({ ...limit, timeZone });
        else if (options.algorithm === "fixed-window" && from !== undefined)
          limit = defineLimit({ ...options, from });
        expect(parseLimits(formatLimit(limit))).toEqual([limit]);
      }),
      { numRuns: 1000 },
    );
  });

  it("throws nothing but a HeadgateError, whatever the text", () => {
    const pieces = fc.array(
      fc.oneof(fc.string(), fc.constantFrom("5", "/", " per ", "minute", ";", "|", "tokens", "0")),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          expect(parseLimits(parts.join("")).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(HeadgateError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps long input out of its messages", () => {
    for (const text of ["x".repeat(100_000), `5/minute ${"x".repeat(100_000)}`]) {
      expect(() => parseLimits(text)).toThrow(/^.{1,399}$/s);
    }
  });
});
