import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission, Admitted, Refused } from "../core/admission.ts";
import type { Store } from "../core/store.ts";
import type { LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { type ScriptedStore, scriptedStore } from "../testing/scripted-store.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const storeMs = 250;

/** Processes that share one store. */
function world(processes: number, limits: string, timeouts: LimiterOptions<string>["timeouts"] = {}) {
  const clock = fakeClock();
  const shared = memoryStore();
  const members = Array.from({ length: processes }, () => {
    const scripted = scriptedStore(shared);
    const store: ScriptedStore = Object.assign(scripted, {
      countProcesses: async () => processes,
    } satisfies Partial<Store>);
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits }],
      store,
      timeouts,
      clock,
      onError: () => {},
      onOutage: () => {},
      onWarning: () => {},
    });
    return { store, limiter };
  });

  /** Advances both clocks. */
  async function advance(ms: number) {
    clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
  }
  /** Beyond the time limit, with time for a faked immediate. */
  async function timeOut<Answer>(answer: Answer | Promise<Answer>): Promise<Answer> {
    await advance(storeMs + 2);
    return answer;
  }
  const [first] = members;
  if (first === undefined) throw new Error("A world needs a process.");
  return { ...first, members, clock, advance, timeOut };
}

const admittedOf = (answers: readonly Admission[]) => answers.filter(({ admitted }) => admitted).length;

describe("a store that is slow", () => {
  it("is overloaded by eight processes, and together they admit its quota and one unit each at most", async () => {
    const { members, advance } = world(8, "1000/hour");
    for (const { limiter } of members) await limiter.admit("somebody else");
    for (const { store } of members) store.mode = "hang";
    const asked = members.map(({ limiter }) =>
      Promise.all(Array.from({ length: 1000 }, () => limiter.admit("alice"))),
    );
    let over = false;
    const all = Promise.all(asked).finally(() => {
      over = true;
    });
    // For several seconds, each answer takes 400 ms.
    for (let round = 0; round < 20; round += 1) {
      await advance(400);
      for (const { store } of members) store.answerHeld();
    }
    await advance(storeMs);
    expect(over).toBe(true);
    let byStore = 0;
    for (const answers of await all) {
      const alone = answers.filter(({ decidedBy }) => decidedBy === "outage-policy");
      expect(admittedOf(alone)).toBeLessThanOrEqual(1);
      byStore += admittedOf(answers) - admittedOf(alone);
    }
    expect(byStore).toBeLessThanOrEqual(1000);

    // Once the store is fast again, it decides for all of them, and includes what was admitted without it.
    for (const { store } of members) {
      store.mode = "answer";
      store.answerHeld();
    }
    for (let round = 0; round < 3; round += 1) {
      await advance(1300);
      for (const { limiter } of members) await limiter.peek("somebody else");
    }
    for (const { limiter } of members)
      expect(limiter.status()).toMatchObject({ state: "closed", waiting: 0 });
    const admitted = (await all).reduce((sum, answers) => sum + admittedOf(answers), 0);
    const [{ remaining } = { remaining: Number.NaN }] =
      (await members[0]?.limiter.peek("alice"))?.limits ?? [];
    expect(remaining).toBe(1000 - admitted);
  });

  it("lets each process admit one request per partition at once, and further ones at the rate of its share", async () => {
    const { store, limiter, advance, timeOut } = world(4, "4/minute", { connectMs: 60_000 });
    await limiter.admit("somebody else");
    store.mode = "hang";
    expect(await timeOut(limiter.admit("alice"))).toMatchObject({
      admitted: true,
      decidedBy: "outage-policy",
    });
    expect(await timeOut(limiter.admit("bob"))).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
    const refused = (await timeOut(limiter.admit("alice"))) as Refused;
    expect(refused).toMatchObject({
      admitted: false,
      reason: "store-unavailable",
      decidedBy: "outage-policy",
    });
    // Not the wait of the share: the store is asked again sooner.
    expect(refused.retryAfterMs).toBeGreaterThanOrEqual(1000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(1200);
    await advance(50_000);
    expect(await timeOut(limiter.admit("alice"))).toMatchObject({
      admitted: false,
      reason: "store-unavailable",
    });
  });

  it("admits requests within the share, at its rate", async () => {
    const { store, limiter, advance, timeOut } = world(4, "240/minute; 1000 tokens/minute", {
      connectMs: 60_000,
    });
    await limiter.admit("somebody else");
    store.mode = "hang";
    const admitted = async (tokens: number) =>
      (await timeOut(limiter.admit("alice", { cost: { tokens } }))).admitted;
    // The rate allows one request per second, and one token per 240 ms.
    expect(await admitted(0)).toBe(true);
    expect(await admitted(0)).toBe(false);
    await advance(500);
    expect(await admitted(100)).toBe(true);
    await advance(23_000);
    expect(await admitted(0)).toBe(false);
    await advance(1000);
    expect(await admitted(0)).toBe(true);
  });

  it("extends running requests up to the whole share", async () => {
    const { store, limiter, advance } = world(4, "100/minute; 4000 tokens/day");
    const admission = (await limiter.admit("alice", { cost: { tokens: 100 } })) as Admitted;
    store.mode = "hang";
    const extend = async () => {
      const extended = admission.extend({ tokens: 300 });
      // The extension is sent after pending calls, which may take as long.
      for (let n = 0; n < 4; n += 1) await advance(storeMs + 2);
      return extended;
    };
    for (let n = 0; n < 3; n += 1) {
      expect(await extend()).toMatchObject({ admitted: true });
    }
    expect(await extend()).toMatchObject({ admitted: false });
  });

  it("still counts as slow while it is not used, as long as late answers arrive", async () => {
    const { store, limiter, advance } = world(4, "400/hour", { connectMs: 2000 });
    await limiter.admit("alice");
    store.mode = "hang";
    for (let second = 0; second < 6; second += 1) {
      const asked = Array.from({ length: 20 }, () => limiter.admit(`user${second}`));
      await advance(1300);
      const answers = await Promise.all(asked);
      expect(answers.every(({ decidedBy }) => decidedBy === "outage-policy")).toBe(true);
      expect(admittedOf(answers)).toBe(1);
      store.answerHeld();
    }
  });
});

describe("a store that is down", () => {
  it("has sent nothing for the whole connect time limit; then the whole share counts", async () => {
    const { store, limiter, advance, timeOut } = world(4, "400/hour", { connectMs: 2000 });
    await limiter.admit("alice");
    // A store without calls does not count as silent.
    await advance(60_000);
    store.mode = "hang";
    await timeOut(Promise.all(Array.from({ length: 5 }, () => limiter.admit("bob"))));
    expect(limiter.status().state).toBe("open");
    const ask = async () =>
      admittedOf(await Promise.all(Array.from({ length: 200 }, () => limiter.admit("carol"))));
    expect(await ask()).toBe(1);
    await advance(1400);
    // One of them tries the store.
    expect(await timeOut(ask())).toBe(0);
    await advance(100);
    expect(await ask()).toBe(99);
  });

  it("is down at once if it refuses a connection", async () => {
    const { store, limiter, timeOut } = world(4, "400/hour");
    await limiter.admit("alice");
    store.mode = "hang";
    await timeOut(limiter.admit("bob"));
    store.mode = "reject";
    const answers = await timeOut(Promise.all(Array.from({ length: 200 }, () => limiter.admit("carol"))));
    expect(admittedOf(answers)).toBe(100);
  });
});
