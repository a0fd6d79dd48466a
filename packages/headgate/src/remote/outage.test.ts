import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission, Admitted, Refused } from "../core/admission.ts";
import type { LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import type { OutageEvent } from "./index.ts";

interface Caller {
  user: string;
  ip: string;
}

const alice: Caller = { user: "alice", ip: "203.0.113.7" };

function guarded(overrides: Partial<LimiterOptions<Caller>> = {}) {
  const clock = fakeClock();
  const shared = memoryStore();
  const store = scriptedStore(shared);
  const errors: unknown[] = [];
  const events: OutageEvent[] = [];
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers: [
      { name: "user", key: ({ user }) => user, limits: "5/minute; 60/hour" },
      { name: "ip", key: ({ ip }) => ip, limits: "30/minute" },
    ],
    store,
    clock,
    onError: (error) => errors.push(error),
    onOutage: (event) => events.push(event),
    ...overrides,
  });
  /** Another process that shares the store and is not cut off from it. */
  const other = createLimiter<Caller>({
    name: "chat",
    layers: overrides.layers ?? [
      { name: "user", key: ({ user }) => user, limits: "5/minute; 60/hour" },
      { name: "ip", key: ({ ip }) => ip, limits: "30/minute" },
    ],
    store: shared,
    clock,
  });
  const admit = async (caller = alice, cost = {}) => limiter.admit(caller, { cost });
  const left = (caller = alice) => (other.peek(caller) as Admission).limits.map(({ remaining }) => remaining);
  async function fail(mode: "reject" | "throw" | "hang" | "lose" = "reject") {
    store.mode = mode;
    for (let n = 0; n < 5; n += 1) await limiter.peek(alice);
  }
  async function recover() {
    store.mode = "answer";
    clock.advance(1200);
    await limiter.peek({ user: "probe", ip: "probe" });
    await settled();
  }
  return { clock, store, shared, limiter, other, admit, left, fail, recover, errors, events };
}

/** Beyond the time limit. The additional millisecond runs a faked immediate. */
const timeOut = (limitMs = 250) => vi.advanceTimersByTimeAsync(limitMs + 1);

/** Runs the pending microtasks. */
async function settled() {
  for (let n = 0; n < 50; n += 1) await Promise.resolve();
}

describe("the time limit", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("is the longest time that a request waits for a store that hangs", async () => {
    const { admit, store, errors, limiter } = guarded();
    store.mode = "hang";
    let admission: Admission | undefined;
    void admit().then((answer) => {
      admission = answer;
    });
    await vi.advanceTimersByTimeAsync(249);
    expect(admission).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2);
    expect(admission).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
    expect(errors).toEqual([
      expect.objectContaining({ message: 'The store "scripted" has not answered within 250 ms.' }),
    ]);
    expect(limiter.status()).toMatchObject({ failures: 1, counters: { timeouts: 1, byOutagePolicy: 1 } });
  });

  it("can be set, from a millisecond to a minute", async () => {
    const { admit, store } = guarded({ timeouts: { storeMs: 20 } });
    store.mode = "hang";
    const admission = admit();
    await timeOut(20);
    expect((await admission).decidedBy).toBe("outage-policy");
    for (const storeMs of [0, 1.5, 60_001, Number.NaN]) {
      expect(() => guarded({ timeouts: { storeMs } })).toThrow(
        "timeouts.storeMs must be a whole number from 1 to 60000",
      );
    }
  });

  it("leaves at most one timer, which fires once, after the store has answered", async () => {
    const { admit } = guarded();
    await admit();
    await admit();
    expect(vi.getTimerCount()).toBe(1);
    await timeOut();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes back the charge of a late answer, so that nothing is charged twice", async () => {
    const { admit, store, left, limiter, recover } = guarded();
    store.mode = "hang";
    const admission = admit();
    await timeOut();
    expect((await admission).admitted).toBe(true);
    store.mode = "answer";
    store.answerHeld();
    await settled();
    await recover();
    expect(left()).toEqual([4, 59, 29]);
    expect(limiter.status().counters).toMatchObject({ lateAnswers: 1, reconciled: 2 });
  });

  it("takes back a late charge even if the store is down again by then", async () => {
    const { admit, store, left, fail, recover } = guarded({
      layers: [{ name: "user", key: ({ user }) => user, limits: "5/minute", outage: "admit" }],
    });
    store.mode = "hang";
    const admission = admit();
    await timeOut();
    await admission;
    await fail("reject");
    store.answerHeld();
    await settled();
    expect(left()).toEqual([4]);
    await recover();
    expect(left()).toEqual([5]);
  });

  it("does not delay the caller of `end`, and settles once if the answer comes late", async () => {
    const { admit, store, left } = guarded();
    const admission = (await admit()) as Admitted;
    store.mode = "hang";
    let done = false;
    void Promise.resolve(admission.end("nothing")).then(() => {
      done = true;
    });
    await timeOut();
    expect(done).toBe(true);
    store.mode = "answer";
    store.answerHeld();
    await settled();
    await admission.end("nothing");
    expect(left()).toEqual([5, 60, 30]);
    expect(store.calls.adjust).toBe(1);
  });

  it("recovers and reconciles without traffic too", async () => {
    const { admit, store, left, fail, limiter, clock } = guarded();
    await fail();
    await admit();
    store.mode = "answer";
    clock.advance(2000);
    await vi.advanceTimersByTimeAsync(2000);
    expect(limiter.status()).toMatchObject({ state: "closed", waiting: 0 });
    expect(left()).toEqual([4, 59, 29]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends with the limiter, which reports the changes that it could not send to the store", async () => {
    const { fail, admit, limiter, errors } = guarded();
    await fail();
    await admit();
    // The timer of the time limit has fired.
    await timeOut();
    expect(vi.getTimerCount()).toBe(1);
    await limiter.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(errors.at(-1)).toMatchObject({
      message: '2 changes could not be sent to the store "scripted" before the limiter closed, and are lost.',
    });
  });

  it("ends with the limiter, which first sends the changes to the store if it can", async () => {
    const { admit, store, limiter, left, errors } = guarded();
    const admission = (await admit()) as Admitted;
    store.mode = "reject";
    await admission.end("nothing");
    store.mode = "answer";
    await limiter.close();
    expect(left()).toEqual([5, 60, 30]);
    expect(errors).toHaveLength(1);
  });

  it("ends with the limiter once changes in progress are answered or time out", async () => {
    const { admit, store, limiter } = guarded();
    const [first, second] = [(await admit()) as Admitted, (await admit()) as Admitted];
    store.mode = "hang";
    let isClosed = false;
    const close = async () => {
      await limiter.close();
      isClosed = true;
    };
    void first.end("nothing");
    const closing = close();
    await settled();
    expect([store.held, isClosed]).toEqual([1, false]);
    store.answerHeld();
    await closing;
    void second.end("nothing");
    const late = close();
    await timeOut();
    await late;
  });
});

describe("a store that does not answer", () => {
  it("is not used after five failures in a row, is tried every second, and is used again when it answers", async () => {
    const { admit, store, clock, events, errors, limiter } = guarded();
    store.mode = "reject";
    for (let n = 0; n < 100; n += 1) expect((await admit({ user: `u${n}`, ip: `${n}` })).admitted).toBe(true);
    expect(store.calls.decide + store.calls.adjust).toBe(5);
    expect(errors).toEqual([expect.objectContaining({ message: "connection lost" })]);
    expect(limiter.status()).toMatchObject({ state: "open", failures: 5, reason: "connection lost" });

    clock.advance(1200);
    for (let n = 0; n < 100; n += 1) await admit();
    expect(store.calls.decide + store.calls.adjust).toBe(6);

    store.mode = "answer";
    clock.advance(1200);
    expect(await admit({ user: "bob", ip: "bob" })).toMatchObject({ decidedBy: "store" });
    await settled();
    expect(limiter.status()).toMatchObject({
      state: "closed",
      failures: 0,
      reason: undefined,
      nextProbeAt: 0,
    });
    expect(events.map(({ from, to }) => `${from} > ${to}`)).toEqual([
      "closed > open",
      "open > half-open",
      "half-open > open",
      "open > half-open",
      "half-open > closed",
    ]);
    expect(events[0]).toMatchObject({ store: "scripted", reason: "connection lost" });
    expect(limiter.status().counters).toMatchObject({ probes: 2, failures: 6 });
  });

  it("is tried by one request at a time", async () => {
    const { admit, store, fail, clock } = guarded();
    await fail();
    store.mode = "hang";
    clock.advance(1200);
    const probe = admit();
    const others = await Promise.all([admit(), admit(), admit()]);
    expect(others.every(({ decidedBy }) => decidedBy === "outage-policy")).toBe(true);
    expect(store.held).toBe(1);
    store.answerHeld();
    expect((await probe).decidedBy).toBe("store");
  });

  it("is still used if successes come between the failures", async () => {
    const { admit, store, limiter, errors } = guarded();
    for (let n = 0; n < 20; n += 1) {
      store.mode = n % 3 === 0 ? "answer" : "throw";
      await admit();
    }
    expect(limiter.status().state).toBe("closed");
    expect(errors.length).toBeGreaterThan(1);
  });

  it("is reported on the console when it fails and when it answers again, if there is no listener", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const clock = fakeClock();
    const store = scriptedStore();
    const layers = [{ name: "user", key: (user: string) => user, limits: "5/minute" }];
    const limiter = createLimiter<string>({ name: "chat", layers, store, clock, onError: () => {} });
    store.mode = "reject";
    for (let n = 0; n < 50; n += 1) {
      await limiter.admit("a");
      clock.advance(100);
    }
    store.mode = "answer";
    clock.advance(1200);
    await limiter.peek("a");
    await settled();
    expect(warn.mock.calls.flat()).toEqual([
      'headgate: The store "scripted" does not answer (connection lost): the outage policies decide until it does.',
      expect.stringMatching(/^headgate: The store "scripted" answers again after \d+ s\.$/),
    ]);
    warn.mockRestore();
  });

  it("does not affect requests if a listener fails", async () => {
    const fails = () => {
      throw new Error("listener");
    };
    const silence = vi.spyOn(console, "error").mockImplementation(() => {});
    const { fail, admit } = guarded({ onOutage: fails, onError: fails });
    await fail();
    expect((await admit()).admitted).toBe(true);
    silence.mockRestore();
  });

  it("cannot be reset, and says so", async () => {
    const { limiter, store, admit, left } = guarded();
    await admit();
    store.mode = "reject";
    await expect(limiter.reset(alice)).rejects.toThrow("connection lost");
    store.mode = "answer";
    await limiter.reset(alice);
    expect(left()).toEqual([5, 60, 30]);
  });

  it("cannot be the memory store, whose status has no counters", () => {
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "a", key: (a) => a, limits: "1/second" }],
    });
    expect(limiter.status()).toMatchObject({
      store: "memory",
      remote: false,
      state: "closed",
      counters: undefined,
    });
    expect(limiter.admit("a")).toMatchObject({ admitted: true, decidedBy: "store" });
  });

  it("is not called if no layer applies", async () => {
    const { limiter, store } = guarded({ layers: [{ name: "user", key: () => null, limits: "1/minute" }] });
    expect(await limiter.admit(alice)).toMatchObject({ admitted: true, limits: [], decidedBy: "store" });
    expect(store.calls.decide).toBe(0);
  });
});

describe("outage policies", () => {
  const layers = (user: object, ip: object = {}): LimiterOptions<Caller>["layers"] => [
    { name: "user", key: (caller) => caller.user, limits: "10/minute; 1000 tokens/hour", ...user },
    { name: "ip", key: (caller) => caller.ip, limits: "30/minute", ...ip },
  ];

  it("count locally, up to the whole quota", async () => {
    const { admit, fail } = guarded();
    await fail();
    const admitted: boolean[] = [];
    for (let n = 0; n < 7; n += 1) admitted.push((await admit()).admitted);
    expect(admitted).toEqual([true, true, true, true, true, false, false]);
    expect(await admit()).toMatchObject({
      reason: "quota-exceeded",
      retryAfterSeconds: 60,
      decidedBy: "outage-policy",
    });
  });

  it("count locally, up to a share of the quota, and report that share as the quota", async () => {
    const { admit, fail, clock } = guarded({ layers: layers({ outage: { policy: "local", instances: 4 } }) });
    await fail();
    const first = await admit();
    expect(first.limits.map(({ quota, remaining }) => [quota, remaining])).toEqual([
      [2, 1],
      [250, 250],
      [30, 29],
    ]);
    await admit();
    const refused = (await admit()) as Refused;
    expect(refused).toMatchObject({ admitted: false, binding: { name: "user-per-minute", quota: 2 } });
    clock.advance(refused.retryAfterMs - 1);
    expect((await admit()).admitted).toBe(false);
    clock.advance(1);
    expect((await admit()).admitted).toBe(true);
  });

  it("do not refuse a request permanently if only the local share is too small for it", async () => {
    const { admit, fail } = guarded({ layers: layers({ outage: { policy: "local", instances: 10 } }) });
    await fail();
    expect(await admit(alice, { tokens: 500 })).toMatchObject({
      admitted: false,
      reason: "store-unavailable",
      retryAfterSeconds: expect.toBeOneOf([1, 2]),
    });
    expect(await admit(alice, { tokens: 1001 })).toMatchObject({ reason: "cost-exceeds-quota" });
    expect((await admit(alice, { tokens: 100 })).admitted).toBe(true);
  });

  it("admit without counting, and leave the layer out of the reported limits", async () => {
    const { admit, fail, recover, left } = guarded({ layers: layers({ outage: "admit" }) });
    await fail();
    for (let n = 0; n < 30; n += 1) {
      const admission = (await admit()) as Admitted;
      expect(admission.limits.map(({ layer }) => layer)).toEqual(["ip"]);
      await admission.end({ tokens: 400 });
    }
    expect(await admit()).toMatchObject({ admitted: false, binding: { layer: "ip" } });
    await recover();
    expect(left()).toEqual([10, 1000, 0]);
  });

  it("refuse, and then nothing is spent in any layer", async () => {
    const { admit, fail, recover, left, clock, limiter } = guarded({
      layers: layers({}, { outage: "refuse" }),
    });
    await fail();
    for (let n = 0; n < 5; n += 1) {
      expect(await admit()).toMatchObject({
        admitted: false,
        reason: "store-unavailable",
        binding: { layer: "ip", remaining: 0 },
        affordable: { requests: 0 },
        decidedBy: "outage-policy",
      });
    }
    const { retryAfterMs } = (await admit()) as Refused;
    expect(clock.now() + retryAfterMs).toBeGreaterThanOrEqual(limiter.status().nextProbeAt);
    expect(retryAfterMs).toBeGreaterThanOrEqual(1000);
    expect(limiter.status().waiting).toBe(0);
    await recover();
    expect(left()).toEqual([10, 1000, 30]);
  });

  it("refuse only requests that a layer would count", async () => {
    const { admit, fail } = guarded({ layers: layers({}, { outage: "refuse" }) });
    await fail();
    expect((await admit(alice, { requests: 0, tokens: 5 })).admitted).toBe(true);
  });

  it("report a cost above the quota, even if another layer refuses", async () => {
    const { admit, fail, clock } = guarded({ layers: layers({}, { outage: "refuse" }) });
    await fail();
    clock.advance(100);
    expect(((await admit(alice, { tokens: 2000 })) as Refused).reason).toBe("cost-exceeds-quota");
  });

  it("decide extensions during a stream, and both parts are settled where they were charged", async () => {
    const { admit, fail, recover, left } = guarded({ layers: layers({}) });
    const admission = (await admit(alice, { tokens: 400 })) as Admitted;
    await fail();
    expect(await admission.extend({ tokens: 300 })).toMatchObject({ admitted: true });
    expect(await admission.extend({ tokens: 900 })).toMatchObject({ admitted: false });
    await recover();
    expect(left()).toEqual([9, 300, 29]);
    await admission.end({ tokens: 50 });
    await settled();
    expect(left()).toEqual([9, 950, 29]);
  });

  it("also apply to a custom store that fails", async () => {
    const store = { ...scriptedStore(), name: "own", remote: false as const };
    store.decide = () => {
      throw new Error("out of memory");
    };
    const limiter = createLimiter<Caller>({
      name: "chat",
      layers: layers({}, { outage: "refuse" }),
      store,
      onError: () => {},
    });
    expect(await limiter.admit(alice)).toMatchObject({ admitted: false, reason: "store-unavailable" });
  });

  it.each([
    ["open", '"local", "admit", "refuse" or { policy: "local", instances: 10 }, got "open"'],
    [{ policy: "admit", instances: 1 }, "The outage policy of layer"],
    [null, "got null"],
    [
      { policy: "local", instances: 0 },
      'The instances of layer "user" must be a whole number from 1 to 1000000, got 0.',
    ],
    [{ policy: "local", instances: 1.5 }, "got 1.5"],
    [{ policy: "local", instances: Number.NaN }, "got NaN"],
    [{ policy: "local", instances: "ten" }, 'got "ten"'],
    [{ policy: "local", share: 0.1 }, 'The outage policy of layer "user" has no option "share"'],
  ])("must be one of the three: %j", (outage, message) => {
    expect(() => guarded({ layers: layers({ outage }) })).toThrow(message);
  });
});
