import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defineLimit, type Limit } from "../limit.ts";
import { coarseLog, mostEntries } from "./coarse-log.ts";
import { slidingWindow } from "./sliding-window.ts";

const windowArbitrary = fc.oneof(
  fc.integer({ min: 1, max: 2000 }),
  fc.constantFrom(60_000, 3_600_000, 86_400_000, 365 * 86_400_000),
);

/** The log of one caller, and a plain list of everything that was spent. */
function log(limit: Limit) {
  // Three numbers, then 241 entries of two numbers each.
  const row = new Float64Array(3 + 2 * mostEntries);
  const spent: { at: number; amount: number; left: number }[] = [];
  const within = (from: number, to: number) =>
    spent.reduce((sum, { at, left }) => (at > from && at <= to ? sum + left : sum), 0);
  const readings: number[] = [];
  return {
    row,
    spent,
    within,
    get entries() {
      return (coarseLog.length(row, 0) - 3) / 2;
    },
    waitMs: (now: number, need: number) => coarseLog.waitMs(row, 0, limit, now, need),
    read(now: number) {
      coarseLog.read(row, 0, limit, now, readings, 0);
      return { remaining: readings[0] as number, resetMs: readings[1] as number };
    },
    charge(now: number, amount: number) {
      expect(coarseLog.charge(row, 0, [limit], now, amount)).toBe(0);
      if (amount > 0) spent.push({ at: now, amount, left: amount });
    },
    refund(which: number, now: number, amount: number) {
      const one = spent[which % Math.max(1, spent.length)];
      if (one === undefined) return;
      const given = Math.min(amount, one.left);
      coarseLog.refund(row, 0, [limit], now, given, one.at, 0);
      one.left -= given;
    },
  };
}

interface Step {
  readonly pause: number;
  readonly amount: number;
  readonly refund: number | undefined;
}

/** @param pause before the step, in windows. */
const stepArbitrary = (pause: number): fc.Arbitrary<Step> =>
  fc.record({
    pause: fc.oneof(
      { weight: 8, arbitrary: fc.double({ min: 0, max: pause, noNaN: true }) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 2, noNaN: true }) },
    ),
    amount: fc.integer({ min: 0, max: 1500 }),
    refund: fc.option(fc.nat(), { nil: undefined, freq: 4 }),
  });

describe("coarseLog", () => {
  const cases = fc.record({
    windowMs: windowArbitrary,
    quota: fc.integer({ min: 1001, max: 6000 }),
    steps: fc.array(fc.oneof(stepArbitrary(0.002), stepArbitrary(0.2)), { maxLength: 60 }),
  });

  it("never holds more than the quota in a window, and frees units at most 1/240 of the window late", () => {
    fc.assert(
      fc.property(cases, ({ windowMs, quota, steps }) => {
        const limit = defineLimit({ quota, windowMs });
        const { row, waitMs, read, charge, refund, within } = log(limit);
        const late = Math.ceil(windowMs / 240) - 1;
        let now = 1_700_000_000_000;
        for (const { pause, amount, refund: which } of steps) {
          now += Math.round(pause * windowMs);
          const { remaining } = read(now);
          expect(remaining).toBeLessThanOrEqual(quota - within(now - windowMs, now));
          expect(remaining).toBeGreaterThanOrEqual(quota - within(now - windowMs - late, now));
          expect(waitMs(now, amount) === 0).toBe(amount <= remaining);
          if (waitMs(now, amount) === 0) charge(now, amount);
          expect(within(now - windowMs, now)).toBeLessThanOrEqual(quota);
          if (which === undefined) continue;
          // The refund must not reduce the count of other charges.
          coarseLog.tidy?.(row, 0, now);
          refund(which, now, amount);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("returns the first moment at which a request fits, and the first at which more is free", () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 1001 }), ({ windowMs, quota, steps }, need) => {
        const { row, waitMs, read, charge, refund } = log(defineLimit({ quota, windowMs }));
        let now = 1_700_000_000_000;
        for (const { pause, amount, refund: which } of steps) {
          now += Math.round(pause * windowMs);
          // Charge even if this leads into debt.
          charge(now, amount);
          if (which !== undefined) refund(which, now, amount);
          const wait = waitMs(now, need);
          expect(waitMs(now + wait, need)).toBe(0);
          if (wait > 0) expect(waitMs(now + wait - 1, need)).toBe(1);
          const { remaining, resetMs } = read(now);
          expect(resetMs === 0).toBe(remaining === quota);
          if (resetMs === 0) continue;
          expect(read(now + resetMs).remaining).toBeGreaterThan(remaining);
          expect(read(now + resetMs - 1).remaining).toBe(remaining);
        }
        const blankAt = Math.max(now, coarseLog.blankAt(row, 0, []));
        expect(read(blankAt)).toEqual({ remaining: quota, resetMs: 0 });
        if (blankAt > now) expect(read(blankAt - 1).remaining).toBeLessThan(quota);
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps at most 241 entries", () => {
    fc.assert(
      fc.property(
        windowArbitrary,
        fc.array(fc.double({ min: 0, max: 0.01, noNaN: true }), { minLength: 300, maxLength: 600 }),
        (windowMs, pauses) => {
          const kept = log(defineLimit({ quota: 1_000_000, windowMs }));
          let now = 1_700_000_000_000;
          for (const pause of pauses) {
            now += Math.max(1, Math.round(pause * windowMs));
            kept.charge(now, 1);
            expect(kept.entries).toBeLessThanOrEqual(mostEntries);
            expect(kept.read(now).remaining).toBeLessThan(1_000_000);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("admits a caller who keeps asking at most 0.5% less often than the exact log", () => {
    for (const [quota, windowMs] of [
      [1001, 1000],
      [2000, 60_000],
      [5000, 3_600_000],
    ] as const) {
      for (const pace of [0.9, 1.2, 5]) {
        const limit = defineLimit({ quota, windowMs });
        const coarse = log(limit);
        const exact = new Float64Array(3 + 2 * 7 * quota);
        const admitted = { coarse: 0, exact: 0 };
        let now = 1_700_000_000_000;
        let asked = 0;
        for (let n = 0; n < quota * 6 * pace; n += 1) {
          asked += windowMs / quota / pace;
          now = 1_700_000_000_000 + Math.round(asked + (n % 7));
          if (coarse.waitMs(now, 1) === 0) {
            coarseLog.charge(coarse.row, 0, [limit], now, 1);
            admitted.coarse += 1;
          }
          if (slidingWindow.waitMs(exact, 0, limit, now, 1) === 0) {
            slidingWindow.charge(exact, 0, [limit], now, 1);
            admitted.exact += 1;
          }
        }
        expect(admitted.coarse).toBeLessThanOrEqual(admitted.exact);
        expect(admitted.coarse, `${quota}/${windowMs} at ${pace}`).toBeGreaterThanOrEqual(
          admitted.exact * 0.995,
        );
      }
    }
  });
});
