import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission, Admitted, Refused } from "../core/admission.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { createLimiter } from "./limiter.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function limited(limits = "2/minute", store?: ReturnType<typeof scriptedStore>) {
  const clock = fakeClock();
  const asked: Admission[] = [];
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits, outage: "refuse" }],
    clock,
    ...(store === undefined ? {} : { store }),
    onDecision: ({ admission }) => asked.push(admission),
    onError: () => {},
    onOutage: () => {},
  });
  /** Advances the limiter's clock and the timers together. */
  async function pass(ms: number) {
    await vi.advanceTimersByTimeAsync(0);
    clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
  }
  return { limiter, clock, pass, asked };
}

describe("wait", () => {
  it("waits for a place that others hold, although they could hold it for longer than the wait", async () => {
    const { limiter, pass } = limited("2/minute; 1 concurrent");
    const holder = (await limiter.admit("alice")) as Admitted;
    const waiting = limiter.wait("alice", { maxWaitMs: 5000 });
    await pass(3000);
    await holder.end();
    await pass(0);
    expect(await waiting).toMatchObject({ admitted: true });
    // The next must also wait for the window, which takes longer.
    const refused = await limiter.wait("alice", { maxWaitMs: 5000 });
    expect(refused).toMatchObject({ admitted: false });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("refuses at its deadline if nobody has freed a place, and at once if it may not wait", async () => {
    const { limiter, pass } = limited("1 concurrent");
    await limiter.admit("alice");
    const waiting = limiter.wait("alice", { maxWaitMs: 5000 });
    await pass(5000);
    expect(await waiting).toMatchObject({ admitted: false, waitsFor: "holders" });
    expect(await limiter.wait("alice", { maxWaitMs: 0 })).toMatchObject({ admitted: false });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("admits at once if there is room", async () => {
    const { limiter } = limited();
    expect((await limiter.wait("alice")).admitted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tries again at the reported moment, not before", async () => {
    const { limiter, pass, asked } = limited();
    await limiter.admit("alice");
    await pass(10_000);
    await limiter.admit("alice");
    const waiting = limiter.wait("alice");
    await pass(49_999);
    expect(asked.map(({ admitted }) => admitted)).toEqual([true, true, false]);
    await pass(1);
    expect(await waiting).toMatchObject({ admitted: true });
    expect(asked).toHaveLength(4);
  });

  it("continues to wait if another caller was faster, until all are admitted", async () => {
    const { limiter, pass, asked } = limited("1/second");
    const waiting = Promise.all(Array.from({ length: 4 }, () => limiter.wait("alice")));
    for (let second = 0; second < 3; second += 1) await pass(1000);
    expect((await waiting).every(({ admitted }) => admitted)).toBe(true);
    expect(asked.filter(({ admitted }) => admitted).map(({ at }) => at - (asked[0]?.at ?? 0))).toEqual([
      0, 1000, 2000, 3000,
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("returns the refusal at once if its wait exceeds maxWaitMs", async () => {
    const { limiter, pass } = limited();
    await limiter.admit("alice");
    await limiter.admit("alice");
    expect(await limiter.wait("alice", { maxWaitMs: 59_999 })).toMatchObject({
      admitted: false,
      retryAfterMs: 60_000,
    });
    const patient = limiter.wait("alice", { maxWaitMs: 60_000 });
    await pass(60_000);
    expect((await patient).admitted).toBe(true);
  });

  it("counts all its waits against maxWaitMs", async () => {
    const { limiter, pass } = limited("1/minute");
    await limiter.admit("alice");
    const waiting = limiter.wait("alice", { maxWaitMs: 90_000 });
    await pass(59_999);
    limiter.penalise("alice");
    await pass(1);
    expect(await waiting).toMatchObject({ admitted: false, reason: "quota-exceeded", retryAfterMs: 59_999 });
  });

  it("does not wait for a request that can never be admitted", async () => {
    const { limiter } = limited();
    const refused = (await limiter.wait("alice", { cost: { requests: 3 } })) as Refused;
    expect(refused.reason).toBe("cost-exceeds-quota");
  });

  it("also waits for a store that is down", async () => {
    const store = scriptedStore();
    const { limiter, pass } = limited("2/minute", store);
    store.mode = "reject";
    const waiting = limiter.wait("alice");
    await pass(0);
    store.mode = "answer";
    await pass(1000);
    expect(await waiting).toMatchObject({ admitted: true, decidedBy: "store" });
  });

  it("rejects with the signal's reason, charges nothing, and leaves no timer", async () => {
    const { limiter } = limited();
    await limiter.admit("alice");
    await limiter.admit("alice");
    const controller = new AbortController();
    const waiting = limiter.wait("alice", { signal: controller.signal });
    const ended = expect(waiting).rejects.toThrow("shutting down");
    await vi.advanceTimersByTimeAsync(5);
    controller.abort(new Error("shutting down"));
    await ended;
    expect(vi.getTimerCount()).toBe(0);
    await expect(limiter.wait("bob", { signal: controller.signal })).rejects.toThrow("shutting down");
    expect((await limiter.peek("bob")).tightest?.remaining).toBe(2);
  });

  it("does not leak listeners on a long-lived signal", async () => {
    const { limiter, pass } = limited("1/second");
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    await limiter.admit("alice");
    for (let n = 0; n < 5; n += 1) {
      const waiting = limiter.wait("alice", { signal });
      await pass(1000);
      expect((await waiting).admitted).toBe(true);
    }
    expect(added).toHaveBeenCalledTimes(5);
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      added.mock.calls.map(([, listener]) => listener),
    );
  });

  it("rejects invalid options, and says what is expected", async () => {
    const { limiter } = limited();
    for (const maxWaitMs of [-1, 1.5, Number.NaN, 86_400_001, Number.POSITIVE_INFINITY]) {
      await expect(limiter.wait("alice", { maxWaitMs })).rejects.toThrow(
        `maxWaitMs must be a whole number from 0 to 86400000, got ${maxWaitMs}.`,
      );
    }
    await expect(limiter.wait("alice", { cost: { requests: -1 } })).rejects.toThrow(/cost/);
    await limiter.close();
    await expect(limiter.wait("alice")).rejects.toThrow(/closed/);
  });

  it("serves a line in order, with one call per admission and one per wait", async () => {
    const clock = fakeClock();
    let asked = 0;
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits: "5/second" }],
      clock,
      onDecision: () => {
        asked += 1;
      },
    });
    const order: number[] = [];
    const waiting = Array.from({ length: 300 }, (_, n) =>
      limiter.wait("alice", { maxWaitMs: 3_600_000 }).then(({ admitted }) => {
        expect(admitted).toBe(true);
        order.push(n);
      }),
    );
    // No fake timers: the fake clock has its own timers.
    for (let second = 0; second < 60; second += 1) {
      await settled();
      clock.advance(1000);
    }
    await Promise.all(waiting);
    expect(order).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(asked).toBe(300 + 59);
  });

  it("shares units fairly between lines, and does not starve expensive requests", async () => {
    const clock = fakeClock();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [
        { name: "user", key: (user) => user, limits: "1000/second" },
        { name: "all", key: () => "all", limits: "10/second" },
      ],
      clock,
    });
    const units = new Map<string, number>();
    const wait = (user: string, requests: number) =>
      limiter.wait(user, { maxWaitMs: 3_600_000, cost: { requests } }).then(() => {
        units.set(user, (units.get(user) ?? 0) + requests);
      });
    for (let n = 0; n < 400; n += 1) void wait("small", 1);
    for (let n = 0; n < 50; n += 1) void wait("large", 8);
    for (let second = 0; second < 40; second += 1) {
      await settled();
      clock.advance(1000);
    }
    const [small = 0, large = 0] = [units.get("small"), units.get("large")];
    expect(small + large).toBeGreaterThan(300);
    expect(Math.abs(small - large)).toBeLessThanOrEqual(16);
  });

  it("continues as soon as a place in this process is free again", async () => {
    const { limiter } = limited("1 concurrent");
    const first = (await limiter.admit("alice")) as Admitted;
    const waiting = limiter.wait("alice");
    await settled();
    await first.end();
    expect((await waiting).admitted).toBe(true);
  });

  it("tries a caller still in line one last time at its deadline", async () => {
    const { limiter, pass } = limited("1/minute");
    await limiter.admit("alice");
    const first = limiter.wait("alice", { maxWaitMs: 60_000 });
    const second = limiter.wait("alice", { maxWaitMs: 20_000 });
    await pass(20_000);
    expect(await second).toMatchObject({ admitted: false, retryAfterMs: 40_000 });
    await pass(40_000);
    expect((await first).admitted).toBe(true);
  });

  it("holds a thousand callers, and rejects one more", async () => {
    const { limiter } = limited("1/minute");
    await limiter.admit("alice");
    const controller = new AbortController();
    const { signal } = controller;
    const all = Array.from({ length: 1000 }, () => limiter.wait("alice", { signal }).catch(() => {}));
    await expect(limiter.wait("bob")).rejects.toMatchObject({ code: "queue-full" });
    controller.abort();
    await Promise.all(all);
    expect((await limiter.wait("bob")).admitted).toBe(true);
  });
});

async function settled() {
  for (let n = 0; n < 100; n += 1) await Promise.resolve();
}
