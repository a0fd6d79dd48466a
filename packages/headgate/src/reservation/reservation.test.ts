import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admission, Admitted, Refused } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { Book, type ReservationServices } from "./book.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { mintRid } from "./rid.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** @param process a stopped process has no timers, so its heartbeats do not run. */
function limited(limits: string, process: "running" | "stopped" = "running") {
  const clock = fakeClock();
  const shared = memoryStore();
  const store = scriptedStore(shared);
  const layers = [{ name: "user", key: (user: string) => user, limits }];
  const limiter = createLimiter<string>({
    name: "chat",
    layers,
    store,
    clock: process === "running" ? clock : { now: clock.now },
    onError: () => {},
    onOutage: () => {},
  });
  /** Another process that can still reach the store. */
  const other = createLimiter<string>({ name: "chat", layers, store: shared, clock });
  const left = (user = "alice") => (other.peek(user) as Admission).limits.map(({ remaining }) => remaining);
  const admit = async (cost = {}, user = "alice") => (await limiter.admit(user, { cost })) as Admitted;
  /** Advances the clock and the timers, a second at a time. */
  async function pass(seconds: number) {
    for (let n = 0; n < seconds; n += 1) {
      clock.advance(1000);
      await vi.advanceTimersByTimeAsync(1000);
    }
  }
  return { clock, store, limiter, left, admit, pass };
}

async function settled() {
  for (let n = 0; n < 50; n += 1) await Promise.resolve();
}

describe("an end", () => {
  it("takes precedence over an extension under way", async () => {
    const { admit, store, left } = limited("9/minute; 2000 tokens/day");
    const one = await admit({ tokens: 1000 });
    store.mode = "hang";
    const extending = one.extend({ tokens: 500 });
    const ending = one.end({ tokens: 300 });
    store.mode = "answer";
    store.answerHeld();
    expect(await extending).toMatchObject({ admitted: false, reason: "ended" });
    await ending;
    await settled();
    expect(left()).toEqual([8, 1700]);
  });

  it("is final", async () => {
    const { admit, left } = limited("9/minute; 1000 tokens/day");
    const [nothing, some] = [await admit({ tokens: 300 }), await admit({ tokens: 300 })];
    await nothing.end("nothing");
    await some.end({ tokens: 100 });
    for (const one of [nothing, some]) {
      expect(await one.extend({ tokens: 100 })).toMatchObject({
        admitted: false,
        reason: "ended",
        retryAfterMs: Number.POSITIVE_INFINITY,
      });
      await one.report({ tokens: 900 });
      await one.end({ tokens: 0 });
      await one.end("nothing");
    }
    expect(left()).toEqual([8, 900]);
  });

  it("counts the reported use, or the whole grant if nothing was reported", async () => {
    const { admit, left } = limited("9/minute; 1000 tokens/day; 500 pages/day; 3 concurrent");
    const one = await admit({ tokens: 300, pages: 20 });
    await one.report({ pages: 3 });
    await one.end();
    expect(left()).toEqual([8, 700, 497, 3]);
  });

  it("makes no call if nothing was held and nothing changes", async () => {
    const { admit, store } = limited("9/minute");
    const one = await admit();
    await one.end();
    expect([one.holds, store.calls.adjust]).toEqual([false, 0]);
  });

  it("happens at the end of an `await using` block", async () => {
    const { admit, left } = limited("9/minute; 1 concurrent");
    {
      await using one = await admit();
      expect([one.holds, left()]).toEqual([true, [8, 0]]);
    }
    expect(left()).toEqual([8, 1]);
  });
});

describe("use that was reported in several steps", () => {
  it("is given back newest first", async () => {
    const { admit, clock, left } = limited("9/hour; 10 tokens/minute sliding-window");
    const one = await admit({ tokens: 10 });
    await one.report({ tokens: 3 });
    clock.advance(10_000);
    await one.report({ tokens: 5 });
    clock.advance(10_000);
    await one.report({ tokens: 7 });
    await one.end({ tokens: 4 });
    expect(left()).toEqual([8, 6]);
    clock.advance(40_000);
    expect(left()).toEqual([8, 9]);
  });
});

describe("an extension", () => {
  it("grants what is affordable, but no less than atLeast", async () => {
    const { admit, left } = limited("9/minute; 1000 tokens/day");
    const one = await admit({ tokens: 400 });
    expect(await one.extend({ tokens: 900, atLeast: 700 })).toMatchObject({ admitted: false });
    expect(left()).toEqual([8, 600]);
    expect(await one.extend({ tokens: 900, atLeast: 100 })).toEqual({
      admitted: true,
      granted: { tokens: 600 },
    });
    expect(left()).toEqual([8, 0]);
    await one.end({ tokens: 900 });
    expect(left()).toEqual([8, 100]);
  });

  it.each([0, 1.5, 901])("refuses atLeast: %s for a request of 900", async (atLeast) => {
    const one = await limited("9/minute; 1000 tokens/day").admit({ tokens: 400 });
    expect(() => one.extend({ tokens: 900, atLeast })).toThrow(
      `atLeast must be a whole number from 1 up to the requested amount, got ${atLeast}.`,
    );
  });

  it("waits for earlier extensions and for reports", async () => {
    const { admit, left } = limited("9/minute; 1000 tokens/day");
    const one = await admit({ tokens: 100 });
    const [first, , second] = await Promise.all([
      one.extend({ tokens: 200 }),
      one.report({ tokens: 50 }),
      one.extend({ tokens: 300 }),
    ]);
    expect([first.admitted, second.admitted, left()]).toEqual([true, true, [8, 400]]);
    await one.end({ tokens: 550 });
    expect(left()).toEqual([8, 450]);
  });

  it("keeps use that was reported while the store could not be reached", async () => {
    const { admit, store, left, pass } = limited("9/minute; 1000 tokens/day");
    const one = await admit({ tokens: 400 });
    store.mode = "reject";
    await one.report({ tokens: 350 });
    store.mode = "answer";
    expect(await one.extend({ tokens: 200 })).toMatchObject({ admitted: true });
    expect(left()).toEqual([8, 400]);
    await pass(3);
    expect(left()).toEqual([8, 400]);
    await one.end({ tokens: 500 });
    expect(left()).toEqual([8, 500]);
  });

  it("that overtakes a report does not lose it", async () => {
    const { admit, store, left } = limited("9/hour");
    const one = await admit();
    const { adjust } = store;
    let arrive = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    store.adjust = async (adjustments, now) => {
      await arrival;
      return adjust(adjustments, now);
    };
    const reporting = one.report({ requests: 5 });
    store.adjust = adjust;
    expect((await one.extend({ requests: 2 })).admitted).toBe(true);
    arrive();
    await reporting;
    await settled();
    // 5 reported, and 2 more.
    expect(left()).toEqual([2]);
    await one.end({ requests: 5 });
    await settled();
    expect(left()).toEqual([4]);
  });

  it("can hold units for a request that held nothing before", async () => {
    const { admit, left } = limited("9/minute; 1000 tokens/day");
    const one = await admit();
    expect(one.holds).toBe(false);
    await one.extend({ tokens: 200 });
    expect([one.holds, left()]).toEqual([true, [8, 800]]);
    await one.end("nothing");
    expect(left()).toEqual([9, 1000]);
  });
});

describe("a hold", () => {
  it("is kept alive by one call for all reservations of a process, only while they are in use", async () => {
    const { admit, pass, left, store } = limited("900/hour; 90000 tokens/day; 500 concurrent");
    const all = [];
    for (let n = 0; n < 100; n += 1) all.push(await admit({ tokens: 100 }));
    await pass(65);
    expect(store.calls.adjust).toBe(6);
    expect(left()).toEqual([800, 80_000, 400]);
    for (const one of all) await one.end({ tokens: 10 });
    expect(left()).toEqual([800, 89_000, 500]);
    const calls = store.calls.adjust;
    await pass(65);
    expect(store.calls.adjust).toBe(calls);
  });

  it("lapses if its process is gone, and is not restored by late calls", async () => {
    const { admit, clock, left } = limited("9/hour; 1000 tokens/day; 1 concurrent", "stopped");
    const one = await admit({ tokens: 600 });
    await one.report({ tokens: 100 });
    clock.advance(30_000);
    expect(left()).toEqual([8, 900, 1]);
    await one.report({ tokens: 200 });
    expect(left()).toEqual([8, 800, 1]);
    await one.end({ tokens: 300 });
    expect(left()).toEqual([8, 700, 1]);
  });

  it("is kept alive by the clock's timers, however far the clock jumps", async () => {
    const { admit, clock, left, store } = limited("9/hour; 1000 tokens/day fixed-window; 1 concurrent");
    const one = await admit({ tokens: 600 });
    await one.report({ tokens: 100 });
    clock.advance(3_600_000);
    await settled();
    expect(left()).toEqual([9, 400, 0]);
    await one.end({ tokens: 300 });
    expect(left()).toEqual([9, 700, 1]);
    const before = store.calls.adjust;
    clock.advance(3_600_000);
    expect(store.calls.adjust).toBe(before);
  });

  it("counts as fully used once nothing refers to the reservation", async () => {
    const clock = fakeClock();
    const store = memoryStore();
    const limits = "1000 tokens/day; 1 concurrent";
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (key) => key, limits }],
      store,
      clock,
    });
    const one = limiter.admit("a", { cost: { tokens: 400 } }) as Admitted;
    const left = () => (limiter.peek("a") as Admission).limits.map(({ remaining }) => remaining);
    expect([one.admitted, left()]).toEqual([true, [600, 0]]);

    const heartbeat = createHeartbeat(clock, () => {});
    const services: ReservationServices = {
      now: clock.now,
      report: () => {},
      units: new Set(["requests", "tokens", "concurrent"]),
      decide: () => {
        throw new Error("not asked");
      },
      holds: () => {},
      released: heartbeat.remove,
      mintRid,
    };
    const { charges, ledger, layers, hold, outcome } = ruling(limiter, one);
    const book = new Book(
      { charges, ledger, layers, hold, outcome, decidedBy: "store" },
      { layers, charges },
      services,
      { shows: () => {} },
    );
    heartbeat.add(book, { deref: () => undefined } as WeakRef<object>);
    await heartbeat.beat();
    expect(left()).toEqual([600, 1]);
    heartbeat.stop();
  });

  it("makes others wait at most until it lapses, and reports waitsFor: holders", async () => {
    const { admit, clock } = limited("9/hour; 1000 tokens/day; 2 concurrent", "stopped");
    await admit({ tokens: 900 });
    clock.advance(10_000);
    const refused = (await admit({ tokens: 200 })) as unknown as Refused;
    expect(refused).toMatchObject({ waitsFor: "holders", retryAfterMs: 20_000, affordable: { tokens: 100 } });
    expect(refused.tightest?.name).toBe("user-tokens-per-day");
  });
});

/** The final refusal of the admission, as the limiter received it. */
function ruling(_limiter: unknown, admission: Admitted) {
  return (admission as unknown as { ruling: import("../core/ruling.ts").Ruling }).ruling;
}
