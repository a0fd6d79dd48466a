import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission } from "../core/admission.ts";
import { load } from "../core/loading.ts";
import type { LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { notInstalled } from "../stores/shared/absent.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { mostAwaiting } from "./first-contact.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A store that reports whether it is connected, like the stores for Redis and PostgreSQL. */
function connecting(options: Partial<LimiterOptions<string>> = {}) {
  const scripted = scriptedStore();
  let checks = 0;
  const store = {
    ...scripted,
    decide: scripted.decide,
    async check() {
      checks += 1;
      await scripted.decide([], 0, true);
    },
  };
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (key) => key, limits: "5/hour" }],
    store,
    clock: fakeClock(),
    onError: () => {},
    onOutage: () => {},
    ...options,
  });
  return { scripted, limiter, checks: () => checks };
}

describe("a store that has never answered", () => {
  it("the first decisions wait for it, even if connections are refused", async () => {
    const { scripted, limiter, checks } = connecting();
    scripted.mode = "reject";
    const asked = Array.from({ length: 50 }, () => limiter.admit("a"));
    await vi.advanceTimersByTimeAsync(3000);
    scripted.mode = "answer";
    await vi.advanceTimersByTimeAsync(1000);
    const answers = (await Promise.all(asked)) as Admission[];
    expect(answers.filter(({ admitted }) => admitted)).toHaveLength(5);
    expect(answers.every(({ decidedBy }) => decidedBy !== "outage-policy")).toBe(true);
    expect([limiter.status().failures, checks() < 15]).toEqual([0, true]);
  });

  it("decisions wait for it even if it takes longer than the decision limit", async () => {
    const { scripted, limiter } = connecting();
    scripted.mode = "hang";
    const asked = limiter.admit("a");
    await vi.advanceTimersByTimeAsync(2000);
    scripted.mode = "answer";
    scripted.answerHeld();
    await vi.advanceTimersByTimeAsync(0);
    expect(await asked).toMatchObject({ admitted: true, decidedBy: "store" });
  });

  it("is awaited once, up to the connect time limit; then the outage policies decide", async () => {
    const { scripted, limiter } = connecting({ timeouts: { connectMs: 2000 } });
    scripted.mode = "reject";
    let answered = false;
    const asked = Promise.resolve(limiter.admit("a")).finally(() => {
      answered = true;
    });
    await vi.advanceTimersByTimeAsync(1990);
    expect(answered).toBe(false);
    await vi.advanceTimersByTimeAsync(20);
    expect(await asked).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
    expect(await limiter.admit("a")).toMatchObject({ decidedBy: "outage-policy" });
  });

  it("is awaited for the same time after its code is loaded, because loading is this process's own work", async () => {
    const { scripted } = connecting();
    const loads = vi.fn(() => new Promise((resolve) => setTimeout(resolve, 1500)));
    const check = async () => void (await scripted.decide([], 0, true));
    const store = { ...scripted, check, [load]: loads };
    const { limiter } = connecting({ store, timeouts: { connectMs: 2000 } });
    scripted.mode = "reject";
    const asked = Array.from({ length: 10 }, () => limiter.admit("a"));
    await vi.advanceTimersByTimeAsync(1490);
    expect(scripted.calls.decide).toBe(0);
    await vi.advanceTimersByTimeAsync(1500);
    scripted.mode = "answer";
    await vi.advanceTimersByTimeAsync(500);
    expect((await Promise.all(asked)).every(({ decidedBy }) => decidedBy !== "outage-policy")).toBe(true);
    expect(loads).toHaveBeenCalledTimes(1);
  });

  it.each([
    ["takes too long", () => new Promise(() => {})],
    ["fails", () => Promise.reject(new Error("not here"))],
  ])("is asked even if its code %s to load", async (_, loads) => {
    const { scripted } = connecting();
    const store = { ...scripted, check: async () => {}, [load]: loads };
    const { limiter } = connecting({ store, timeouts: { connectMs: 2000 } });
    const asked = limiter.admit("a");
    await vi.advanceTimersByTimeAsync(2010);
    expect(await asked).toMatchObject({ decidedBy: "store" });
  });

  it("is not awaited after it has answered that it cannot decide", async () => {
    const { scripted } = connecting();
    const full = Object.assign(new Error("full"), { answered: true });
    const { limiter } = connecting({ store: { ...scripted, check: () => Promise.reject(full) } });
    scripted.mode = "reject";
    expect(await limiter.admit("a")).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
  });

  it("decisions do not wait for it if it can never connect, and ready() reports at once what is missing", async () => {
    const missing = notInstalled("A store at redis:// needs a client: npm install ioredis.");
    const errors: unknown[] = [];
    const store = {
      ...scriptedStore(),
      check: () => Promise.reject(missing),
      decide: () => Promise.reject(missing),
    };
    const { limiter } = connecting({ store, onError: (error) => void errors.push(error) });
    expect(await limiter.admit("a")).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
    expect(errors).toEqual([missing]);
    await expect(limiter.ready()).rejects.toBe(missing);
  });

  it("is awaited by a limited number of decisions; the outage policies decide the others", async () => {
    const { scripted, limiter } = connecting();
    scripted.mode = "hang";
    const asked = Array.from({ length: mostAwaiting }, (_, n) => limiter.admit(`user${n}`));
    scripted.mode = "reject";
    expect(await limiter.admit("one more")).toMatchObject({ decidedBy: "outage-policy" });
    scripted.mode = "answer";
    scripted.answerHeld();
    await vi.advanceTimersByTimeAsync(0);
    const answers = await Promise.all(asked);
    expect(answers.every(({ decidedBy }) => decidedBy === "store")).toBe(true);
  });

  it("decisions do not wait for it once it was ready, nor if the limit is 0", async () => {
    const { limiter, checks } = connecting();
    await limiter.ready();
    const before = checks();
    expect((await limiter.admit("a")).decidedBy).toBe("store");
    expect(checks()).toBe(before);
    const { scripted, limiter: other } = connecting({ timeouts: { connectMs: 0 } });
    scripted.mode = "reject";
    expect((await other.admit("a")).decidedBy).toBe("outage-policy");
  });

  it.each([-1, 0.5, 60_001, "5000"])("refuses to wait for %s ms", (connectMs) => {
    expect(() => connecting({ timeouts: { connectMs: connectMs as number } })).toThrow(
      "timeouts.connectMs must be a whole number from 0 to 60000",
    );
  });
});
