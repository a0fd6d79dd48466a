import { describe, expect, it } from "vitest";
import type { Admission, Peek } from "../../core/admission.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { overflowAccounts } from "./accounts.ts";
import { memoryStore } from "./index.ts";

function limited(maxPartitions: number, limits = "2/minute") {
  const clock = fakeClock();
  const store = memoryStore({ maxPartitions });
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "key", key: (key) => key, limits }],
    store,
    clock,
  });
  const admit = (key: string) => limiter.admit(key) as Admission;
  return { clock, store, limiter, admit };
}

describe("memoryStore", () => {
  it("answers without a promise", () => {
    const { admit } = limited(10);
    expect(admit("a")).not.toBeInstanceOf(Promise);
    expect(admit("a").admitted).toBe(true);
  });

  it.each([0, -1, 1.5, Number.NaN, "many", 100_000_001])("refuses maxPartitions %s", (maxPartitions) => {
    expect(() => memoryStore({ maxPartitions: maxPartitions as number })).toThrow(
      `maxPartitions must be a whole number from 1 to 100000000, got ${typeof maxPartitions === "string" ? `"${maxPartitions}"` : maxPartitions}.`,
    );
  });

  it("keeps no data about refused and peeked callers", () => {
    const clock = fakeClock();
    const store = memoryStore();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [
        { name: "all", key: () => "all", limits: "1/minute" },
        { name: "key", key: (key) => key, limits: "5/minute" },
      ],
      store,
      clock,
    });
    limiter.admit("first");
    expect(store.size.partitions).toBe(2);
    for (let n = 0; n < 100; n += 1) limiter.admit(`refused${n}`);
    for (let n = 0; n < 100; n += 1) limiter.peek(`peeked${n}`);
    expect(store.size.partitions).toBe(2);
  });

  it("forgets only callers whose windows are over, as others arrive", () => {
    const { admit, clock, store } = limited(100_000);
    for (let n = 0; n < 1000; n += 1) admit(`old${n}`);
    clock.advance(59_999);
    for (let n = 0; n < 1000; n += 1) admit(`mid${n}`);
    expect(store.size.partitions).toBe(2000);
    clock.advance(1);
    for (let n = 0; n < 12_000; n += 1) admit(`new${n}`);
    expect(store.size.partitions).toBe(13_000);
    for (let n = 0; n < 1000; n += 1) {
      expect([admit(`mid${n}`).admitted, admit(`mid${n}`).admitted]).toEqual([true, false]);
    }
  });

  it("stays within its cap under a flood, and keeps every refused caller refused", () => {
    const { admit, store } = limited(1000);
    for (let n = 0; n < 1000; n += 1) {
      admit(`held${n}`);
      admit(`held${n}`);
    }
    for (let n = 0; n < 50_000; n += 1) admit(`flood${n}`);
    expect(store.size).toEqual({ partitions: 1000, maxPartitions: 1000 });
    for (let n = 0; n < 1000; n += 1) expect(admit(`held${n}`).admitted).toBe(false);
  });

  it("keeps callers without quota refused before, during and after a flood of new callers", () => {
    const { admit, store } = limited(5000, "2/minute");
    const spent: string[] = [];
    const spendAll = (key: string) => {
      while (admit(key).admitted);
      spent.push(key);
    };
    for (let n = 0; n < 50; n += 1) spendAll(`early${n}`);
    let letIn = 0;
    for (let n = 0; n < 100_000; n += 1) {
      admit(`flood${n}`);
      if (n % 1000 === 500) spendAll(`during${n}`);
      if (admit(spent[n % spent.length] as string).admitted) letIn += 1;
    }
    expect(spent.length).toBe(150);
    expect(letIn).toBe(0);
    expect(store.size.partitions).toBe(5000);
  });

  it("admits no caller beyond the limit while callers share overflow accounts, nor after", () => {
    const { admit, clock } = limited(1);
    admit("holder");
    const admitted = new Map<string, number>();
    const tryAll = () => {
      for (let n = 0; n < 3 * overflowAccounts; n += 1) {
        const key = `guest${n}`;
        for (let turn = 0; turn < 3; turn += 1) {
          if (admit(key).admitted) admitted.set(key, (admitted.get(key) ?? 0) + 1);
        }
      }
    };
    tryAll();
    const total = [...admitted.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(overflowAccounts);
    expect(total).toBeLessThanOrEqual(2 * overflowAccounts);
    // The holder's window ends and makes room. A caller who moves in keeps the count of the shared account.
    clock.advance(59_999);
    tryAll();
    expect(Math.max(...admitted.values())).toBe(2);
    clock.advance(1);
    expect(admit("guest0").admitted).toBe(true);
  });

  it("moves a caller out of an overflow account together with its count", () => {
    const { admit, clock, limiter } = limited(1, "2/2 minutes");
    const holder = limiter.admit("holder") as Admission;
    admit("guest");
    admit("guest");
    expect(admit("guest").admitted).toBe(false);
    if (holder.admitted) holder.end("nothing");
    clock.advance(60_000);
    expect(admit("guest").admitted).toBe(false);
    clock.advance(60_000);
    expect(admit("guest").admitted).toBe(true);
  });

  it("gives callers of shared accounts their own once there is room, even if they never stop asking", () => {
    const { admit, clock, store } = limited(100, "5/2 minutes");
    const guests = Array.from({ length: 10 }, (_, n) => `guest${n}`);
    for (let n = 0; n < 100; n += 1) admit(`holder${n}`);
    for (const guest of guests) admit(guest);
    clock.advance(119_999);
    for (const guest of guests) admit(guest);
    expect(store.size.partitions).toBe(100);
    // The holders' windows are over, but the guests' are not. Each guest moves out, and so makes room.
    clock.advance(1);
    for (const guest of guests) {
      let admitted = 0;
      for (let turn = 0; turn < 6; turn += 1) if (admit(guest).admitted) admitted += 1;
      expect(admitted).toBeLessThanOrEqual(4);
    }
    expect(store.size.partitions).toBeLessThan(100);
  });

  it("resets one caller of a shared account, and not the others in it", () => {
    const { admit, limiter } = limited(1);
    admit("holder");
    admit("guest");
    admit("guest");
    expect(admit("guest").admitted).toBe(false);
    limiter.reset("guest");
    expect(admit("guest").admitted).toBe(true);
    expect(admit("holder").admitted).toBe(true);
    expect(admit("holder").admitted).toBe(false);
  });

  it("keeps the reset of a caller in a shared account, even while others arrive", () => {
    const { admit, limiter } = limited(1);
    admit("holder");
    admit("guest");
    admit("guest");
    limiter.reset("guest");
    for (let n = 0; n < 50; n += 1) admit(`new${n}`);
    expect([admit("guest").admitted, admit("guest").admitted, admit("guest").admitted]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("loses nothing when the limits of a partition change with the caller", () => {
    const clock = fakeClock();
    const limiter = createLimiter<{ id: string; plan: string }>({
      name: "chat",
      layers: [
        {
          name: "user",
          key: ({ id }) => id,
          limits: ({ plan }) => plan,
          defaultLimits: "1/minute",
          units: ["requests"],
        },
      ],
      clock,
    });
    const admit = (plan: string) => (limiter.admit({ id: "a", plan }) as Admission).admitted;
    expect([admit("1/minute"), admit("1/minute")]).toEqual([true, false]);
    expect([admit("2/hour"), admit("2/hour")]).toEqual([true, false]);
    clock.advance(60_000);
    // The narrower plan must not have forgotten what the wider one counts.
    expect([admit("1/minute"), admit("2/hour")]).toEqual([true, false]);
    clock.advance(3_600_000 - 60_000);
    expect([admit("2/hour"), admit("2/hour")]).toEqual([true, false]);
  });

  it("gives callers who alternate between two plans one budget, the larger", () => {
    const clock = fakeClock();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [
        {
          name: "ip",
          key: () => "one",
          limits: (plan) => plan,
          defaultLimits: "2/hour token-bucket",
          units: ["requests"],
        },
      ],
      clock,
    });
    let admitted = 0;
    for (let n = 0; n < 20; n += 1) {
      for (const plan of ["2/hour token-bucket", "3/hour token-bucket"]) {
        if ((limiter.admit(plan) as Admission).admitted) admitted += 1;
      }
    }
    expect(admitted).toBe(3);
  });

  it("loses no charge if another charge of the request makes memory grow", () => {
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [
        { name: "all", key: () => "all", limits: "5000/day fixed-window" },
        { name: "key", key: (key) => key, limits: "5/day fixed-window; 7/day" },
      ],
    });
    for (let n = 1; n <= 3000; n += 1) {
      const { limits } = limiter.admit(`key${n}`) as Admission;
      expect(limits.map(({ remaining }) => remaining)).toEqual([5000 - n, 4, 6]);
    }
  });

  it("keeps plans apart while their states are created and deleted", () => {
    const clock = fakeClock();
    const plans = [
      "1/minute fixed-window from first-use",
      "1/minute fixed-window from first-use; 9/hour",
      "9/hour",
    ];
    const limiter = createLimiter<{ id: string; plan: string }>({
      name: "chat",
      layers: [
        {
          name: "user",
          key: ({ id }) => id,
          limits: ({ plan }) => plan,
          defaultLimits: "1/minute",
          units: ["requests"],
        },
      ],
      clock,
    });
    for (let round = 0; round < 50; round += 1) {
      for (let n = 0; n < 20; n += 1) {
        const caller = { id: `${round % 3} ${n}`, plan: plans[(round + n) % 2] as string };
        expect((limiter.admit(caller) as Admission).admitted).toBe(true);
        expect((limiter.admit(caller) as Admission).admitted).toBe(false);
        expect((limiter.peek({ ...caller, plan: "9/hour" }) as Peek).admitted).toBe(true);
      }
      clock.advance(60_000 * 30);
    }
  });
});
