import { type RedisCluster, startCluster } from "@headgate/test-servers/redis.ts";
import { Cluster } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits, type LimitsInput } from "../../core/limit-set.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import type { IoredisClient } from "./commands.ts";
import { type RedisStore, type RedisStoreOptions, redisStore } from "./index.ts";

const longestTestMs = 60_000;

/** What happens to one call. By default it is sent. */
type Passage = (key: string, send: () => Promise<unknown>) => Promise<unknown>;

let cluster: RedisCluster;
let client: Cluster;
/** Over a network without faults. */
let store: RedisStore;
beforeAll(async () => {
  cluster = await startCluster();
  client = new Cluster(cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })));
  store = redisStore(client);
  // Each node learns the script.
  const charges = Array.from({ length: 40 }, (_, n) => chargeOf("9/minute", `learn${n}`, "user"));
  await store.decide(charges, 0, false);
}, longestTestMs);
afterAll(async () => {
  client?.disconnect();
  await cluster?.remove();
});

function storeThrough(passage: Passage, options?: RedisStoreOptions): RedisStore {
  const through: IoredisClient = {
    evalsha: (sha, count, ...words) =>
      passage(words[0] as string, () => client.evalsha(sha, count, ...words)),
    eval: (text, count, ...words) => passage(words[0] as string, () => client.eval(text, count, ...words)),
    once: (event, listener) => client.once(event, listener),
    status: "ready",
    isCluster: true,
  };
  return redisStore(through, options);
}

function chargeOf(limits: LimitsInput, key: string, space: string, cost?: Record<string, number>): Charge {
  const compiled = compileLimits(space, limits);
  return { space, key, limits: compiled, ...amountsOf(compiled, cost) };
}

async function remaining(charge: Charge, by: RedisStore = store): Promise<number | undefined> {
  return ((await by.decide([charge], 0, true)) as Outcome).readings[0]?.[0]?.remaining;
}

/** Refunds in the background take a moment. */
async function expectSoon(charges: readonly Charge[], wanted: readonly number[]): Promise<void> {
  await vi.waitFor(
    async () => expect(await Promise.all(charges.map((one) => remaining(one)))).toEqual(wanted),
    {
      timeout: 10_000,
      interval: 20,
    },
  );
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe("a charge in one slot is refunded", () => {
  it.each([
    ["lost with its connection", "Connection is closed."],
    ["late", "Command timed out"],
  ])("if the reply of the other is %s", async (name, message) => {
    const [user, ip] = [chargeOf("5/hour", name, "user"), chargeOf("5/hour", name, "ip")];
    let lost = 0;
    const by = storeThrough(async (key, send) => {
      const reply = await send();
      if (!key.includes("user") || lost > 0) return reply;
      lost += 1;
      throw new Error(message);
    });
    await expect(by.decide([user, ip], 0, false)).rejects.toMatchObject({ inDoubt: true });
    await expectSoon([user, ip], [5, 5]);
  });

  it("if it arrives after it was cancelled", async () => {
    const [user, ip] = [chargeOf("5/hour", "late", "user"), chargeOf("5/hour", "late", "ip")];
    const late: (() => Promise<unknown>)[] = [];
    const by = storeThrough((key, send) => {
      if (!key.includes("user") || late.length > 0) return send();
      late.push(send);
      return Promise.reject(new Error("Command timed out"));
    });
    await expect(by.decide([user, ip], 0, false)).rejects.toThrow("could not be asked");
    // The cancel of this slot is acknowledged.
    await by.close();
    await late[0]?.();
    expect([await remaining(user), await remaining(ip)]).toEqual([5, 5]);
  });

  it("if the other refuses and the first cancel is lost", async () => {
    const [user, ip] = [chargeOf("5/hour", "again", "user"), chargeOf("1/hour", "again", "ip")];
    await store.decide([ip], 0, false);
    let calls = 0;
    const by = storeThrough((key, send) => {
      if (!key.includes("user")) return send();
      calls += 1;
      return calls === 2 ? Promise.reject(new Error("read ECONNRESET")) : send();
    });
    expect((await by.decide([user, ip], 0, false)).admitted).toBe(false);
    await expectSoon([user, ip], [5, 0]);
  });

  it("if it also holds something, and its reply is lost", async () => {
    const [user, org] = [
      chargeOf("900 tokens/day", "held", "user", { tokens: 100 }),
      chargeOf("3 concurrent", "held", "org"),
    ];
    let lost = 0;
    const by = storeThrough(async (key, send) => {
      const reply = await send();
      if (!key.includes("user") || lost > 0) return reply;
      lost += 1;
      throw new Error("Connection is closed.");
    });
    await expect(by.decide([user, org], 0, false, { rid: `${"0".repeat(23)}1`, seq: 1 })).rejects.toThrow();
    await expectSoon([user, org], [900, 3]);
  });

  it("before the reservation is requested again with the same number", async () => {
    const cost = { tokens: 300 };
    const charges = [
      chargeOf("900 tokens/day", "same", "user", cost),
      chargeOf("3 concurrent", "same", "org"),
    ];
    const hold = { rid: `${"0".repeat(23)}2`, seq: 1 };
    let calls = 0;
    const by = storeThrough(async (key, send) => {
      if (!key.includes("user")) return send();
      calls += 1;
      if (calls > 1 && calls <= 3) throw new Error("Command timed out");
      const reply = await send();
      if (calls === 1) throw new Error("Connection is closed.");
      return reply;
    });
    await expect(by.decide(charges, 0, false, hold)).rejects.toThrow("could not be asked");
    // The second cancel is not acknowledged either.
    await expect(by.decide(charges, 0, false, hold)).rejects.toMatchObject({ inDoubt: true });
    expect((await by.decide(charges, 0, false, hold)).admitted).toBe(true);
    await by.close();
    expect(await Promise.all(charges.map((one) => remaining(one)))).toEqual([600, 2]);
  });

  it("in every state of its unit, after the algorithm has changed", async () => {
    const user = chargeOf("1/hour", "changed", "user");
    const before = ["5/hour fixed-window", "7/hour", "9/hour sliding-counter", "6/hour token-bucket"];
    await store.decide([user], 0, false);
    for (const limits of before) await store.decide([chargeOf(limits, "changed", "ip")], 0, false);
    const left = () => Promise.all(before.map((limits) => remaining(chargeOf(limits, "changed", "ip"))));
    const known = await left();
    for (const limits of before) {
      const ip = chargeOf(limits, "changed", "ip");
      expect((await store.decide([user, ip], 0, false)).admitted).toBe(false);
      expect(await left()).toEqual(known);
    }
  });

  it("after two resets in the same millisecond", async () => {
    const by = redisStore(client, { clock: fakeClock(), prefix: "resets:" });
    const [user, ip] = [chargeOf("1/hour", "reset", "user"), chargeOf("5/hour", "reset", "ip")];
    await by.decide([user], 0, false);
    await by.decide([ip], 0, false);
    await by.reset([ip], 0);
    await by.decide([ip], 0, false);
    await by.reset([ip], 0);
    expect((await by.decide([user, ip], 0, false)).admitted).toBe(false);
    expect(await remaining(ip, by)).toBe(5);
  });

  it("unless a reset has already removed it", async () => {
    const by = redisStore(client, { clock: fakeClock(), prefix: "forgotten:" });
    const [user, ip] = [chargeOf("1/hour", "forgot", "user"), chargeOf("5/hour", "forgot", "ip")];
    await by.decide([user], 0, false);
    let resets = 0;
    const through = storeThrough(
      async (key, send) => {
        const reply = await send();
        if (key.includes("ip") && resets === 0) {
          resets += 1;
          await by.reset([ip], 0);
          await by.decide([ip], 0, false);
        }
        return reply;
      },
      { clock: fakeClock(), prefix: "forgotten:" },
    );
    expect((await through.decide([user, ip], 0, false)).admitted).toBe(false);
    expect(await remaining(ip, by)).toBe(4);
  });
});

describe("two requests that call two slots in opposite orders", () => {
  /** Each has taken the last unit of one slot before it asks the other slot. */
  function crosswise(): [RedisStore, RedisStore] {
    const [first, second] = [gate(), gate()];
    let [ofFirst, ofSecond] = [0, 0];
    return [
      storeThrough(async (key, send) => {
        ofFirst += 1;
        if (ofFirst > 2) return send();
        if (key.includes("one")) return send().finally(first.open);
        await second.opened;
        return send();
      }),
      storeThrough(async (key, send) => {
        ofSecond += 1;
        if (ofSecond > 2) return send();
        if (key.includes("two")) return send().finally(second.open);
        await first.opened;
        return send();
      }),
    ];
  }

  it.each([
    ["requests", "1/hour", undefined],
    ["places", "1 concurrent", "a"],
    ["tokens", "100 tokens/hour", "b"],
  ])("do not refuse each other: %s", async (name, limits, rid) => {
    const cost = rid === "b" ? { tokens: 100 } : undefined;
    const charges = ["one", "two"].map((space) => chargeOf(limits, name, space, cost));
    const hold = (n: number) =>
      rid === undefined ? undefined : { rid: `${"0".repeat(22)}${rid}${n}`, seq: 1 };
    const stores = crosswise();
    const outcomes = await Promise.all(stores.map((by, n) => by.decide(charges, 0, false, hold(n))));
    expect(outcomes.map(({ admitted }) => admitted).toSorted()).toEqual([false, true]);
    await expectSoon(charges, [0, 0]);
  });
});

describe("a refusal because of admitted requests of the same process", () => {
  it.each([
    ["decided", false],
    ["peeked at", true],
  ])("has its whole wait, if it is %s", async (name, peek) => {
    const [user, ip] = [chargeOf("40/hour", name, "user", { requests: 20 }), chargeOf("99/hour", name, "ip")];
    const more = chargeOf("40/hour", name, "user", { requests: 30 });
    const never = chargeOf("5/hour", name, "org", { requests: 6 });
    for (const others of [[], [ip], [never]]) {
      await store.reset([user], 0);
      expect((await store.decide([user, ip], 0, false)).admitted).toBe(true);
      const refused = await store.decide([more, ...others], 0, peek);
      expect(refused).toMatchObject({ admitted: false });
      expect(refused.contended).toBeUndefined();
      expect(refused.readings[0]?.[0]?.holders).toBeUndefined();
      expect(refused.readings[0]?.[0]?.waitMs).toBeGreaterThan(3_000_000);
    }
  });
});

describe("a refusal after a reset", () => {
  it("does not rest on a request whose charge the reset has forgotten", async () => {
    const [user, ip] = [chargeOf("3/hour", "forgotten", "user"), chargeOf("9/hour", "forgotten", "ip")];
    // It is charged in one slot, and not decided yet.
    const [reached, answered] = [gate(), gate()];
    const by = storeThrough(async (stored, send) => {
      if (!stored.includes("ip")) return send();
      reached.open();
      await answered.opened;
      return send();
    });
    const deciding = by.decide([user, ip], 0, false);
    await reached.opened;
    await vi.waitFor(async () => expect(await remaining(user)).toBe(2));
    await store.reset([user], 0);
    for (let n = 0; n < 3; n += 1) expect((await store.decide([user], 0, false)).admitted).toBe(true);
    for (const peek of [true, false]) {
      const refused = await store.decide([user], 0, peek);
      expect(refused).toMatchObject({ admitted: false });
      expect(refused.contended).toBeUndefined();
      expect(refused.readings[0]?.[0]?.waitMs).toBeGreaterThan(3_500_000);
    }
    answered.open();
    await deciding;
    await by.close();
  });
});

describe("a refusal because of a request that is not decided yet", () => {
  it.each([
    ["1/hour", undefined],
    ["1/hour token-bucket", undefined],
    ["1/hour fixed-window", undefined],
    ["1/hour sliding-counter", undefined],
    ["2000/hour", { requests: 2000 }],
    ["1/hour; 3/day; 2 concurrent", undefined],
    ["700 tokens/hour", { tokens: 400 }],
  ])("is contended, and its wait is short: %s", async (limits, cost) => {
    const key = `resting ${limits}`;
    const [user, ip] = [chargeOf(limits, key, "user", cost), chargeOf("9/hour", key, "ip")];
    const quota = user.limits.limits[0]?.quota ?? 0;
    const holds = user.holds === undefined ? undefined : { rid: `${"0".repeat(23)}c`, seq: 1 };
    const answered = gate();
    const reached = gate();
    const by = storeThrough(async (stored, send) => {
      if (stored.includes("ip")) {
        reached.open();
        await answered.opened;
      }
      return send();
    });
    const deciding = by.decide([user, ip], 0, false, holds);
    await reached.opened;
    await vi.waitFor(async () => expect(await remaining(user)).toBeLessThan(quota));
    const hold = (last: string) =>
      holds === undefined ? undefined : { ...holds, rid: `${"0".repeat(23)}${last}` };
    const other = chargeOf("9/hour", key, "org");
    for (const [charges, peek, last] of [
      [[user], false, "1"],
      [[user], true, "2"],
      [[user, other], false, "3"],
      [[user, other], true, "4"],
    ] as const) {
      const refused = await store.decide(charges, 0, peek, hold(last));
      expect(refused).toMatchObject({ admitted: false, contended: true });
      for (const { waitMs } of refused.readings.flat()) expect(waitMs).toBeLessThanOrEqual(5_000);
      expect(refused.readings[0]?.some(({ waitMs, holders }) => waitMs > 0 && holders)).toBe(true);
    }
    answered.open();
    expect((await deciding).admitted).toBe(true);
    await vi.waitFor(async () => {
      const refused = await store.decide([user, other], 0, false, hold("5"));
      expect(refused).toMatchObject({ admitted: false });
      expect(refused.contended).toBeUndefined();
    });
    expect(await remaining(other)).toBe(9);
  });
});
