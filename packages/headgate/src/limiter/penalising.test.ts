import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission, Refused } from "../core/admission.ts";
import type { OutageOption } from "../core/outage-policy.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { createLimiter } from "./limiter.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

interface Caller {
  user: string | null;
  ip: string | null;
}

const alice: Caller = { user: "alice", ip: "203.0.113.7" };

function signIns(outage: OutageOption = "local") {
  const clock = fakeClock();
  const shared = memoryStore();
  const store = scriptedStore(shared);
  const decided: Admission[] = [];
  const layers = [
    { name: "user", key: ({ user }: Caller) => user, limits: "5/minute; 20/hour", outage },
    { name: "ip", key: ({ ip }: Caller) => ip, limits: "30/minute; 1000 tokens/hour sliding-window", outage },
  ];
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers,
    store,
    clock,
    onDecision: ({ admission }) => decided.push(admission),
    onError: () => {},
    onOutage: () => {},
  });
  /** Another process that can still reach the store. */
  const other = createLimiter<Caller>({ name: "chat", layers, store: shared, clock });
  const left = (caller: Caller = alice) =>
    (other.peek(caller) as Admission).limits.map(({ remaining }) => remaining);
  async function recover() {
    store.mode = "answer";
    for (let n = 0; n < 3; n += 1) {
      clock.advance(1200);
      await limiter.peek({ user: "probe", ip: "probe" });
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(limiter.status()).toMatchObject({ state: "closed", waiting: 0 });
  }
  return { clock, store, limiter, left, decided, recover };
}

describe("penalise", () => {
  it("charges every layer in one call, and admits nothing", async () => {
    const { limiter, left, store, decided } = signIns();
    await limiter.penalise(alice, { requests: 3 });
    expect(left()).toEqual([2, 17, 27, 1000]);
    expect(store.calls).toMatchObject({ decide: 0, adjust: 1 });
    expect(decided).toEqual([]);
  });

  it("is one request by default, and charges only named units", async () => {
    const { limiter, left } = signIns();
    await limiter.penalise(alice);
    await limiter.penalise(alice, { tokens: 250 });
    expect(left()).toEqual([4, 19, 29, 750]);
  });

  it("goes into debt, which must leave the window before a request is admitted", async () => {
    const { limiter, clock, left } = signIns();
    await limiter.penalise(alice, { requests: 8 });
    expect(left()).toEqual([0, 12, 22, 1000]);
    clock.advance(1000);
    const refused = (await limiter.admit(alice)) as Refused;
    expect(refused).toMatchObject({ admitted: false, retryAfterMs: 59_000 });
    clock.advance(59_000);
    expect((await limiter.admit(alice)).admitted).toBe(true);
  });

  it("leaves out layers that do not apply, and does nothing if none applies", async () => {
    const { limiter, left, store } = signIns();
    await limiter.penalise({ user: null, ip: alice.ip });
    expect(left()).toEqual([5, 20, 29, 1000]);
    const calls = { ...store.calls };
    await limiter.penalise({ user: null, ip: null });
    expect(store.calls).toEqual(calls);
  });

  it("is synchronous over a synchronous store", () => {
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits: "2/minute" }],
    });
    expect(limiter.penalise("alice", { requests: 2 })).toBeUndefined();
    expect((limiter.admit("alice") as Admission).admitted).toBe(false);
  });

  it("counts in this process while the store is down, and is sent once afterwards", async () => {
    const { limiter, store, left, recover } = signIns();
    store.mode = "reject";
    for (let n = 0; n < 5; n += 1) await limiter.peek(alice);
    expect(limiter.status().state).toBe("open");
    await limiter.penalise(alice, { requests: 5 });
    expect(await limiter.admit(alice)).toMatchObject({ admitted: false, decidedBy: "outage-policy" });
    await recover();
    expect(left()).toEqual([0, 15, 25, 1000]);
  });

  it("is sent afterwards even if its own call was the first to fail", async () => {
    const { limiter, store, left, recover } = signIns();
    store.mode = "reject";
    await limiter.penalise(alice, { requests: 2 });
    await recover();
    expect(left()).toEqual([3, 18, 28, 1000]);
  });

  it("is sent afterwards even if no request was admitted meanwhile", async () => {
    const { limiter, store, left, recover } = signIns("refuse");
    store.mode = "reject";
    for (let n = 0; n < 5; n += 1) await limiter.peek(alice);
    await limiter.penalise(alice, { requests: 2 });
    await recover();
    expect(left()).toEqual([3, 18, 28, 1000]);
  });

  it("is not counted during an outage under the policy admit", async () => {
    const { limiter, store, left, recover } = signIns("admit");
    store.mode = "reject";
    for (let n = 0; n < 5; n += 1) await limiter.peek(alice);
    await limiter.penalise(alice, { requests: 2 });
    await recover();
    expect(left()).toEqual([5, 20, 30, 1000]);
  });

  it("refuses an invalid penalty, and says what is expected", async () => {
    const { limiter } = signIns();
    expect(() => limiter.penalise(alice, { requests: -1 })).toThrow("whole number from 0 up, got -1");
    expect(() => limiter.penalise(alice, { concurrent: 1 })).toThrow(
      'such as { requests: 5 }; it cannot take places ("concurrent").',
    );
    await limiter.close();
    expect(() => limiter.penalise(alice)).toThrow(/closed/);
  });
});
