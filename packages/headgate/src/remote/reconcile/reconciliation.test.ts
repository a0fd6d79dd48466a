import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Admission, Admitted } from "../../core/admission.ts";
import type { OutageOption } from "../../core/outage-policy.ts";
import type { Timeouts } from "../../limiter/contract.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { type StoreMode, scriptedStore } from "../../testing/scripted-store.ts";

function limited(limits: string, outage: OutageOption = "local", timeouts: Timeouts = {}) {
  const clock = fakeClock();
  const shared = memoryStore();
  const store = scriptedStore(shared);
  const errors: unknown[] = [];
  const layers = [{ name: "user", key: (user: string) => user, limits, outage }];
  const limiter = createLimiter<string>({
    name: "chat",
    layers,
    store,
    timeouts,
    clock,
    onError: (error) => errors.push(error),
    onOutage: () => {},
  });
  /** Another process, which can still reach the store. */
  const other = createLimiter<string>({ name: "chat", layers, store: shared, clock });
  const left = (user = "alice") => (other.peek(user) as Admission).limits.map(({ remaining }) => remaining);
  const admit = async (cost = {}, user = "alice") => (await limiter.admit(user, { cost })) as Admitted;
  async function fail(mode: StoreMode = "reject") {
    store.mode = mode;
    for (let n = 0; n < 5; n += 1) await limiter.peek("alice");
  }
  async function recover() {
    store.mode = "answer";
    clock.advance(1200);
    await limiter.peek("probe");
    await settled();
  }
  return { clock, store, limiter, other, left, admit, fail, recover, errors };
}

async function settled() {
  for (let n = 0; n < 50; n += 1) await Promise.resolve();
}

describe("what was admitted without the store", () => {
  it("is charged to it afterwards, once per partition", async () => {
    const { admit, fail, recover, left, store, limiter } = limited("50/minute; 600/hour");
    await admit();
    await fail();
    for (let n = 0; n < 30; n += 1) await admit();
    for (let n = 0; n < 3; n += 1) await admit({}, "bob");
    expect(limiter.status().waiting).toBe(2);
    await recover();
    expect(left()).toEqual([19, 569]);
    expect(left("bob")).toEqual([47, 597]);
    expect(store.calls.adjust).toBe(2);
    expect(limiter.status()).toMatchObject({ state: "closed", waiting: 0, counters: { reconciled: 2 } });
  });

  it("is charged before the store decides again", async () => {
    const { admit, fail, store, clock, limiter, left } = limited("5/minute");
    await fail();
    for (let n = 0; n < 5; n += 1) await admit();
    store.mode = "answer";
    clock.advance(1200);
    expect((await limiter.admit("bob")).decidedBy).toBe("store");
    for (let n = 0; n < 5; n += 1) expect((await admit()).admitted).toBe(false);
    await settled();
    expect(left()).toEqual([0]);
  });

  it("is charged at once after a single failure", async () => {
    const { admit, store, left, limiter } = limited("5/minute");
    store.mode = "reject";
    const admission = admit();
    await Promise.resolve();
    store.mode = "answer";
    expect((await admission).decidedBy).toBe("outage-policy");
    await settled();
    expect(left()).toEqual([4]);
    expect(limiter.status().state).toBe("closed");
  });

  it("is not charged if its window is over", async () => {
    const { admit, fail, recover, store, clock, limiter } = limited("5/minute");
    await fail();
    await admit();
    clock.advance(60_000);
    await recover();
    expect(store.calls.adjust).toBe(0);
    expect(limiter.status().waiting).toBe(0);
  });

  it.each([
    ["60/hour token-bucket", 30, 1800, 60],
    ["60/hour token-bucket", 30, 600, 40],
    ["60/hour fixed-window", 30, 600, 30],
    ["60/hour fixed-window", 30, 3601, 60],
    ["60/hour fixed-window from first-use", 30, 3000, 30],
    ["60/hour sliding-counter", 30, 600, 30],
    // One window later it still has weight, so all of it is charged.
    ["60/hour sliding-counter", 30, 3700, 30],
    ["60/hour sliding-counter", 30, 7201, 60],
    ["60/day fixed-window in Europe/London", 30, 600, 30],
  ])(
    "is charged as far as it still counts: %s, %i spent, %i s ago",
    async (limits, spent, secondsAgo, remaining) => {
      const { admit, fail, recover, left, clock } = limited(limits);
      clock.set(Date.UTC(2026, 0, 1));
      await fail();
      await admit({ requests: spent });
      clock.advance(secondsAgo * 1000 - 1200);
      await recover();
      expect(left()).toEqual([remaining]);
    },
  );

  it("is charged in full, although this process had only a share of the quota", async () => {
    const { admit, fail, recover, left } = limited("60/hour", { policy: "local", instances: 10 });
    await fail();
    for (let n = 0; n < 9; n += 1) await admit();
    await recover();
    expect(left()).toEqual([54]);
  });

  it("is not charged if it was refunded meanwhile, and is refunded if it was charged", async () => {
    const { admit, fail, recover, left } = limited("9/hour; 1000 tokens/hour sliding-window");
    await fail();
    const [first, second, third] = [
      await admit({ tokens: 100 }),
      await admit({ tokens: 200 }),
      await admit({ tokens: 300 }),
    ];
    await first.end("nothing");
    await recover();
    expect(left()).toEqual([7, 500]);
    await second.end({ tokens: 50 });
    await third.report({ tokens: 400 });
    await settled();
    expect(left()).toEqual([7, 550]);
    await third.end("nothing");
    await third.end("nothing");
    await settled();
    expect(left()).toEqual([8, 950]);
  });

  it("is refunded correctly while other charges of the same moment are being sent", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const limits = "50/minute; 1000 tokens/minute sliding-window";
    // A store that hangs counts as down at once.
    const { admit, recover, left, store } = limited(limits, "local", { connectMs: 0 });
    store.mode = "hang";
    const late = async (cost: { tokens: number }) => {
      const admission = admit(cost);
      await vi.advanceTimersByTimeAsync(252);
      return admission;
    };
    await late({ tokens: 0 });
    expect(store.calls.adjust).toBe(1);
    const second = await late({ tokens: 100 });
    const third = await late({ tokens: 30 });
    const ending = second.end("nothing");
    await vi.advanceTimersByTimeAsync(252);
    await ending;
    store.answerHeld();
    await recover();
    expect(left()).toEqual([48, 970]);
    await third.end("nothing");
    await settled();
    expect(left()).toEqual([49, 1000]);
  });

  it("is refunded once if the store refunded it and the answer was lost", async () => {
    const { admit, fail, recover, left, store } = limited("9/hour");
    await fail();
    const one = await admit({ requests: 2 });
    await admit({ requests: 3 });
    await recover();
    expect(left()).toEqual([4]);
    store.mode = "lose";
    await one.end("nothing");
    await settled();
    expect(left()).toEqual([6]);
    for (let n = 0; n < 3; n += 1) await recover();
    expect(left()).toEqual([6]);
  });

  it("is refunded correctly over several outages", async () => {
    const { admit, fail, recover, left, clock } = limited("9/hour; 1000 tokens/hour sliding-window");
    await fail();
    const first = await admit({ tokens: 100 });
    await recover();
    await fail();
    clock.advance(1);
    const second = await admit({ tokens: 200 });
    await first.end({ tokens: 10 });
    expect(left()).toEqual([8, 900]);
    await recover();
    expect(left()).toEqual([7, 790]);
    await second.end("nothing");
    await settled();
    expect(left()).toEqual([8, 990]);
  });

  it("is refunded at least in part, and never too much, after more charge times than are remembered", async () => {
    const { admit, fail, recover, left, clock } = limited("900/hour");
    await fail();
    const all: Admitted[] = [];
    for (let n = 0; n < 500; n += 1) {
      all.push(await admit());
      clock.advance(1);
    }
    await recover();
    expect(left()).toEqual([400]);
    for (const one of all.slice(0, 100)) await one.end("nothing");
    await settled();
    await recover();
    expect(left()[0]).toBeLessThanOrEqual(500);
    expect(left()[0]).toBeGreaterThan(400);
  });

  it("keeps waiting if the store fails again during reconciliation", async () => {
    const { admit, fail, recover, left, store, clock, limiter } = limited("5/minute");
    await fail();
    for (let n = 0; n < 8; n += 1) await admit({}, `user${n}`);
    store.mode = "answer";
    clock.advance(1200);
    const probing = limiter.peek("probe");
    store.mode = "reject";
    await probing;
    await settled();
    expect(limiter.status()).toMatchObject({ state: "open", waiting: 8 });
    await recover();
    for (let n = 0; n < 8; n += 1) expect(left(`user${n}`)).toEqual([4]);
  });

  it("is dropped beyond a maximum, the oldest first, and the dropped charges are counted", async () => {
    const { admit, fail, recover, left, limiter, errors } = limited("5/hour");
    await fail();
    for (let n = 0; n < 10_100; n += 1) await admit({}, `user${n}`);
    expect(limiter.status()).toMatchObject({ waiting: 10_000, counters: { dropped: 100 } });
    expect(errors.map(String)).toEqual([
      "Error: connection lost",
      'Error: More than 10000 changes wait for the store "scripted": the oldest are dropped.',
    ]);
    await recover();
    for (let n = 0; n < 20; n += 1) await settled();
    expect(left("user99")).toEqual([5]);
    expect(left("user100")).toEqual([4]);
    expect(left("user10099")).toEqual([4]);
  });

  it("is forgotten if the caller is reset", async () => {
    const { admit, fail, recover, left, limiter } = limited("5/hour");
    await fail();
    await admit();
    await admit();
    await expect(limiter.reset("alice")).rejects.toThrow("connection lost");
    expect((await admit()).limits.map(({ remaining }) => remaining)).toEqual([4]);
    await recover();
    expect(left()).toEqual([4]);
  });

  it("is forgotten if the caller is reset, under all limits that the policy had meanwhile", async () => {
    const { admit, fail, recover, left, limiter } = limited("5/hour");
    await fail();
    await admit();
    limiter.setPolicy([{ name: "user", limits: "6/hour" }]);
    await admit();
    await expect(limiter.reset("alice")).rejects.toThrow("connection lost");
    await recover();
    expect(left()).toEqual([5]);
  });

  it("counts until the later charge leaves its window, if two charges are merged", async () => {
    const { admit, fail, recover, left, clock } = limited("99/minute", { policy: "local", instances: 1 });
    await fail();
    for (let n = 0; n < 20; n += 1) {
      await admit();
      clock.advance(1000);
    }
    // `recover` then moves the clock past 60 s after the first charge, which was merged with the second one.
    clock.advance(39_100);
    await recover();
    expect(left()[0]).toBeLessThanOrEqual(99 - 19);
  });
});

describe("a charge that was made during an outage and removed by a reset", () => {
  it.each([0, 1])("is not refunded from later charges, %i ms later", async (later) => {
    const { admit, fail, recover, left, limiter, clock } = limited("5/hour");
    await fail();
    const forgotten = await admit({ requests: 3 });
    await expect(limiter.reset("alice")).rejects.toThrow("connection lost");
    clock.advance(later);
    await admit({ requests: 2 });
    await forgotten.end("nothing");
    await recover();
    expect(left()).toEqual([3]);
  });

  it("does not prevent refunds of later charges", async () => {
    const { admit, fail, recover, left, limiter } = limited("5/hour");
    await fail();
    await admit({ requests: 3 });
    await expect(limiter.reset("alice")).rejects.toThrow("connection lost");
    const since = await admit({ requests: 2 });
    await since.end("nothing");
    await recover();
    expect(left()).toEqual([5]);
  });

  it("is not refunded even if it had reached the store before the reset", async () => {
    const { admit, fail, recover, left, limiter } = limited("5/hour");
    await fail();
    const forgotten = await admit({ requests: 3 });
    await recover();
    await limiter.reset("alice");
    await admit({ requests: 2 });
    await forgotten.end("nothing");
    await settled();
    expect(left()).toEqual([3]);
  });
});

describe("concurrency places that are in use while the store is down", () => {
  it("are held in it afterwards, one by one, and released", async () => {
    const { admit, fail, recover, left } = limited("3 concurrent per 30 seconds");
    await fail();
    const first = await admit();
    const second = await admit();
    await recover();
    expect(left()).toEqual([1]);
    await first.end();
    await settled();
    expect(left()).toEqual([2]);
    await second.end();
    expect(left()).toEqual([3]);
  });

  it("are not sent if they have ended meanwhile", async () => {
    const { admit, fail, recover, left, store } = limited("3 concurrent per 30 seconds");
    await fail();
    await (await admit()).end();
    await recover();
    expect(left()).toEqual([3]);
    expect(store.calls.adjust).toBe(0);
  });

  it("are held again if they are still in use after an outage longer than their lease", async () => {
    const { admit, fail, recover, left, clock } = limited("3 concurrent per 30 seconds");
    const first = await admit();
    await fail();
    const second = await admit();
    // Heartbeats fail meanwhile.
    for (let n = 0; n < 4; n += 1) {
      clock.advance(11_000);
      await settled();
    }
    await recover();
    expect(left()).toEqual([1]);
    await first.end();
    await settled();
    expect(left()).toEqual([2]);
    await second.end();
    await settled();
    expect(left()).toEqual([3]);
  });

  it("are released afterwards if the store gave them and was down at their end", async () => {
    const { admit, fail, recover, left } = limited("3 concurrent; 9/hour");
    const first = await admit();
    await admit();
    await fail();
    await first.end();
    expect(left()).toEqual([1, 7]);
    await recover();
    expect(left()).toEqual([2, 7]);
  });
});

describe("what is settled while the store is down", () => {
  const limits = "9/hour; 1000 tokens/hour sliding-window";

  it.each<StoreMode>(["reject", "throw"])(
    "is settled afterwards, with the last reported use (%s)",
    async (mode) => {
      const { admit, fail, recover, left, limiter, errors } = limited(limits);
      const [one, two, three] = [
        await admit({ tokens: 100 }),
        await admit({ tokens: 100 }),
        await admit({ tokens: 100 }),
      ];
      await fail(mode);
      await one.report({ tokens: 40 });
      await one.end({ tokens: 10 });
      await two.report({ tokens: 400 });
      await two.end({ tokens: 300 });
      await three.report({ tokens: 500 });
      await three.end("nothing");
      expect(left()).toEqual([6, 700]);
      expect(limiter.status().waiting).toBe(3);
      await recover();
      expect(left()).toEqual([7, 690]);
      expect(limiter.status().waiting).toBe(0);
      expect(errors).toHaveLength(1);
    },
  );

  it("is settled even if its own call was the first that failed", async () => {
    const { admit, store, left, recover } = limited(limits);
    const one = await admit({ tokens: 100 });
    store.mode = "reject";
    await one.end("nothing");
    expect(left()).toEqual([8, 900]);
    await recover();
    expect(left()).toEqual([9, 1000]);
  });

  it("is never refunded twice if the first refund may have been applied", async () => {
    const { admit, store, left, recover, limiter } = limited(limits);
    const one = await admit({ tokens: 500 });
    store.mode = "lose";
    await one.end({ tokens: 200 });
    expect(left()).toEqual([8, 800]);
    await recover();
    await one.end({ tokens: 200 });
    expect(left()).toEqual([8, 800]);
    expect(limiter.status().counters?.inDoubt).toBe(1);
  });

  it("is charged once if the first charge may have been applied", async () => {
    const { admit, store, left, recover } = limited(limits);
    const one = await admit({ tokens: 100 });
    store.mode = "lose";
    await one.end({ tokens: 300 });
    await recover();
    expect(left()).toEqual([8, 700]);
  });

  it("is not sent if its windows ended long before the store recovers", async () => {
    const { admit, fail, recover, left, clock, store } = limited("9/minute; 1000 tokens/minute");
    const one = await admit({ tokens: 100 });
    await fail();
    await one.end({ tokens: 900 });
    clock.advance(120_000);
    await recover();
    expect(left()).toEqual([9, 1000]);
    expect(store.calls.adjust).toBe(0);
  });

  describe("by a call that hangs", () => {
    beforeEach(() => vi.useFakeTimers());
    afterEach(() => vi.useRealTimers());

    it("is refunded once, when the result of the call is known", async () => {
      const { admit, store, left, recover, limiter } = limited(limits);
      const one = await admit({ tokens: 500 });
      store.mode = "hang";
      const settling = one.end({ tokens: 200 });
      await vi.advanceTimersByTimeAsync(251);
      await settling;
      store.rejectHeld();
      await recover();
      // The call was applied, and then the connection broke.
      expect(left()).toEqual([8, 800]);
      expect(limiter.status().counters?.inDoubt).toBe(1);
    });

    it("is in doubt if the call never ends, and does not delay later changes", async () => {
      const { admit, store, left, limiter } = limited(limits);
      const one = await admit({ tokens: 500 });
      store.mode = "hang";
      const settling = one.report({ tokens: 150 });
      await vi.advanceTimersByTimeAsync(251);
      await settling;
      store.mode = "answer";
      await vi.advanceTimersByTimeAsync(9_900);
      expect(limiter.status().counters?.inDoubt).toBe(0);
      await vi.advanceTimersByTimeAsync(200);
      expect(limiter.status().counters?.inDoubt).toBe(1);
      await one.end({ tokens: 200 });
      await settled();
      expect(left()).toEqual([8, 800]);
    });

    it("is corrected afterwards if it was settled again meanwhile", async () => {
      const { admit, store, left } = limited(limits);
      const one = await admit({ tokens: 500 });
      store.mode = "hang";
      const settling = one.report({ tokens: 200 });
      await vi.advanceTimersByTimeAsync(251);
      await settling;
      const again = one.end({ tokens: 300 });
      await vi.advanceTimersByTimeAsync(251);
      await again;
      store.mode = "answer";
      store.answerHeld();
      await settled();
      expect(left()).toEqual([8, 700]);
    });
  });
});

describe("changes that are made at the same time", () => {
  it("add up to the last reported use", async () => {
    const { admit, left } = limited("9/hour; 1000 tokens/hour sliding-window");
    const one = await admit({ tokens: 100 });
    await Promise.all([one.report({ tokens: 300 }), one.report({ tokens: 400 }), one.end({ tokens: 350 })]);
    await settled();
    expect(left()).toEqual([8, 650]);
  });
});
