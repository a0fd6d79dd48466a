import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission, Refused } from "./core/admission.ts";
import { createLimiter } from "./limiter.ts";
import { fakeClock } from "./testing/fake-clock.ts";
import { scriptedStore } from "./testing/scripted-store.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function limited(limits = "2/minute", store?: ReturnType<typeof scriptedStore>) {
  const clock = fakeClock();
  const asked: Admission[] = [];
  const limiter = createLimiter<string>({
    layers: [{ name: "user", key: (user) => user, limits, outage: "refuse" }],
    clock,
    ...(store === undefined ? {} : { store }),
    onDecision: ({ admission }) => asked.push(admission),
    onError: () => {},
    onOutage: () => {},
  });
  /** Moves the limiter's clock and the timers together. */
  async function pass(ms: number) {
    await vi.advanceTimersByTimeAsync(0);
    clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
  }
  return { limiter, clock, pass, asked };
}

describe("wait", () => {
  it("admits at once where there is room", async () => {
    const { limiter } = limited();
    expect((await limiter.wait("alice")).admitted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("asks again in the moment that was told, and not before", async () => {
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

  it("waits on where somebody else was quicker, all of them in the end", async () => {
    const { limiter, pass, asked } = limited("1/second");
    const waiting = Promise.all(Array.from({ length: 4 }, () => limiter.wait("alice")));
    for (let second = 0; second < 3; second += 1) await pass(1000);
    expect((await waiting).every(({ admitted }) => admitted)).toBe(true);
    expect(asked.filter(({ admitted }) => admitted).map(({ at }) => at - (asked[0]?.at ?? 0))).toEqual([
      0, 1000, 2000, 3000,
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("returns the refusal at once where its wait would be longer than may be waited", async () => {
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

  it("reckons what may be waited over all its waits together", async () => {
    const { limiter, pass } = limited("1/minute");
    await limiter.admit("alice");
    const waiting = limiter.wait("alice", { maxWaitMs: 90_000 });
    await pass(59_999);
    limiter.reset("alice");
    await limiter.admit("alice");
    await pass(1);
    expect(await waiting).toMatchObject({ admitted: false, reason: "quota-exceeded", retryAfterMs: 59_999 });
  });

  it("does not wait for what can never be admitted", async () => {
    const { limiter } = limited();
    const refused = (await limiter.wait("alice", { cost: { requests: 3 } })) as Refused;
    expect(refused.reason).toBe("cost-exceeds-quota");
  });

  it("waits for a store that is down, too", async () => {
    const store = scriptedStore();
    const { limiter, pass } = limited("2/minute", store);
    store.mode = "reject";
    const waiting = limiter.wait("alice");
    await pass(0);
    store.mode = "answer";
    await pass(1000);
    expect(await waiting).toMatchObject({ admitted: true, decidedBy: "store" });
  });

  it("ends with the signal's reason, charges nothing by it, and leaves no timer", async () => {
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

  it("does not gather listeners on a signal that is used for long", async () => {
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

  it("rejects what cannot be waited for, with what would be right", async () => {
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
});
