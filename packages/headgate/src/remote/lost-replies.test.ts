import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission, Admitted, Known } from "../core/admission.ts";
import type { OutageOption } from "../core/outage-policy.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";

const second = 1000;
const asked = { id: "m1", fingerprint: "a", result: "stream 1" };

/** Two processes that share a store. The replies to the first can be lost. */
function processes(outage: OutageOption = { policy: "local", instances: 1 }, limits = "9/hour") {
  const clock = fakeClock();
  const memory = memoryStore();
  const store = scriptedStore(memory);
  const make = (shared: typeof store) =>
    createLimiter({
      name: "chat",
      clock,
      store: shared,
      layers: [
        { name: "user", key: (user: string) => user, limits: `${limits}; 1000 tokens/hour`, outage },
        { name: "ip", key: () => "127.0.0.1", limits: "20/hour", outage },
      ],
      onError() {},
      onOutage() {},
    });
  const [one, other] = [make(store), make(scriptedStore(memory))];

  /** Lets pending calls finish. */
  async function quiet(): Promise<void> {
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
  }

  return {
    clock,
    store,
    one,
    other,
    quiet,

    /** The remaining requests and tokens of the user, and the remaining requests of the address. */
    left: async () => (await other.peek("ann")).limits.map(({ remaining }) => remaining),

    /** Sends a request through the first process, and loses the store's reply. */
    async lose(how: "lose" | "hang", cost = {}): Promise<Admission | Known> {
      store.mode = how;
      const answer = one.admit("ann", { ...asked, cost });
      await quiet();
      store.mode = "answer";
      // Beyond the time limit of the call.
      await vi.advanceTimersByTimeAsync(251);
      return answer;
    },

    /** A third process claims the id, and dies. */
    async crash(): Promise<void> {
      const shared = scriptedStore(memory);
      await make(shared).admit("ann", asked);
      shared.mode = "reject";
    },

    /** The first process sends its pending changes. */
    async reconcile(): Promise<void> {
      clock.advance(2 * second);
      await one.peek("bob");
      await quiet();
    },
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe.each(["lose", "hang"] as const)("a claim whose reply is lost (%s)", (how) => {
  it("is charged once, if this process admits the request by itself", async () => {
    const { clock, one, other, lose, left, reconcile } = processes();
    const first = (await lose(how, { tokens: 100 })) as Admitted;
    expect(first).toMatchObject({ admitted: true, decidedBy: "outage-policy", attempt: 1 });
    expect(await one.admit("ann", asked)).toMatchObject({ state: "running", result: "stream 1" });
    expect(await other.admit("ann", asked)).toMatchObject({ state: "running", result: "stream 1" });
    await reconcile();
    expect(await left()).toEqual([8, 900, 19]);
    // Its heartbeat keeps the claim.
    for (let beats = 0; beats < 6; beats += 1) {
      clock.advance(10 * second);
      await reconcile();
    }
    expect(await other.admit("ann", asked)).toMatchObject({ state: "running" });
    await first.end({ tokens: 30 }, { result: "answer 1" });
    for (const limiter of [one, other])
      expect(await limiter.admit("ann", asked)).toMatchObject({ state: "done", result: "answer 1" });
    expect(await left()).toEqual([8, 970, 19]);
  });

  it("is done once, if the request ends before the store knows of it", async () => {
    const { store, one, other, lose, left, reconcile } = processes();
    const first = (await lose(how, { tokens: 100 })) as Admitted;
    store.mode = "reject";
    await first.end({ tokens: 30 }, { result: "answer 1" });
    store.mode = "answer";
    await reconcile();
    for (const limiter of [one, other])
      expect(await limiter.admit("ann", asked)).toMatchObject({ state: "done", result: "answer 1" });
    expect(await left()).toEqual([8, 970, 19]);
  });

  it("is charged nothing and is free, if the request ends with nothing", async () => {
    const { other, lose, left, reconcile } = processes();
    const first = (await lose(how, { tokens: 100 })) as Admitted;
    await first.end("nothing");
    await reconcile();
    expect(await left()).toEqual([9, 1000, 20]);
    expect(await other.admit("ann", asked)).toMatchObject({ admitted: true, attempt: 1 });
    expect(await left()).toEqual([8, 1000, 19]);
  });

  it("stays with its owner, although the late reply says that it was admitted", async () => {
    const { store, other, lose, left, quiet, reconcile } = processes();
    const first = (await lose(how, { tokens: 100 })) as Admitted;
    store.answerHeld();
    await quiet();
    await reconcile();
    expect(await other.admit("ann", asked)).toMatchObject({ state: "running" });
    expect(await left()).toEqual([8, 900, 19]);
    await first.end({ tokens: 30 });
    expect(await other.admit("ann", asked)).toMatchObject({ state: "done" });
    expect(await left()).toEqual([8, 970, 19]);
  });

  it.each([
    ["refuse", "refuse"],
    ["local, and the share is used up", { policy: "local", instances: 1 }],
  ] as const)("is cancelled, if the outage policy refuses: %s", async (_, outage) => {
    const { store, one, other, lose, left, quiet, reconcile } = processes(outage, "9/hour; 1 concurrent");
    let held: Admitted | undefined;
    if (outage !== "refuse") {
      store.mode = "reject";
      held = (await one.admit("ann")) as Admitted;
      store.mode = "answer";
    }
    expect(await lose(how, { tokens: 100 })).toMatchObject({ admitted: false });
    await held?.end("nothing");
    store.answerHeld();
    await quiet();
    await reconcile();
    expect(await left()).toEqual([9, 1, 1000, 20]);
    const next = (await other.admit("ann", asked)) as Admitted;
    expect(next).toMatchObject({ admitted: true, attempt: 1 });
    await next.end();
    expect(await one.admit("ann", asked)).toMatchObject({ state: "done" });
    expect(await left()).toEqual([8, 1, 1000, 19]);
  });

  it("is cancelled, if the outage policy admits without counting", async () => {
    const { other, lose, left, reconcile } = processes("admit");
    const first = (await lose(how, { tokens: 100 })) as Admitted;
    expect(first).toMatchObject({ admitted: true });
    await first.end();
    await reconcile();
    expect(await left()).toEqual([9, 1000, 20]);
    expect(await other.admit("ann", asked)).toMatchObject({ admitted: true, attempt: 1 });
  });

  it("is cancelled later, if the store cannot be reached at first", async () => {
    const { store, other, lose, left, reconcile } = processes("refuse");
    const adjust = store.adjust;
    store.adjust = () => Promise.reject(new Error("connection lost"));
    expect(await lose(how, { tokens: 100 })).toMatchObject({ admitted: false });
    await reconcile();
    expect(await left()).toEqual([8, 900, 19]);
    store.adjust = adjust;
    await reconcile();
    expect(await left()).toEqual([9, 1000, 20]);
    expect(await other.admit("ann", asked)).toMatchObject({ admitted: true, attempt: 1 });
  });
});

describe("a claim whose request is lost", () => {
  it.each([false, true])("is known in this process until the store knows it (ended: %s)", async (ended) => {
    const { store, one, other, left, quiet, reconcile } = processes();
    const { adjust } = store;
    store.adjust = () => Promise.reject(new Error("connection lost"));
    store.mode = "reject";
    const first = (await one.admit("ann", asked)) as Admitted;
    store.mode = "answer";
    if (ended) await first.end(undefined, { result: "answer 1" });
    await quiet();
    const known = ended ? { state: "done", result: "answer 1" } : { state: "running", result: "stream 1" };
    expect(await one.admit("ann", asked)).toMatchObject({ ...known, decidedBy: "outage-policy" });
    expect(await one.admit("ann", { ...asked, fingerprint: "b" })).toMatchObject({ state: "conflict" });
    store.adjust = adjust;
    await reconcile();
    expect(await one.admit("ann", asked)).toMatchObject({ ...known, decidedBy: "store" });
    expect(await other.admit("ann", asked)).toMatchObject(known);
    expect(await left()).toEqual([8, 1000, 19]);
  });

  it("is free in this process, if the request ends with nothing", async () => {
    const { store, one, left } = processes();
    store.mode = "reject";
    const first = (await one.admit("ann", asked)) as Admitted;
    await first.end("nothing");
    store.mode = "answer";
    expect(await one.admit("ann", asked)).toMatchObject({ admitted: true, attempt: 1, decidedBy: "store" });
    expect(await left()).toEqual([8, 1000, 19]);
  });
});

describe.each(["lose", "hang"] as const)("a hold whose reply is lost (%s)", (how) => {
  it("is charged once", async () => {
    const { store, one, left, quiet, reconcile } = processes();
    store.mode = how;
    const answer = one.admit("ann", { cost: { tokens: 100 } });
    await quiet();
    store.mode = "answer";
    await vi.advanceTimersByTimeAsync(251);
    const first = (await answer) as Admitted;
    await reconcile();
    expect(await left()).toEqual([8, 900, 19]);
    await first.end({ tokens: 30 });
    expect(await left()).toEqual([8, 970, 19]);
  });
});

describe("what an id costs after a lost reply", () => {
  it.each(["lose", "hang"] as const)(
    "a take-over whose reply is lost pays for no more requests (%s)",
    async (how) => {
      const { clock, other, crash, lose, left, reconcile } = processes();
      await crash();
      clock.advance(31 * second);
      expect(await left()).toEqual([8, 1000, 19]);
      const next = (await lose(how, { tokens: 100 })) as Admitted;
      // The store knows that this is the second attempt, but this process does not.
      expect(next).toMatchObject({ admitted: true, attempt: 1 });
      await reconcile();
      expect(await left()).toEqual([8, 900, 19]);
      await next.end({ tokens: 30 }, { result: "answer 2" });
      expect(await other.admit("ann", asked)).toMatchObject({ state: "done", result: "answer 2" });
      expect(await left()).toEqual([8, 970, 19]);
    },
  );

  it.each([
    ["lose", "nothing"],
    ["lose", "unfinished"],
    ["hang", "nothing"],
    ["hang", "unfinished"],
  ] as const)("a take-over whose reply is lost stays paid, however it ends (%s, %s)", async (how, end) => {
    const { clock, other, crash, lose, left, reconcile } = processes();
    await crash();
    clock.advance(31 * second);
    const next = (await lose(how, { tokens: 100 })) as Admitted;
    await reconcile();
    if (end === "nothing") await next.end("nothing");
    else await next.end({ tokens: 0 }, { done: false });
    const attempt = end === "nothing" ? 2 : 3;
    expect(await other.admit("ann", asked)).toMatchObject({ admitted: true, attempt });
    expect(await left()).toEqual([8, 1000, 19]);
  });

  it.each([
    [80, [8, 970, 19]],
    [100, [8, 970, 19]],
  ])("a lost reply before an outage of %i s", async (seconds, wanted) => {
    const { clock, store, other, lose, left, reconcile } = processes();
    const first = (await lose("lose", { tokens: 100 })) as Admitted;
    store.mode = "reject";
    clock.advance(seconds * second);
    await vi.advanceTimersByTimeAsync(seconds * second);
    store.mode = "answer";
    await reconcile();
    await reconcile();
    await first.end({ tokens: 30 }, { result: "answer 1" });
    await reconcile();
    expect(await other.admit("ann", asked)).toMatchObject({ state: "done", result: "answer 1" });
    // After 90 s the store has forgotten the reservation. The claim shows that its request was charged.
    expect(await left()).toEqual(wanted);
  });
});
