import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { race } from "../../../test-servers/race.ts";
import { type RedisServer, startRedis } from "../../../test-servers/redis.ts";
import { amountsOf, type Cost } from "../../core/cost.ts";
import { compileLimits, type LimitsInput } from "../../core/limit-set.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { memoryStore } from "../memory/index.ts";
import { type RedisStore, redisStore } from "./index.ts";

const longestTestMs = 60_000;

let server: RedisServer;
let client: Redis;
let store: RedisStore;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
  store = redisStore(client);
}, longestTestMs);
afterAll(async () => {
  client?.disconnect();
  await server?.remove();
});
beforeEach(() => client.flushall());

function chargeOf(limits: LimitsInput, key = "one", space = "user", cost?: Cost): Charge {
  const compiled = compileLimits(space, limits);
  return { space, key, limits: compiled, ...amountsOf(compiled, cost) };
}

function refundOf(charge: Charge, { now, marks }: Outcome, c = 0) {
  const { space, key, limits, spends } = charge;
  const refunds = spends.map((amount, group) => ({
    group,
    amount,
    chargedAt: now,
    mark: marks[c]?.[group] ?? 0,
  }));
  return { space, key, limits, refunds, renewals: [], spends: spends.map(() => 0) };
}

/** How often the server was asked to run the script. */
function scriptCalls(): number {
  const lines = server.command("info", "commandstats").split("\n");
  return lines
    .filter((line) => /^cmdstat_eval/.test(line))
    .reduce((sum, line) => sum + Number(/calls=(\d+)/.exec(line)?.[1]), 0);
}

const everyAlgorithm = [
  "5/minute",
  "60/hour",
  "100 tokens/day",
  "2000/90 seconds",
  "7/10 seconds sliding-counter",
  "3/minute fixed-window",
  "9/day fixed-window in Europe/London",
  "4/hour fixed-window from first-use",
  "5 concurrent",
] as const;

describe("trips", () => {
  it("asks the server once a decision, whatever the number of layers", async () => {
    const charges = [
      chargeOf(["5/minute", "60/hour"]),
      chargeOf("30/minute", "192.0.2.1", "ip"),
      chargeOf("1000/minute", "all", "global"),
    ];
    await store.decide(charges, 0, false);
    const before = scriptCalls();
    for (let n = 0; n < 10; n += 1) await store.decide(charges, 0, false);
    expect(scriptCalls() - before).toBe(10);
  });

  it("lets decisions of one turn travel together, each of which is decided by itself", async () => {
    const together = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          store.decide([chargeOf("3/minute", n % 2 === 0 ? "even" : "odd")], 0, false),
        ),
      );
    await store.check();
    let before = scriptCalls();
    const outcomes = (await together(40)) as Outcome[];
    // The first does not wait for others, where the one before it came by itself.
    expect(scriptCalls() - before).toBe(2);
    expect(outcomes.map(({ admitted }) => admitted)).toEqual(outcomes.map((_, n) => n < 6));

    for (const [count, calls] of [
      [40, 1],
      [2, 1],
      [64, 1],
      [130, 3],
    ] as const) {
      before = scriptCalls();
      await together(count);
      expect(scriptCalls() - before).toBe(calls);
    }
  });

  it("writes nothing for peeks and refusals", async () => {
    const full = chargeOf("1/minute");
    await store.decide([full], 0, false);
    const kept = await client.dump("headgate:{user:one}");
    for (const peek of [false, true]) {
      const outcome = await store.decide([full, chargeOf("5/minute", "two")], 0, peek);
      expect(outcome.admitted).toBe(false);
    }
    await store.decide([chargeOf("5/minute", "three")], 0, true);
    expect(await client.keys("*")).toEqual(["headgate:{user:one}"]);
    expect(await client.dump("headgate:{user:one}")).toEqual(kept);
  });

  it("goes by the server's clock", async () => {
    const [seconds, microseconds] = await client.time();
    const { now } = await store.decide([chargeOf("5/minute")], 12_345, false);
    expect(now - (Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000))).toBeLessThan(10_000);
    expect(now).toBeGreaterThanOrEqual(Number(seconds) * 1000);
  });
});

describe("scripts that servers forget", () => {
  it("recovers after SCRIPT FLUSH, also with many decisions under way", async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      server.command("script", "flush");
      const asked = Array.from({ length: 200 }, () => store.decide([chargeOf("50/minute")], 0, false));
      const outcomes = (await Promise.all(asked)) as Outcome[];
      expect(outcomes.filter(({ admitted }) => admitted)).toHaveLength(turn === 0 ? 50 : 0);
    }
  });

  it("tells what the server said where a script cannot run, and not what was asked", async () => {
    await store.check();
    server.command("config", "set", "maxmemory", "1");
    try {
      const asked = Promise.resolve(store.decide([chargeOf("5/minute", "secret-caller")], 0, false));
      const error = (await asked.catch((reason: unknown) => reason)) as Error;
      expect(error.message).toMatch(/^The Redis store could not be asked: OOM /);
      expect(
        JSON.stringify(Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name))),
      ).not.toContain("secret-caller");
      await expect(store.check()).rejects.toThrow("OOM");
    } finally {
      server.command("config", "set", "maxmemory", "0");
    }
    await store.check();
    expect(await client.exists("headgate:{user:secret-caller}")).toBe(0);
  });
});

describe("keys", () => {
  it("all end once no window counts in them, and no sooner; those that can grow by an eighth of a window later", async () => {
    const widest = new Map([
      ["5/minute", 67_500],
      ["60/hour", 4_050_000],
      ["100 tokens/day", 864_000],
      ["7/10 seconds sliding-counter", 20_000],
      ["3/minute fixed-window", 60_000],
      ["4/hour fixed-window from first-use", 3_600_000],
      ["5 concurrent", 60_000],
    ]);
    for (const [limits, longestMs] of widest) {
      const charge = chargeOf(limits, limits, "user", { tokens: 1, requests: 1, concurrent: 1 });
      const { now } = await store.decide([charge], 0, false);
      const endsAt = await client.call("PEXPIRETIME", `headgate:{user:${limits}}`);
      expect(Number(endsAt)).toBeGreaterThan(now);
      expect(Number(endsAt)).toBeLessThanOrEqual(now + longestMs);
      if (/^\d+\/(minute|hour)$|from first-use|concurrent/.test(limits)) expect(endsAt).toBe(now + longestMs);
    }
  });

  it("grow at their end, until that has to be moved or half of what they hold counts no more", async () => {
    const clock = fakeClock();
    const tests = redisStore(client, { clock });
    const charge = chargeOf("100/10 seconds");
    const writes = () => server.command("info", "commandstats").match(/cmdstat_mset:calls=(\d+)/)?.[1];
    server.command("config", "resetstat");
    for (let n = 0; n < 10; n += 1) {
      clock.advance(120);
      await tests.decide([charge], 0, false);
    }
    expect(writes()).toBe("1");
    // The first window ends 1.25 s sooner than its key.
    clock.advance(200);
    await tests.decide([charge], 0, false);
    expect(writes()).toBe("2");
    expect((await tests.decide([charge], 0, true)).readings[0]?.[0]?.remaining).toBe(100 - 11);

    for (let n = 0; n < 400; n += 1) {
      clock.advance(200);
      expect((await tests.decide([charge], 0, false)).admitted).toBe(true);
      expect(await client.strlen("headgate:{user:one}")).toBeLessThanOrEqual(26 + 2 * 50 * 14);
    }
    const { readings } = await tests.decide([charge], 0, true);
    expect(readings[0]?.[0]).toMatchObject({ remaining: 50, resetMs: 200 });
  });

  it("keep what a window counted when limits of other kinds come and go beside it", async () => {
    const clock = fakeClock();
    const tests = redisStore(client, { clock });
    const alone = chargeOf("5/minute");
    const both = chargeOf(["5/minute", "100 tokens/day"], "one", "user", { requests: 1, tokens: 5 });
    const tokensAlone = chargeOf("100 tokens/day", "one", "user", { tokens: 5 });
    const admit = async (charge: Charge) => {
      clock.advance(10);
      const outcome = (await tests.decide([charge], 0, false)) as Outcome;
      expect(outcome.admitted).toBe(true);
      return outcome;
    };
    await admit(alone);
    await admit(alone);
    await admit(tokensAlone);
    const tokens = await admit(both);
    await tests.adjust([refundOf(both, tokens)], 0);
    await admit(alone);
    await admit(alone);
    const { readings } = await tests.decide([both], 0, true);
    expect(readings[0]?.map(({ remaining }) => remaining)).toEqual([1, 95]);
  });

  it("none is left without an end by charges, refunds, renewals and debts of every kind", async () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let n = 0; n < 300; n += 1) {
      const limits = [...new Set([everyAlgorithm[random(8)] as string, everyAlgorithm[random(8)] as string])];
      const cost = { requests: random(3), tokens: random(40), concurrent: random(2) };
      const charge = chargeOf(limits, `caller${random(9)}`, "user", cost);
      const outcome = (await store.decide([charge], 0, false)) as Outcome;
      if (!outcome.admitted) continue;
      const after = refundOf(charge, outcome);
      if (random(2) === 0) await store.adjust([after], 0);
      else
        await store.adjust([{ ...after, refunds: [], spends: charge.limits.groups.map(() => random(5)) }], 0);
    }
    const keys = await client.keys("*");
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0);
  });

  it("are gone once everything was given back, and after a reset", async () => {
    for (const limits of everyAlgorithm) {
      const charge = chargeOf(limits, "one", "user", { requests: 2, tokens: 2, concurrent: 2 });
      const outcome = (await store.decide([charge], 0, false)) as Outcome;
      expect(await client.dbsize()).toBe(1);
      await store.adjust([refundOf(charge, outcome)], 0);
      // A bucket does not give back what would have drained meanwhile; there may be one tick left of it.
      if (!limits.includes("tokens")) expect(await client.dbsize()).toBe(0);
      await store.decide([charge], 0, false);
      await store.reset([charge], 0);
      expect(await client.dbsize()).toBe(0);
    }
  });

  it("differ by prefix, and hold a caller with a stamp in one piece of memory", async () => {
    const other = redisStore(client, { prefix: "shop:" });
    await store.decide([chargeOf("1/minute")], 0, false);
    expect((await other.decide([chargeOf("1/minute")], 0, false)).admitted).toBe(true);
    expect((await client.keys("*")).sort()).toEqual(["headgate:{user:one}", "shop:{user:one}"]);
    expect(await client.object("ENCODING", "headgate:{user:one}")).toBe("embstr");
  });
});

describe("states that cannot be read", () => {
  it.each<[what: string, spoil: () => Promise<unknown>]>([
    ["of another type", () => client.hset("headgate:{user:one}", "a", "b")],
    ["of another format", () => client.set("headgate:{user:one}", "\u0002what a later release may write")],
    [
      "cut short",
      () => client.eval("redis.call('SET', KEYS[1], string.char(1, 9, 9))", 1, "headgate:{user:one}"),
    ],
    ["empty", () => client.set("headgate:{user:one}", "")],
  ])(
    "%s are an error that names the layer, and left alone; others of the same turn are decided",
    async (_, spoil) => {
      await spoil();
      const before = await client.dump("headgate:{user:one}");
      const spoilt = chargeOf("5/minute", "one");
      const [bad, good, both] = await Promise.allSettled([
        store.decide([spoilt], 0, false),
        store.decide([chargeOf("5/minute", "two")], 0, false),
        store.decide([chargeOf("5/minute", "192.0.2.1", "ip"), spoilt], 0, false),
      ]);
      expect(good).toMatchObject({ status: "fulfilled", value: { admitted: true } });
      for (const result of [bad, both]) {
        expect(result?.status).toBe("rejected");
        const message = String((result as PromiseRejectedResult).reason.message);
        expect(message).toMatch(/^The Redis store holds a state of layer "user" that it cannot read\./);
        expect(message).not.toContain('one"');
      }
      await expect(
        store.adjust([{ ...refundOf(spoilt, { now: 1, marks: [] } as never) }], 0),
      ).rejects.toThrow('layer "user"');
      expect(await client.dump("headgate:{user:one}")).toEqual(before);
      expect(await client.exists("headgate:{ip:192.0.2.1}")).toBe(0);
      // Whoever wants it gone resets it.
      await store.reset([spoilt], 0);
      expect((await store.decide([spoilt], 0, false)).admitted).toBe(true);
    },
  );
});

describe("windows of the calendar", () => {
  it("are refused where the server's clock lies outside those that the process knows", async () => {
    const clock = fakeClock();
    const tests = redisStore(client, { clock });
    const charge = chargeOf("5/day fixed-window");
    await expect(tests.decide([charge], 0, false)).resolves.toMatchObject({ admitted: true });
    const skewed = redisStore(client, { clock, prefix: "skewed:" });
    const pending = skewed.decide([charge], 0, false);
    // What the decision goes by is told when it is asked, what the process knows when it departs.
    clock.advance(10 * 86_400_000);
    await expect(pending).rejects.toThrow(
      'The clocks of this process and of the Redis server differ by more than a window of layer "user"',
    );
    expect(await client.keys("skewed:*")).toEqual([]);
  });

  it("refuses a clock that cannot be", async () => {
    const tests = redisStore(client, { clock: { now: () => Number.NaN } });
    await expect(tests.decide([chargeOf("5/day")], 0, false)).rejects.toThrow(
      "must tell milliseconds from 1 to",
    );
  });
});

describe("long logs", () => {
  it.each<[limits: string[], pause: number, heaviest: number]>([
    [["120/2 seconds", "700/minute"], 40, 2],
    [["1200/minute"], 40, 2],
    [["1200/minute"], 400, 9],
    [["40/2 seconds", "1200/minute", "9000/10 minutes"], 300, 5],
    [["2000/minute", "2500/2 minutes", "1500/90 seconds sliding-window exact"], 90, 9],
  ])(
    "of %s answer as the memory store does, through charges, refunds and passing time",
    async (limits, pause, heaviest) => {
      const clock = fakeClock();
      const shared = redisStore(client, { clock });
      const memory = memoryStore();
      const charged: { charge: Charge; ours: Outcome; theirs: Outcome }[] = [];
      let seed = 11;
      const random = (below: number) => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed % below;
      };
      for (let n = 0; n < 1_500; n += 1) {
        clock.advance(random(3) * random(pause));
        const charge = chargeOf(limits, "one", "user", { requests: 1 + random(heaviest) });
        const old = charged[random(charged.length + 1)];
        if (old !== undefined && random(4) === 0) {
          const ours = await shared.adjust([refundOf(old.charge, old.ours)], 0);
          const theirs = memory.adjust([refundOf(old.charge, old.theirs)], clock.now());
          expect(ours.readings).toEqual(theirs.readings);
          charged.splice(charged.indexOf(old), 1);
          continue;
        }
        // Several at one moment travel together.
        const together = n % 5 === 0 ? 4 : 1;
        const asked = Array.from({ length: together }, () => shared.decide([charge], 0, false));
        for (const ours of (await Promise.all(asked)) as Outcome[]) {
          const theirs = memory.decide([charge], clock.now(), false);
          expect({ admitted: ours.admitted, readings: ours.readings }).toEqual({
            admitted: theirs.admitted,
            readings: theirs.readings,
          });
          if (ours.admitted) charged.push({ charge, ours, theirs });
        }
      }
    },
  );

  it("are short where the quota is large, and end when the last entry does", async () => {
    const clock = fakeClock();
    const shared = redisStore(client, { clock });
    const [alone, several] = [
      chargeOf("100000/hour", "alone"),
      chargeOf(["100000/hour", "2/second"], "several"),
    ];
    for (let n = 0; n < 700; n += 1) {
      clock.advance(7_000 + (n % 3) * 5_000);
      expect((await shared.decide([alone, several], 0, false)).admitted).toBe(true);
      expect(await client.strlen("headgate:{user:alone}")).toBeLessThanOrEqual(26 + 14 * 241);
      expect(await client.strlen("headgate:{user:several}")).toBeLessThanOrEqual(1 + 29 + 14 * 241 + 29 + 28);
    }
    const ttl = await client.pttl("headgate:{user:several}");
    expect(ttl).toBeGreaterThan(3_590_000);
    expect(ttl).toBeLessThanOrEqual(3_600_000);
  });
});

describe("leases", () => {
  it("of one process are given back and renewed by another", async () => {
    const clock = fakeClock();
    const [here, there] = [redisStore(client, { clock }), redisStore(server.url, { clock })];
    const charge = chargeOf("2 concurrent");
    const renewal = ({ marks }: Outcome) => ({
      ...refundOf(charge, { now: 0, marks: [] } as never),
      refunds: [],
      renewals: [{ group: 0, mark: marks[0]?.[0] ?? 0 }],
    });
    const first = (await here.decide([charge], 0, false)) as Outcome;
    const second = (await there.decide([charge], 0, false)) as Outcome;
    expect((await here.decide([charge], 0, false)).admitted).toBe(false);
    clock.advance(40_000);
    await there.adjust([renewal(first)], 0);
    clock.advance(40_000);
    // The second has ended by itself, the first goes on.
    expect((await here.decide([charge], 0, true)).readings[0]?.[0]?.remaining).toBe(1);
    await here.adjust([renewal(second)], 0);
    expect((await here.decide([charge], 0, true)).readings[0]?.[0]?.remaining).toBe(1);
    await there.adjust([refundOf(charge, first)], 0);
    expect((await here.decide([charge], 0, true)).readings[0]?.[0]?.remaining).toBe(2);
    await there.close();
  });

  it("that outlived everything do not take the place of a later one", async () => {
    const clock = fakeClock();
    const tests = redisStore(client, { clock });
    const charge = chargeOf("1 concurrent");
    const lost = (await tests.decide([charge], 0, false)) as Outcome;
    clock.advance(60_000);
    await client.flushall();
    expect((await tests.decide([charge], 0, false)).admitted).toBe(true);
    await tests.adjust([refundOf(charge, lost)], 0);
    expect((await tests.decide([charge], 0, false)).admitted).toBe(false);
  });
});

describe("eight processes at once", () => {
  it.each([
    [5, 50],
    [1_000, 400],
    [1_200, 400],
  ])(
    "are admitted exactly %i times",
    async (quota, attemptsEach) => {
      const layers = [
        { name: "user", limits: `${quota}/hour` },
        { name: "ip", limits: `${quota * 3}/hour; ${quota * 9}/day` },
        { name: "global", limits: `${quota * 100} requests/day token-bucket` },
      ];
      const admitted = await race({
        url: server.url,
        processes: 8,
        attemptsEach,
        layers,
        key: `of-${quota}`,
      });
      expect(admitted.reduce((sum, count) => sum + count, 0)).toBe(quota);
    },
    longestTestMs,
  );
});
