import { type RedisCluster, startCluster } from "@headgate/test-servers/redis.ts";
import { Cluster } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Claim } from "../../core/claim.ts";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits, type LimitsInput } from "../../core/limit-set.ts";
import type { Charge, Hold, Outcome } from "../../core/store.ts";
import { mintRid } from "../../reservation/rid.ts";
import type { IoredisClient } from "./commands.ts";
import { type RedisStore, redisStore } from "./index.ts";

const longestTestMs = 60_000;

/** Intercepts one call to Redis. Calls `send` to send it. */
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

function storeThrough(passage: Passage): RedisStore {
  const through: IoredisClient = {
    evalsha: (sha, count, ...words) =>
      passage(words[0] as string, () => client.evalsha(sha, count, ...words)),
    eval: (text, count, ...words) => passage(words[0] as string, () => client.eval(text, count, ...words)),
    once: (event, listener) => client.once(event, listener),
    status: "ready",
    isCluster: true,
  };
  return redisStore(through);
}

function chargeOf(limits: LimitsInput, key: string, space: string, cost?: Record<string, number>): Charge {
  const compiled = compileLimits(space, limits);
  return { space, key, limits: compiled, ...amountsOf(compiled, cost) };
}

function claimOf({ space, key }: Charge, more?: Partial<Claim>): Claim {
  return { space, key, id: "m1", fingerprint: "", result: "stream", leaseMs: 30_000, ...more };
}

const newHold = (): Hold => ({ rid: mintRid(), seq: 1 });

async function remaining(charge: Charge, by: RedisStore = store): Promise<number | undefined> {
  return ((await by.decide([charge], 0, true)) as Outcome).readings[0]?.[0]?.remaining;
}
async function expectSoon(charges: readonly Charge[], wanted: readonly number[]): Promise<void> {
  await vi.waitFor(
    async () => expect(await Promise.all(charges.map((one) => remaining(one)))).toEqual(wanted),
    { timeout: 10_000, interval: 20 },
  );
}

describe("an id that is claimed in one slot and charged in others", () => {
  it("is free after another slot has refused", async () => {
    const [user, ip] = [chargeOf("5/hour", "refused", "user"), chargeOf("1/hour", "refused", "ip")];
    await store.decide([ip], 0, false);
    const refused = await store.decide([user, ip], 0, false, newHold(), claimOf(user));
    expect(refused).toMatchObject({ admitted: false });
    expect(refused.attempt).toBeUndefined();
    await expectSoon([user, ip], [5, 0]);
    await store.reset([ip], 0);
    const admitted = await store.decide([user, ip], 0, false, newHold(), claimOf(user));
    expect(admitted).toMatchObject({ admitted: true, attempt: 1 });
    const again = await store.decide([user, ip], 0, false, newHold(), claimOf(user));
    expect(again).toMatchObject({ admitted: false, known: { state: "running", result: "stream" } });
    await expectSoon([user, ip], [4, 0]);
  });

  it.each(["user", "ip"])("is free after the reply of a slot was lost: %s", async (lossy) => {
    const [user, ip] = [chargeOf("5/hour", `to ${lossy}`, "user"), chargeOf("5/hour", `to ${lossy}`, "ip")];
    let lost = 0;
    const by = storeThrough(async (key, send) => {
      const reply = await send();
      if (!key.includes(`{${lossy}`) || lost > 0) return reply;
      lost += 1;
      throw new Error("Connection is closed.");
    });
    await expect(by.decide([user, ip], 0, false, newHold(), claimOf(user))).rejects.toMatchObject({
      inDoubt: true,
    });
    await expectSoon([user, ip], [5, 5]);
    const admitted = await store.decide([user, ip], 0, false, newHold(), claimOf(user));
    expect(admitted).toMatchObject({ admitted: true, attempt: 1 });
  });

  it("leaves the request in doubt if its reply was lost, and asks no other slot", async () => {
    const [user, ip] = [chargeOf("5/hour", "doubt", "user"), chargeOf("5/hour", "doubt", "ip")];
    let lost = 0;
    let others = 0;
    const by = storeThrough(async (key, send) => {
      if (key.includes("{ip")) {
        others += 1;
        throw new Error("CLUSTERDOWN The cluster is down");
      }
      const reply = await send();
      if (lost > 0) return reply;
      lost += 1;
      throw new Error("Connection is closed.");
    });
    await expect(by.decide([user, ip], 0, false, newHold(), claimOf(user))).rejects.toMatchObject({
      inDoubt: true,
    });
    expect(others).toBe(0);
    await expectSoon([user, ip], [5, 5]);
  });

  it("is kept by the next attempt of its reservation, although a copy of a cancel arrives late", async () => {
    const [user, ip] = [chargeOf("5/hour", "copy", "user"), chargeOf("5/hour", "copy", "ip")];
    const held: (() => Promise<unknown>)[] = [];
    let calls = 0;
    const by = storeThrough(async (key, send) => {
      if (!key.includes("{user")) return send();
      calls += 1;
      // Call 1: the reply is lost. Call 2, the cancel, is delayed, so the store sends it again.
      if (calls === 2) {
        held.push(send);
        throw new Error("Command timed out");
      }
      const reply = await send();
      if (calls === 1) throw new Error("Connection is closed.");
      return reply;
    });
    const hold = newHold();
    await expect(by.decide([user, ip], 0, false, hold, claimOf(user))).rejects.toThrow();
    expect(await by.decide([user, ip], 0, false, hold, claimOf(user))).toMatchObject({
      admitted: true,
      attempt: 1,
    });
    await held[0]?.();
    expect(await Promise.all([user, ip].map((c) => remaining(c)))).toEqual([4, 4]);
    expect(await store.decide([user, ip], 0, false, newHold(), claimOf(user))).toMatchObject({
      known: { state: "running" },
    });
  });

  it.each(["before", "after"])(
    "is kept by its reservation, which reports %s the cancel arrives",
    async (when) => {
      const [user, ip] = [
        chargeOf("5/hour", `owner ${when}`, "user"),
        chargeOf("5/hour", `owner ${when}`, "ip"),
      ];
      const held: (() => Promise<unknown>)[] = [];
      const replied: string[] = [];
      const by = storeThrough(async (key, send) => {
        const [slot = ""] = /(?<=\{)\w+/.exec(key) ?? [];
        // The first reply of the slot `ip` is lost. In the case "before", the next two calls, both cancels, are late.
        if (!replied.includes(slot) && slot === "ip") {
          replied.push(slot);
          await send();
          throw new Error("Connection is closed.");
        }
        if (replied.includes("ip") && when === "before" && held.length < 2) {
          held.push(send);
          throw new Error("Command timed out");
        }
        return send();
      });
      const hold = newHold();
      const claim = claimOf(user);
      await expect(by.decide([user, ip], 0, false, hold, claim)).rejects.toMatchObject({ inDoubt: true });
      const { id, fingerprint, result, leaseMs } = claim;
      await store.adjust(
        [user, ip].map(({ space, key, limits }) => ({
          space,
          key,
          limits,
          rid: hold.rid,
          seq: 2,
          ended: false,
          raises: true,
          known: [0],
          used: [1],
          held: [0],
          refunds: [],
          ...(space === "user"
            ? {
                claim: {
                  id,
                  fingerprint,
                  result,
                  leaseMs,
                  attempt: 1,
                  requests: 1,
                  state: "running" as const,
                },
              }
            : {}),
        })),
        0,
      );
      for (const send of held) await send();
      await expectSoon([user, ip], [4, 4]);
      expect(await store.decide([user, ip], 0, false, newHold(), claim)).toMatchObject({
        known: { state: "running", result: "stream" },
      });
      await by.close();
    },
  );

  it("is charged once for 40 simultaneous requests from three processes", async () => {
    const charges = [
      chargeOf("5/hour", "at once", "user"),
      chargeOf("9/hour", "at once", "ip"),
      chargeOf("3 concurrent", "at once", "org"),
    ];
    const stores = [store, redisStore(client), redisStore(client)];
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        (stores[n % 3] as RedisStore).decide(charges, 0, false, newHold(), claimOf(charges[0] as Charge)),
      ),
    );
    expect(outcomes.filter(({ admitted }) => admitted)).toHaveLength(1);
    expect(outcomes.filter(({ known }) => known?.state === "running")).toHaveLength(39);
    await expectSoon(charges, [4, 8, 2]);
  });
});

describe("an attempt that takes over across slots", () => {
  const cost = { tokens: 100 };
  /** Admits a first attempt at the id, with a lease that ends at once, so that its owner counts as silent. */
  async function silent(charges: readonly Charge[]): Promise<void> {
    const [first] = charges as [Charge];
    const claim = claimOf(first, { leaseMs: 0 });
    expect(await store.decide(charges, 0, false, newHold(), claim)).toMatchObject({
      admitted: true,
      attempt: 1,
    });
  }

  it("does not count if the second slot refuses it: the next one is attempt 2 again, and is not charged for requests either", async () => {
    const user = chargeOf("1/hour", "second", "user");
    const ip = chargeOf("1/day", "second", "ip");
    const [org, larger] = ["150 tokens/hour", "400 tokens/hour"].map((limits) =>
      chargeOf(limits, "second", "org", cost),
    ) as [Charge, Charge];
    await silent([user, org, ip]);
    for (let n = 0; n < 4; n += 1) {
      const refused = await store.decide([user, org, ip], 0, false, newHold(), claimOf(user));
      expect(refused).toMatchObject({ admitted: false });
      expect(refused.known).toBeUndefined();
    }
    await expectSoon([user, org, ip], [0, 50, 0]);
    const next = await store.decide([user, larger, ip], 0, false, newHold(), claimOf(user));
    expect(next).toMatchObject({ admitted: true, attempt: 2 });
    await expectSoon([user, larger, ip], [0, 200, 0]);
  });

  it("reports no wait for request limits, which it is not charged for, if the first slot refuses it", async () => {
    const user = chargeOf("1/hour; 150 tokens/hour", "first", "user", cost);
    const ip = chargeOf("1/day", "first", "ip");
    await silent([user, ip]);
    const refused = await store.decide([user, ip], 0, false, newHold(), claimOf(user));
    expect(refused).toMatchObject({ admitted: false });
    expect(refused.attempt).toBeUndefined();
    const waits = refused.readings.map((readings) => readings.map(({ waitMs }) => waitMs > 0));
    expect(waits).toEqual([[false, true], [false]]);
  });
});
