import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import type { OutageEvent } from "./index.ts";

function starting(overrides: Partial<LimiterOptions<string>> = {}) {
  const clock = fakeClock();
  const store = scriptedStore();
  const errors: unknown[] = [];
  const events: OutageEvent[] = [];
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
    store,
    clock,
    onError: (error) => errors.push(error),
    onOutage: (event) => events.push(event),
    ...overrides,
  });
  /** Advances the timers and the limiter's clock together in small steps, as both move outside of tests. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 25) {
      clock.advance(25);
      await vi.advanceTimersByTimeAsync(25);
    }
  }
  return { clock, store, limiter, errors, events, pass };
}

/** The state of the promise, without waiting for it. */
function watch(ready: Promise<void>): { state: "waiting" | "ready" | Error } {
  const watched: { state: "waiting" | "ready" | Error } = { state: "waiting" };
  ready.then(
    () => {
      watched.state = "ready";
    },
    (error: Error) => {
      watched.state = error;
    },
  );
  return watched;
}

describe("ready", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("resolves at once for a store in this process", async () => {
    await createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
    }).ready();
    const own = { ...memoryStore(), check: () => Promise.reject(new Error("not asked")) };
    await starting({ store: own }).limiter.ready();
  });

  it("asks a shared store without charging a caller", async () => {
    const { limiter, store } = starting();
    await limiter.ready();
    expect(limiter.status()).toMatchObject({ state: "closed", failures: 0 });
    expect(store.calls.adjust).toBe(0);
    expect((await limiter.admit("alice")).limits[0]?.remaining).toBe(4);
    expect(limiter.status().counters).toMatchObject({ byStore: 1, byOutagePolicy: 0 });
  });

  it("calls the store's own check, and then makes a real call", async () => {
    const store = scriptedStore();
    const asked: string[] = [];
    const check = async () => void asked.push("check");
    const decide: typeof store.decide = (charges, now, peek, hold) => {
      asked.push(peek ? "peek" : "charge");
      return store.decide(charges, now, peek, hold);
    };
    await starting({ store: { ...store, check, decide } }).limiter.ready();
    expect(asked).toEqual(["check", "peek"]);
  });

  it("waits for a store that starts later; after that, the outage policies decide no request", async () => {
    const { limiter, store, errors, events, pass } = starting();
    store.mode = "reject";
    const ready = watch(limiter.ready());
    await pass(4_000);
    expect(ready.state).toBe("waiting");
    expect(limiter.status().state).toBe("open");
    store.mode = "answer";
    await pass(2_000);
    expect(ready.state).toBe("ready");
    expect(limiter.status().state).toBe("closed");
    expect((await limiter.admit("alice")).decidedBy).toBe("store");
    // One report for consecutive failures.
    expect(errors).toHaveLength(1);
    expect(events[0]).toMatchObject({ from: "closed", to: "open" });
    expect(events.at(-1)).toMatchObject({ to: "closed" });
  });

  it("makes a real call to a store without a ping before it resolves", async () => {
    for (let round = 0; round < 20; round += 1) {
      const { limiter, store, events, pass } = starting();
      store.mode = "reject";
      const ready = watch(limiter.ready({ timeoutMs: 60_000 }));
      await pass(10_000);
      expect(ready.state).toBe("waiting");
      expect(events.filter(({ to }) => to === "closed")).toEqual([]);
      await limiter.close();
    }
  });

  it("allows a first answer more time than a decision has, and then requires an answer in time", async () => {
    const { limiter, store, pass } = starting();
    store.mode = "hang";
    const ready = watch(limiter.ready());
    await pass(1_500);
    expect(store.calls.decide).toBe(1);
    store.answerHeld();
    await pass(100);
    // Connected, but not yet fast: the second answer is held back too.
    expect([store.calls.decide, ready.state]).toEqual([2, "waiting"]);
    store.mode = "answer";
    store.answerHeld();
    await pass(100);
    expect(ready.state).toBe("ready");
    expect(limiter.status().counters).toMatchObject({ failures: 0, timeouts: 0 });
  });

  it("first sends the store the requests admitted without it", async () => {
    const { limiter, store, pass } = starting();
    store.mode = "reject";
    for (let n = 0; n < 5; n += 1) await limiter.admit("alice");
    expect(limiter.status()).toMatchObject({ state: "open", waiting: 1 });
    store.mode = "answer";
    const ready = watch(limiter.ready());
    await pass(2_000);
    expect(ready.state).toBe("ready");
    expect(limiter.status()).toMatchObject({ state: "closed", waiting: 0 });
    expect((await limiter.admit("alice")).admitted).toBe(false);
  });

  it.each(["reject", "throw", "hang"] as const)("rejects if the store continues to %s", async (mode) => {
    const { limiter, store, pass } = starting();
    store.mode = mode;
    const ready = watch(limiter.ready({ timeoutMs: 3_000 }));
    await pass(2_975);
    expect(ready.state).toBe("waiting");
    await pass(100);
    expect(ready.state).toMatchObject({ name: "HeadgateError", code: "store-unavailable" });
    expect((ready.state as Error).message).toBe(
      `The store "scripted" was not ready within 3000 ms: ${
        mode === "hang" ? 'The store "scripted" has not answered within 2500 ms.' : "connection lost"
      }`,
    );
    // The guard continues without it.
    const admission = limiter.admit("alice");
    await pass(300);
    expect(await admission).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
  });

  it("reports the last error of the store, not the end of the last attempt", async () => {
    const { limiter, store, pass } = starting();
    store.mode = "hang";
    const ready = watch(limiter.ready({ timeoutMs: 4_000 }));
    await pass(2_400);
    store.mode = "reject";
    store.rejectHeld();
    await pass(200);
    store.mode = "hang";
    await pass(1_500);
    expect((ready.state as Error).message).toMatch(/: connection lost$/);
  });

  it("rejects after ten seconds by default", async () => {
    const { limiter, store, pass } = starting();
    store.mode = "reject";
    const ready = watch(limiter.ready());
    await pass(9_975);
    expect(ready.state).toBe("waiting");
    await pass(50);
    expect(ready.state).toMatchObject({ code: "store-unavailable" });
  });

  it("says that a store answers, but too late for any decision", async () => {
    const { limiter, store, pass } = starting();
    store.mode = "hang";
    const ready = watch(limiter.ready({ timeoutMs: 2_000 }));
    for (let n = 0; n < 4; n += 1) {
      await pass(500);
      store.answerHeld();
    }
    await pass(50);
    expect((ready.state as Error).message).toMatch(
      /: It took \d+ ms to answer, and a decision has 250 ms\.$/,
    );
  });

  it("ends when the limiter is closed", async () => {
    const { limiter, store, pass } = starting();
    store.mode = "reject";
    const ready = watch(limiter.ready());
    await pass(100);
    await limiter.close();
    await pass(500);
    expect(ready.state).toMatchObject({ code: "limiter-closed" });
    await expect(limiter.ready()).rejects.toMatchObject({ code: "limiter-closed" });
  });

  it.each([0, -1, 1.5, 3_600_001, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses to wait %s ms",
    async (timeoutMs) => {
      await expect(starting().limiter.ready({ timeoutMs })).rejects.toThrow(
        `timeoutMs must be a whole number from 1 to 3600000, got ${timeoutMs}.`,
      );
    },
  );
});

it.each(["redis", "postgres"])(
  "what is wrong with a %s:// store is reported without its password",
  async (scheme) => {
    // A port that was free a moment ago.
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
    const port = (probe.address() as { port: number }).port;
    await new Promise((resolve) => probe.close(resolve));
    const { limiter } = starting({ store: `${scheme}://someone:hunter2@127.0.0.1:${port}/0` });
    const error: Error = await limiter.ready({ timeoutMs: 4_000 }).then(
      () => expect.fail("It was ready."),
      (reason) => reason,
    );
    expect(error.message).toContain(`The store "${scheme}" was not ready within 4000 ms: `);
    expect(error.message).toContain("ECONNREFUSED");
    expect(error.message).not.toContain("hunter2");
    await limiter.close();
  },
  20_000,
);
