import fc from "fast-check";
import { createLimiter, type Refused } from "headgate";
import { fakeClock } from "headgate/testing";
import { describe, expect, it } from "vitest";
import { clipKey, isClippedKey } from "./clipped.ts";
import { createCollector } from "./collector.ts";
import { createRecentRefusals, MOST_REFUSALS, type RefusalRecord } from "./recent-refusals.ts";
import { addUp, readSummary, type Summary } from "./summary.ts";
import { createTimeline, STEP_MS, STEPS } from "./timeline.ts";

const START = Date.UTC(2026, 10, 10, 9);

function setUp(limits = "5/minute") {
  const clock = fakeClock(START);
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [
      {
        name: "user",
        key: (user) => user,
        plan: (user) => (user.startsWith("pro") ? "pro" : undefined),
        plans: { free: limits, pro: "100/minute" },
        defaultPlan: "free",
      },
    ],
    clock,
  });
  return { clock, limiter, collector: createCollector([limiter], { name: "one", clock }) };
}

function totalsOf(summaries: readonly Summary[], now: number) {
  const { series, tops, refusals } = addUp(summaries, now);
  const sums = Object.fromEntries(
    series.map(({ key, counts }) => [key.slice(1).join(" ").trim(), counts.reduce((a, b) => a + b, 0)]),
  );
  return { sums, tops, refusals };
}

describe("a collector", () => {
  it("counts outcomes by layer, plans, waits, early retries, and the callers refused most", async () => {
    const { clock, limiter, collector } = setUp();
    for (let n = 0; n < 8; n += 1) await limiter.admit("ann");
    await limiter.admit("pro ben");
    await clock.advance(60_000);
    for (let n = 0; n < 6; n += 1) await limiter.admit("cleo");
    const { sums, tops } = totalsOf([collector.summary()], clock.now());
    expect(sums).toEqual({
      admitted: 7,
      "near user": 4,
      "refused user": 4,
      "plan free": 14,
      "plan pro": 1,
      "plan-refused free": 4,
      "wait 60": 4,
      early: 2,
      "by store": 15,
    });
    expect(tops.find(({ kind }) => kind === "refused")?.counters).toEqual([
      ["ann", 3, 0],
      ["cleo", 1, 0],
    ]);
  });

  it("adds up processes, and forgets counts older than an hour", async () => {
    const one = setUp();
    const other = setUp();
    await one.limiter.admit("ann");
    await other.limiter.admit("ann");
    const summaries = [one.collector.summary(), other.collector.summary()];
    expect(totalsOf(summaries, START).sums.admitted).toBe(2);
    expect(totalsOf(summaries, START + STEPS * STEP_MS).sums.admitted).toBeUndefined();
  });

  it("explains a refusal by its request id", async () => {
    const { clock, limiter, collector } = setUp("1/minute");
    await limiter.admit("ann");
    const refused = (await limiter.admit("ann")) as Refused;
    collector.name(refused, "request-7");
    const [record] = collector.summary().refusals;
    expect(record).toMatchObject({
      requestId: "request-7",
      at: clock.now(),
      layer: "user",
      key: "ann",
      plan: "free",
      limit: "user-per-minute",
      quota: 1,
      remaining: 0,
      waitMs: 60_000,
      policy: limiter.policy.hash,
      override: null,
    });
    await limiter.block("ann", { reason: "a script", by: "ops" });
    await limiter.admit("ann");
    expect(collector.summary().refusals.at(-1)).toMatchObject({
      reason: "blocked",
      waitMs: null,
      override: { limits: "blocked", reason: "a script", by: "ops" },
    });
  });

  it("counts nothing after it is stopped", async () => {
    const { limiter, collector } = setUp();
    collector.stop();
    await limiter.admit("ann");
    expect(collector.summary().series).toEqual([]);
  });

  it("rejects anything but a list of limiters with different names", () => {
    const { limiter } = setUp();
    expect(() => createCollector([])).toThrow(/takes a list of limiters/);
    expect(() => createCollector([limiter, limiter])).toThrow(/each with a different name/);
  });
});

describe("refusals of several limiters", () => {
  it("do not push out those of other limiters, and are limited in total", async () => {
    const limiters = ["quiet", "loud", "louder"].map((name) =>
      createLimiter<string>({
        name,
        layers: [{ name: "user", key: (user) => user, limits: "1/minute" }],
        clock: fakeClock(START),
      }),
    );
    const collector = createCollector(limiters);
    const [quiet, ...others] = limiters;
    for (let n = 0; n < 2; n += 1) await quiet?.admit("ann");
    for (const limiter of others)
      for (let n = 0; n < 1_000; n += 1)
        for (let times = 0; times < 2; times += 1) await limiter.admit(`caller ${n}`);
    const counts = limiters.map(
      ({ name }) => collector.summary().refusals.filter(({ limiter }) => limiter === name).length,
    );
    expect(counts).toEqual([1, 333, 333]);
  });
});

describe("long keys", () => {
  it("with the same beginning stay distinct, and are marked as cut", async () => {
    const { clock, limiter, collector } = setUp("1/minute");
    const begin = "x".repeat(500);
    for (const caller of [`${begin}1`, `${begin}2`, "y".repeat(200)])
      for (let n = 0; n < 3; n += 1) await limiter.admit(caller);
    const { tops, refusals } = totalsOf([collector.summary()], clock.now());
    const counters = tops.find(({ kind }) => kind === "refused")?.counters ?? [];
    expect(counters.map(([key, count]) => [key.length, isClippedKey(key), count])).toEqual([
      [200, true, 2],
      [200, true, 2],
      [200, false, 2],
    ]);
    expect(new Set(refusals.map(({ key }) => key)).size).toBe(3);
  });

  it("stay distinct, and never equal a short key", () => {
    const tail = fc.string({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(tail, tail, (one, other) => {
        const begin = "x".repeat(200);
        expect(isClippedKey(clipKey(begin + one))).toBe(true);
        expect(clipKey(begin + one) === clipKey(begin + other)).toBe(one === other);
        expect(clipKey(one)).toBe(one);
        expect(isClippedKey(one)).toBe(false);
      }),
    );
  });
});

describe("a summary", () => {
  it("stays bounded under a flood of callers with long names", async () => {
    const { clock, limiter, collector } = setUp("1/minute");
    for (let n = 0; n < 3_000; n += 1) {
      const caller = `${n} ${"x".repeat(900)}`;
      await limiter.admit(caller);
      await limiter.admit(caller);
    }
    const text = JSON.stringify(collector.summary());
    expect(text.length).toBeLessThan(500_000);
    expect(collector.summary().refusals).toHaveLength(MOST_REFUSALS);
    const [top] = totalsOf([collector.summary()], clock.now()).tops;
    expect(top?.counters).toHaveLength(64);
  });

  it("can be read back, but not if it has another version", async () => {
    const { limiter, collector } = setUp();
    await limiter.admit("ann");
    const summary = collector.summary();
    expect(readSummary(JSON.stringify(summary))).toEqual(summary);
    expect(readSummary(JSON.stringify({ ...summary, version: 3 }))).toBeUndefined();
    for (const text of ["", "null", "7", "[]", "{}", '{"version":1}'])
      expect(readSummary(text)).toBeUndefined();
  });
});

describe("the timeline, compared with a complete list", () => {
  const events = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 * STEPS }), fc.integer({ min: 1, max: 5 })), {
    maxLength: 60,
  });

  it("has the counts of each recent step", () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: STEPS }), (unsorted, later) => {
        const sorted = [...unsorted].sort(([one], [other]) => one - other);
        const timeline = createTimeline();
        for (const [step, times] of sorted) timeline.add(step * STEP_MS, ["chat", "admitted", ""], times);
        const last = (sorted.at(-1)?.[0] ?? 0) + later;
        const truth = new Map<number, number>();
        for (const [step, times] of sorted)
          if (step > last - STEPS) truth.set(step, (truth.get(step) ?? 0) + times);
        const [read] = timeline.read(last * STEP_MS);
        expect(read?.steps ?? []).toEqual([...truth.keys()]);
        expect(read?.counts ?? []).toEqual([...truth.values()]);
      }),
    );
  });

  it("counts in its latest step while the clock is behind", () => {
    const timeline = createTimeline();
    timeline.add(10 * STEP_MS, ["chat", "admitted", ""]);
    timeline.add(0, ["chat", "admitted", ""]);
    expect(timeline.read(10 * STEP_MS)).toEqual([
      { key: ["chat", "admitted", ""], steps: [10], counts: [2] },
    ]);
  });
});

describe("recent refusals", () => {
  const record = (key: string, at = 0): RefusalRecord => ({
    requestId: null,
    at,
    limiter: "chat",
    layer: "user",
    key,
    plan: null,
    reason: "quota-exceeded",
    limit: "user-per-minute",
    quota: 5,
    unit: "requests",
    windowMs: 60_000,
    remaining: 0,
    waitMs: 1_000,
    waitsFor: "window",
    decidedBy: "store",
    policy: "p",
    override: null,
  });

  it("keep other callers' refusals through a flood from one caller", () => {
    const refusals = createRecentRefusals();
    refusals.add(record("ann"));
    for (let n = 0; n < 10_000; n += 1) refusals.add(record("loud", n));
    expect(refusals.read().filter(({ key }) => key === "ann")).toHaveLength(1);
    expect(refusals.read().map(({ at }) => at)).toEqual([0, 9_995, 9_996, 9_997, 9_998, 9_999]);
  });

  it("never exceed their limit", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 2_000 }), (callers) => {
        const refusals = createRecentRefusals();
        for (const caller of callers) refusals.add(record(String(caller)));
        const read = refusals.read();
        expect(read.length).toBeLessThanOrEqual(MOST_REFUSALS);
        const times = (caller: string) => read.filter(({ key }) => key === caller).length;
        const most = Math.max(0, ...new Set(read.map(({ key }) => times(key))));
        expect(most).toBeLessThanOrEqual(5);
      }),
      { numRuns: 20 },
    );
  });

  it("show who retried before the wait was over", () => {
    const refusals = createRecentRefusals();
    expect(refusals.add(record("ann", 0))).toBe(false);
    expect(refusals.add(record("ben", 10))).toBe(false);
    expect(refusals.add(record("ann", 999))).toBe(true);
    expect(refusals.add(record("ann", 2_000))).toBe(false);
  });
});
