import fc from "fast-check";
import { expect, it } from "vitest";
import { defineLimit } from "../limit.ts";
import { slidingWindow } from "./sliding-window.ts";

it("slidingWindow condenses a log to a few entries that read the same now, and never free units earlier", () => {
  const steps = fc.array(
    fc.record({ pause: fc.nat({ max: 20_000 }), amount: fc.integer({ min: 1, max: 3 }) }),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(steps, fc.nat({ max: 400_000 }), (charges, later) => {
      const limits = [60_000, 300_000].map((windowMs) => defineLimit({ quota: 200, windowMs }));
      const log = new Float64Array(200);
      slidingWindow.keepFor?.(log, 0, 600_000);
      let now = 1_700_000_000_000;
      for (const { pause, amount } of charges) {
        now += pause;
        slidingWindow.charge(log, 0, limits, now, amount);
      }
      const short = slidingWindow.condensed?.(log, 0, now, limits) as Float64Array;
      // Two entries for each window, and two for entries that no limit counts but that are kept.
      expect(slidingWindow.length(short, 0)).toBe(short.length);
      expect(short.length).toBeLessThanOrEqual(3 + 3 * 4);
      for (const limit of limits) {
        const read = (row: Float64Array, at: number) => {
          const into: number[] = [];
          slidingWindow.read(row, 0, limit, at, into, 0);
          return into as [number, number];
        };
        expect(read(short, now)).toEqual(read(log, now));
        expect(read(short, now + later)[0]).toBeLessThanOrEqual(read(log, now + later)[0]);
      }
      expect(slidingWindow.blankAt(short, 0, limits)).toBe(slidingWindow.blankAt(log, 0, limits));
    }),
    { numRuns: 300 },
  );
});
