import { race } from "@headgate/test-servers/race.ts";
import { type RedisCluster, type RedisServer, startCluster } from "@headgate/test-servers/redis.ts";
import { Cluster } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits, type LimitsInput } from "../../core/limit-set.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import { type RedisStore, redisStore } from "./index.ts";
import { slotOf } from "./partition-id.ts";

const longestTestMs = 60_000;

let cluster: RedisCluster;
let store: RedisStore;
beforeAll(async () => {
  cluster = await startCluster();
  store = redisStore(cluster.url);
}, longestTestMs);
afterAll(async () => {
  await store?.close();
  await cluster?.remove();
});

function chargeOf(limits: LimitsInput, key: string, space: string): Charge {
  const compiled = compileLimits(space, limits);
  return { space, key, limits: compiled, ...amountsOf(compiled, undefined) };
}

async function remaining(charge: Charge): Promise<number | undefined> {
  const outcome = (await store.decide([charge], 0, true)) as Outcome;
  return outcome.readings[0]?.[0]?.remaining;
}

/** The master that has a key. */
function nodeOf(key: string): RedisServer {
  const slot = slotOf(key);
  for (const line of (cluster.nodes[0] as RedisServer).command("cluster", "nodes").split("\n")) {
    const [, address = "", flags = "", , , , , , ...ranges] = line.split(" ");
    const holds = ranges.some((range) => {
      const [from = 0, to = from] = range.split("-").map(Number);
      return slot >= from && slot <= to;
    });
    const port = Number(/:(\d+)@/.exec(address)?.[1]);
    const node = cluster.nodes.find((one) => one.port === port);
    if (holds && flags.includes("master") && node !== undefined) return node;
  }
  throw new Error(`No master holds slot ${slot}.`);
}

describe("slots", () => {
  it.each(["123456789", "headgate:{user:account:42}", "foo{}{bar}", "headgate:{ip:å}", "{x}{y}"])(
    "of %s are the same as the cluster's",
    (key) => {
      expect(slotOf(key)).toBe(Number((cluster.nodes[0] as RedisServer).command("cluster", "keyslot", key)));
    },
  );
});

describe("layers in different slots", () => {
  it("are charged together, or refunded if one refuses, with exact waits", async () => {
    const [user, ip] = [chargeOf("1/minute", "a", "user"), chargeOf("5/hour; 9/day", "a", "ip")];
    expect((await store.decide([user, ip], 0, false)).admitted).toBe(true);
    expect([await remaining(user), await remaining(ip)]).toEqual([0, 4]);

    for (const charges of [
      [user, ip],
      [ip, user],
    ]) {
      const refused = await store.decide(charges, 0, false);
      expect(refused.admitted).toBe(false);
      const [ofUser, ofIp] = charges[0] === user ? refused.readings : refused.readings.toReversed();
      expect(ofUser?.[0]?.waitMs).toBeGreaterThan(50_000);
      expect(ofIp?.map(({ waitMs }) => waitMs)).toEqual([0, 0]);
      expect(ofIp?.map(({ remaining: left }) => left)).toEqual([4, 8]);
    }
    expect([await remaining(user), await remaining(ip)]).toEqual([0, 4]);
  });

  it("refund exactly the charges of an admitted request, for any clocks of the nodes", async () => {
    const rid = `${"0".repeat(23)}b`;
    const charges = [
      chargeOf("3/minute", "b", "user"),
      chargeOf("5/hour fixed-window", "b", "ip"),
      chargeOf("4 concurrent", "b", "org"),
      chargeOf("9/day sliding-counter", "b", "global"),
    ];
    const outcome = (await store.decide(charges, 0, false, { rid, seq: 1 })) as Outcome;
    expect(await Promise.all(charges.map(remaining))).toEqual([2, 4, 3, 8]);
    await store.adjust(
      charges.map(({ space, key, limits, spends }, c) => ({
        space,
        key,
        limits,
        rid,
        seq: 2,
        ended: true,
        raises: false,
        known: spends,
        used: spends.map(() => 0),
        held: [],
        refunds: spends.map((amount, group) => ({
          group,
          amount,
          chargedAt: outcome.now,
          mark: outcome.marks[c]?.[group] ?? 0,
        })),
      })),
      0,
    );
    expect(await Promise.all(charges.map(remaining))).toEqual([3, 5, 4, 9]);
  });

  it("keep the earlier holds of a reservation if one slot refuses an extension", async () => {
    const rid = `${"0".repeat(23)}e`;
    const [org, user] = ["1000 tokens/day", "700 tokens/day"].map((limits, n) => {
      return chargeOf(limits, "e", n === 0 ? "org" : "user");
    }) as [Charge, Charge];
    const holding = (charge: Charge, tokens: number, more: number): Charge => {
      return { ...charge, needs: [more], spends: [0], holds: [tokens] };
    };
    const ask = (tokens: number, more: number, seq: number) =>
      store.decide([holding(org, tokens, more), holding(user, tokens, more)], 0, false, { rid, seq });
    expect((await ask(500, 500, 1)).admitted).toBe(true);
    expect((await ask(701, 201, 2)).admitted).toBe(false);
    expect([await remaining(org), await remaining(user)]).toEqual([500, 200]);
    // Requested again with the same number, because the first call had no effect.
    expect((await ask(700, 200, 2)).admitted).toBe(true);
    expect([await remaining(org), await remaining(user)]).toEqual([300, 0]);
  });

  it("forget a reservation that one of them refused, and admit it when it asks again", async () => {
    const hold = { rid: `${"0".repeat(23)}f`, seq: 1 };
    const [org, user] = [chargeOf("3 concurrent", "f", "org"), chargeOf("1 concurrent", "f", "user")];
    const other = { rid: `${"0".repeat(23)}d`, seq: 1 };
    expect((await store.decide([user], 0, false, other)).admitted).toBe(true);
    expect((await store.decide([org, user], 0, false, hold)).admitted).toBe(false);
    expect(await remaining(org)).toBe(3);
    const { space, key, limits } = user;
    const end = {
      space,
      key,
      limits,
      ended: true,
      raises: false,
      known: [0],
      used: [0],
      held: [0],
      refunds: [],
    };
    await store.adjust([{ ...end, rid: other.rid, seq: 2 }], 0);
    expect((await store.decide([org, user], 0, false, hold)).admitted).toBe(true);
    expect([await remaining(org), await remaining(user)]).toEqual([2, 0]);
  });

  it("are decided in one call if the prefix puts all of them into one slot", async () => {
    const client = new Cluster(cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })));
    const together = redisStore(client, { prefix: "{headgate}:" });
    const charges = [chargeOf("5/minute", "c", "user"), chargeOf("5/minute", "c", "ip")];
    await together.decide(charges, 0, false);
    const node = nodeOf("{headgate}:");
    const calls = () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(node.command("info", "commandstats"))?.[1]);
    const before = calls();
    await together.decide(charges, 0, false);
    expect(calls() - before).toBe(1);
    client.disconnect();
  });
});

describe("eight processes at once", () => {
  it.each([
    [5, 50],
    [1_000, 300],
  ])(
    "are admitted exactly %i times by one layer",
    async (quota, attemptsEach) => {
      const layers = [{ name: "user", limits: `${quota}/hour` }];
      const admitted = await race({
        url: cluster.url,
        processes: 8,
        attemptsEach,
        layers,
        key: `one-${quota}`,
      });
      expect(admitted.reduce((sum, count) => sum + count, 0)).toBe(quota);
    },
    longestTestMs,
  );

  it.each([
    [5, 50],
    [1_000, 300],
  ])(
    "are admitted at most %i times by three, and leave no charge of a refused request",
    async (quota, attemptsEach) => {
      const layers = [
        { name: "user", limits: `${quota}/hour` },
        { name: "ip", limits: `${quota + 1}/hour` },
        { name: "org", limits: `${2 * quota}/day` },
      ];
      const key = `three-${quota}`;
      const each = await race({ url: cluster.url, processes: 8, attemptsEach, layers, key });
      const admitted = each.reduce((sum, count) => sum + count, 0);
      expect(admitted).toBeLessThanOrEqual(quota);
      const charges = layers.map(({ name, limits }) => chargeOf(limits, key, `chat/${name}`));
      expect(await Promise.all(charges.map(remaining))).toEqual([
        quota - admitted,
        quota + 1 - admitted,
        2 * quota - admitted,
      ]);
      // One after the other, without competing requests: the rest of the quota is still there.
      let more = 0;
      while ((await store.decide(charges, 0, false)).admitted) more += 1;
      expect(admitted + more).toBe(quota);
    },
    longestTestMs,
  );
});

describe("simultaneous reservations over several connections", () => {
  it(
    "are admitted at most as often as there are places, and leave no hold of a refused request",
    async () => {
      const stores = [store, redisStore(cluster.url), redisStore(cluster.url)];
      const charges = ["user", "ip", "org"].map((space, n) =>
        chargeOf(`${40 + n} concurrent/10 minutes`, "at-once", space),
      );
      let asked = 0;
      const ask = (by: RedisStore, order: readonly Charge[]) => {
        asked += 1;
        return by.decide(order, 0, false, { rid: asked.toString(16).padStart(24, "a"), seq: 1 });
      };
      const outcomes = await Promise.all(
        stores.flatMap((by, n) =>
          Array.from({ length: 50 }, () => ask(by, n === 1 ? charges.toReversed() : charges)),
        ),
      );
      const admitted = outcomes.filter((outcome) => outcome.admitted).length;
      expect(await Promise.all(charges.map(remaining))).toEqual(
        [40, 41, 42].map((places) => places - admitted),
      );
      let more = 0;
      while ((await ask(store, charges)).admitted) more += 1;
      expect(admitted + more).toBe(40);
      for (const other of stores.slice(1)) await other.close();
    },
    longestTestMs,
  );
});

describe("a node that fails", () => {
  it(
    "rejects requests that need it, leaves no charge on other nodes, and is replaced by its replica",
    async () => {
      // Two keys on different masters.
      const user = chargeOf("50/hour", "d", "user");
      const failing = nodeOf("headgate:{user:d}");
      const key = ["e", "f", "g", "h", "i", "j", "k", "l"].find(
        (name) => nodeOf(`headgate:{ip:${name}}`) !== failing,
      );
      const ip = chargeOf("5/hour", key ?? "", "ip");
      expect((await store.decide([user, ip], 0, false)).admitted).toBe(true);
      failing.command("wait", "1", "1000");
      await failing.crash();
      await expect(store.decide([user, ip], 0, false)).rejects.toThrow("The Redis store could not be asked");

      await vi.waitFor(() => store.decide([user], 0, true), { timeout: 30_000, interval: 200 });
      await vi.waitFor(async () => expect([await remaining(user), await remaining(ip)]).toEqual([49, 4]), {
        timeout: 10_000,
      });
      expect((await store.decide([user, ip], 0, false)).admitted).toBe(true);
    },
    longestTestMs,
  );
});
