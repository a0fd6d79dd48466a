import { race } from "@headgate/test-servers/race.ts";
import { redisFixture } from "@headgate/test-servers/redis-fixture.ts";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { amountsOf, type Cost } from "../../core/cost.ts";
import { compileLimits, type LimitsInput } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Hold, Outcome } from "../../core/store.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { memoryStore } from "../memory/index.ts";
import { type RedisStore, redisStore } from "./index.ts";

const longestTestMs = 60_000;

const redis = redisFixture();
let store: RedisStore;
beforeAll(() => {
  store = redisStore(redis.client);
});
beforeEach(() => redis.client.flushall());

function chargeOf(limits: LimitsInput, key = "one", space = "user", cost?: Cost): Charge {
  const compiled = compileLimits(space, limits);
  return { space, key, limits: compiled, ...amountsOf(compiled, cost) };
}

let reservations = 0;

function newHold(): Hold {
  reservations += 1;
  return { rid: reservations.toString(16).padStart(24, "0"), seq: 1 };
}

/** Ends a reservation that has used nothing; its charges are refunded. */
function endOf(
  charge: Charge,
  { now, marks }: Pick<Outcome, "now" | "marks">,
  { rid } = newHold(),
): Adjustment {
  const { space, key, limits, spends } = charge;
  const refunds = spends.map((amount, group) => ({
    group,
    amount,
    chargedAt: now,
    mark: marks[0]?.[group] ?? 0,
  }));
  const none = spends.map(() => 0);
  return {
    space,
    key,
    limits,
    rid,
    seq: 2,
    ended: true,
    raises: false,
    known: spends,
    used: none,
    held: none,
    refunds,
  };
}

/** A heartbeat: use and holds are as admitted. */
function beatOf(charge: Charge, { rid }: Hold, seq = 2): Adjustment {
  const { space, key, limits, spends, holds = [] } = charge;
  return {
    space,
    key,
    limits,
    rid,
    seq,
    ended: false,
    raises: false,
    known: spends,
    used: spends,
    held: holds,
    refunds: [],
  };
}

/** Decides a charge, with a reservation if it holds something. */
async function admit(to: RedisStore, charge: Charge, hold = newHold()): Promise<Outcome & { hold: Hold }> {
  const outcome = await to.decide([charge], 0, false, charge.holds === undefined ? undefined : hold);
  return { ...outcome, hold };
}

/** The number of times that the server ran the script. */
function scriptCalls(): number {
  const lines = redis.server.command("info", "commandstats").split("\n");
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
  it("calls the server once per decision, for any number of layers", async () => {
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

  it("sends decisions of one turn together, and each is decided separately", async () => {
    const together = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          store.decide([chargeOf("3/minute", n % 2 === 0 ? "even" : "odd")], 0, false),
        ),
      );
    await store.check();
    let before = scriptCalls();
    const outcomes = (await together(40)) as Outcome[];
    // The first decision is sent at once, because the one before it was alone in its turn. The others are sent together.
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
    const kept = await redis.client.dump("headgate:{user:one}");
    for (const peek of [false, true]) {
      const outcome = await store.decide([full, chargeOf("5/minute", "two")], 0, peek);
      expect(outcome.admitted).toBe(false);
    }
    await store.decide([chargeOf("5/minute", "three")], 0, true);
    expect(await redis.client.keys("*")).toEqual(["headgate:{user:one}"]);
    expect(await redis.client.dump("headgate:{user:one}")).toEqual(kept);
  });

  it("uses the server's clock", async () => {
    const [seconds, microseconds] = await redis.client.time();
    const { now } = await store.decide([chargeOf("5/minute")], 12_345, false);
    expect(now - (Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000))).toBeLessThan(10_000);
    expect(now).toBeGreaterThanOrEqual(Number(seconds) * 1000);
  });
});

describe("scripts that servers forget", () => {
  it("recovers after SCRIPT FLUSH, even with many decisions under way", async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      redis.server.command("script", "flush");
      const asked = Array.from({ length: 200 }, () => store.decide([chargeOf("50/minute")], 0, false));
      const outcomes = (await Promise.all(asked)) as Outcome[];
      expect(outcomes.filter(({ admitted }) => admitted)).toHaveLength(turn === 0 ? 50 : 0);
    }
  });

  it("reports the server's error if a script cannot run, without the arguments", async () => {
    await store.check();
    redis.server.command("config", "set", "maxmemory", "1");
    try {
      const asked = Promise.resolve(store.decide([chargeOf("5/minute", "secret-caller")], 0, false));
      const error = (await asked.catch((reason: unknown) => reason)) as Error;
      expect(error.message).toMatch(/^The Redis store could not be asked: OOM /);
      expect(
        JSON.stringify(Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name))),
      ).not.toContain("secret-caller");
      await expect(store.check()).rejects.toThrow("OOM");
    } finally {
      redis.server.command("config", "set", "maxmemory", "0");
    }
    await store.check();
    expect(await redis.client.exists("headgate:{user:secret-caller}")).toBe(0);
  });
});

describe("keys", () => {
  it("expire once no window counts in them, and not before; keys that can grow expire an eighth of a window later", async () => {
    const widest = new Map([
      ["5/minute", 67_500],
      ["60/hour", 4_050_000],
      ["100 tokens/day", 864_000],
      ["7/10 seconds sliding-counter", 20_000],
      ["3/minute fixed-window", 60_000],
      ["4/hour fixed-window from first-use", 3_600_000],
      ["5 concurrent", 0],
    ]);
    for (const [limits, longestMs] of widest) {
      const charge = chargeOf(limits, limits, "user", { tokens: 1, requests: 1, concurrent: 1 });
      const { now, hold } = await admit(store, charge);
      if (charge.holds !== undefined) {
        // Nothing has been used yet.
        expect(await redis.client.exists(`headgate:{user:${limits}}`)).toBe(0);
        if (limits === "5 concurrent") continue;
        await store.adjust([{ ...beatOf(charge, hold), used: [1] }], 0);
      }
      const endsAt = await redis.client.call("PEXPIRETIME", `headgate:{user:${limits}}`);
      expect(Number(endsAt)).toBeGreaterThan(now);
      expect(Number(endsAt)).toBeLessThanOrEqual(now + longestMs + 1_000);
      if (/^\d+\/(minute|hour)$|from first-use/.test(limits)) expect(endsAt).toBe(now + longestMs);
    }
  });

  it("grow at their end until they must be compacted, or until half of their entries have expired", async () => {
    const clock = fakeClock();
    const tests = redisStore(redis.client, { clock });
    const charge = chargeOf("100/10 seconds");
    const writes = () => redis.server.command("info", "commandstats").match(/cmdstat_set:calls=(\d+)/)?.[1];
    redis.server.command("config", "resetstat");
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
      expect(await redis.client.strlen("headgate:{user:one}")).toBeLessThanOrEqual(26 + 2 * 50 * 14);
    }
    const { readings } = await tests.decide([charge], 0, true);
    expect(readings[0]?.[0]).toMatchObject({ remaining: 50, resetMs: 200 });
  });

  it("keep the counts of a window when limits of other kinds are added and removed", async () => {
    const clock = fakeClock();
    const tests = redisStore(redis.client, { clock });
    const alone = chargeOf("5/minute");
    const both = chargeOf(["5/minute", "100 tokens/day"], "one", "user", { requests: 1, tokens: 5 });
    const tokensAlone = chargeOf("100 tokens/day", "one", "user", { tokens: 5 });
    const take = async (charge: Charge) => {
      clock.advance(10);
      const outcome = await admit(tests, charge);
      expect(outcome.admitted).toBe(true);
      return outcome;
    };
    await take(alone);
    await take(alone);
    await take(tokensAlone);
    const tokens = await take(both);
    await tests.adjust([endOf(both, tokens, tokens.hold)], 0);
    await take(alone);
    await take(alone);
    const { readings } = await tests.decide([both], 0, true);
    expect(readings[0]?.map(({ remaining }) => remaining)).toEqual([1, 95]);
  });

  it("always have an expiry after charges, refunds, heartbeats and debts of every kind", async () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let n = 0; n < 300; n += 1) {
      const limits = [...new Set([everyAlgorithm[random(8)] as string, everyAlgorithm[random(8)] as string])];
      const cost = { requests: random(3), tokens: random(40), concurrent: random(2) };
      const charge = chargeOf(limits, `caller${random(9)}`, "user", cost);
      const outcome = await admit(store, charge);
      if (!outcome.admitted) continue;
      const beat = beatOf(charge, outcome.hold);
      const next = random(4);
      if (next < 2) await store.adjust([endOf(charge, outcome, outcome.hold)], 0);
      else if (next === 2) await store.adjust([beat], 0);
      else await store.adjust([{ ...beat, used: beat.used.map((units) => units + random(5)) }], 0);
    }
    const keys = await redis.client.keys("*");
    expect(keys.filter((key) => key.endsWith("}")).length).toBeGreaterThan(3);
    for (const kind of ["*:held", "*:expiry"])
      expect((await redis.client.keys(kind)).length).toBeGreaterThan(0);
    for (const key of keys) expect(await redis.client.pttl(key)).toBeGreaterThan(0);
  });

  it("are deleted once everything is refunded, except records of an end or a reset", async () => {
    for (const limits of everyAlgorithm) {
      const charge = chargeOf(limits, "one", "user", { requests: 2, tokens: 2, concurrent: 2 });
      const outcome = await admit(store, charge);
      await store.adjust([endOf(charge, outcome, outcome.hold)], 0);
      expect(await redis.client.keys("*")).toEqual(["headgate:{user:one}:held"]);
      await admit(store, charge);
      await store.reset([charge], 0);
      for (const key of await redis.client.keys("*}")) {
        expect(await redis.client.strlen(key)).toBe(14);
        expect(await redis.client.pttl(key)).toBeGreaterThan(0);
      }
      await redis.client.flushall();
    }
  });

  it("of holdings expire a lease and two minutes after the last call, together with the order of expiry", async () => {
    const charge = chargeOf("5 concurrent/10 seconds");
    const { now, hold } = await admit(store, charge);
    const endsAt = async (kind: string) =>
      Number(await redis.client.call("PEXPIRETIME", `headgate:{user:one}:${kind}`));
    expect([await endsAt("held"), await endsAt("expiry")]).toEqual([now + 130_000, now + 130_000]);
    await store.adjust([endOf(charge, { now, marks: [] }, hold)], 0);
    expect(await redis.client.exists("headgate:{user:one}:expiry")).toBe(0);
    await admit(store, charge);
    expect(await endsAt("expiry")).toBe(await endsAt("held"));
  });

  it("differ by prefix, and store a caller with one stamp in a single allocation", async () => {
    const other = redisStore(redis.client, { prefix: "shop:" });
    await store.decide([chargeOf("1/minute")], 0, false);
    expect((await other.decide([chargeOf("1/minute")], 0, false)).admitted).toBe(true);
    expect((await redis.client.keys("*")).sort()).toEqual(["headgate:{user:one}", "shop:{user:one}"]);
    expect(await redis.client.object("ENCODING", "headgate:{user:one}")).toBe("embstr");
  });
});

describe("states that cannot be read", () => {
  it.each<[what: string, spoil: () => Promise<unknown>]>([
    ["of another type", () => redis.client.hset("headgate:{user:one}", "a", "b")],
    [
      "of another format",
      () => redis.client.set("headgate:{user:one}", "\u0002what a later release may write"),
    ],
    [
      "cut short",
      () => redis.client.eval("redis.call('SET', KEYS[1], string.char(1, 9, 9))", 1, "headgate:{user:one}"),
    ],
    ["empty", () => redis.client.set("headgate:{user:one}", "")],
  ])(
    "%s are an error that names the layer, and are left unchanged; other decisions of the turn are made",
    async (_, spoil) => {
      await spoil();
      const before = await redis.client.dump("headgate:{user:one}");
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
      await expect(store.adjust([endOf(spoilt, { now: 1, marks: [] })], 0)).rejects.toThrow('layer "user"');
      expect(await redis.client.dump("headgate:{user:one}")).toEqual(before);
      expect(await redis.client.exists("headgate:{ip:192.0.2.1}")).toBe(0);
      // An operator can remove it with a reset.
      await store.reset([spoilt], 0);
      expect((await store.decide([spoilt], 0, false)).admitted).toBe(true);
    },
  );
});

describe("holdings that cannot be read", () => {
  const charge = chargeOf("5 concurrent; 100 tokens/day", "one", "user", { tokens: 3 });
  const held = "headgate:{user:one}:held";
  const rid = `${"0".repeat(23)}f`;

  it.each<[what: string, spoil: () => Promise<unknown>]>([
    ["of another type", () => redis.client.set(held, "text")],
    ["another program's", () => redis.client.hset(held, "a", "b")],
    ["with a header cut short", () => redis.client.hset(held, "", "\u0001cut")],
    ["with a header of a later release", () => redis.client.hset(held, "", `\u0002${"x".repeat(24)}`)],
    ["with an order of another type", () => redis.client.set("headgate:{user:one}:expiry", "text")],
    [
      "with a reservation cut short",
      async () => {
        await admit(store, charge, { rid, seq: 1 });
        await redis.client.hset(held, rid, "\u0010cut");
      },
    ],
    [
      "with a holder that is not there",
      async () => {
        await admit(store, charge, { rid: rid.replace("f", "e"), seq: 1 });
        await redis.client.hdel(held, rid.replace("f", "e"));
      },
    ],
  ])("%s is an error and is left unchanged until it is reset", async (_, spoil) => {
    await spoil();
    const keys = async () =>
      Promise.all((await redis.client.keys("*")).sort().map((key) => redis.client.dump(key)));
    const before = await keys();
    const asked = store.decide([charge], 0, false, { rid, seq: 2 });
    await expect(asked).rejects.toThrow('The Redis store holds a state of layer "user" that it cannot read.');
    await expect(store.adjust([beatOf(charge, { rid, seq: 2 })], 0)).rejects.toThrow("cannot read");
    expect(await keys()).toEqual(before);
    await store.reset([charge], 0);
    expect((await store.decide([charge], 0, false, { rid, seq: 2 })).admitted).toBe(true);
    expect((await store.decide([charge], 0, true)).readings[0]?.[0]?.remaining).toBe(4);
  });

  it("start again if only the order of expiry is left", async () => {
    await redis.client.zadd("headgate:{user:one}:expiry", 1, "somebody");
    expect((await admit(store, charge)).admitted).toBe(true);
    expect(await redis.client.zcard("headgate:{user:one}:expiry")).toBe(1);
  });
});

describe("calendar windows", () => {
  it("are refused if the server's clock is outside the windows that the process sent", async () => {
    const clock = fakeClock();
    const tests = redisStore(redis.client, { clock });
    const charge = chargeOf("5/day fixed-window");
    await expect(tests.decide([charge], 0, false)).resolves.toMatchObject({ admitted: true });
    const skewed = redisStore(redis.client, { clock, prefix: "skewed:" });
    const pending = skewed.decide([charge], 0, false);
    // The decision's time is set when it is requested, the calendar windows when the call is sent.
    clock.advance(10 * 86_400_000);
    await expect(pending).rejects.toThrow(
      'The clocks of this process and of the Redis server differ by more than a window of layer "user"',
    );
    expect(await redis.client.keys("skewed:*")).toEqual([]);
  });

  it("refuse an impossible clock", async () => {
    expect(() => redisStore(redis.client, { clock: { now: () => Number.NaN } })).toThrow(
      "clock must have now()",
    );
    let now = Date.now();
    const tests = redisStore(redis.client, { clock: { now: () => now } });
    now = Number.NaN;
    await expect(tests.decide([chargeOf("5/day")], 0, false)).rejects.toThrow(
      "must return milliseconds from 1 to",
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
    "of %s answer like the memory store, after charges, refunds and passing time",
    async (limits, pause, heaviest) => {
      const clock = fakeClock();
      const shared = redisStore(redis.client, { clock });
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
          const hold = newHold();
          const ours = await shared.adjust([endOf(old.charge, old.ours, hold)], 0);
          const theirs = memory.adjust([endOf(old.charge, old.theirs, hold)], clock.now());
          expect(ours.readings).toEqual(theirs.readings);
          charged.splice(charged.indexOf(old), 1);
          continue;
        }
        // Requests of one moment are sent together.
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

  it("are short if the quota is large, and expire with their last entry", async () => {
    const clock = fakeClock();
    const shared = redisStore(redis.client, { clock });
    const [alone, several] = [
      chargeOf("100000/hour", "alone"),
      chargeOf(["100000/hour", "2/second"], "several"),
    ];
    for (let n = 0; n < 700; n += 1) {
      clock.advance(7_000 + (n % 3) * 5_000);
      expect((await shared.decide([alone, several], 0, false)).admitted).toBe(true);
      expect(await redis.client.strlen("headgate:{user:alone}")).toBeLessThanOrEqual(26 + 14 * 241);
      // The exact log of the second has as many units as the hour: an entry every 12 s.
      expect(await redis.client.strlen("headgate:{user:several}")).toBeLessThanOrEqual(
        1 + 29 + 14 * 241 + 29 + 14 * 302,
      );
    }
    const ttl = await redis.client.pttl("headgate:{user:several}");
    expect(ttl).toBeGreaterThan(3_590_000);
    expect(ttl).toBeLessThanOrEqual(3_600_000);
  });
});

it("claims are kept for a day after the lease, by the server's clock", async () => {
  const claim = { space: "user", key: "one", id: "m1", fingerprint: "", result: "", leaseMs: 30_000 };
  await store.decide([chargeOf("5/minute")], 0, false, newHold(), claim);
  const lives = await Promise.all((await redis.client.keys("*")).map((key) => redis.client.pttl(key)));
  const day = 86_400_000;
  expect(Math.max(...lives)).toBeGreaterThan(day + 20_000);
  expect(Math.max(...lives)).toBeLessThanOrEqual(day + 30_000);
});

describe("reservations", () => {
  it("of one process are renewed and ended by another", async () => {
    const clock = fakeClock();
    const [here, there] = [redisStore(redis.client, { clock }), redisStore(redis.server.url, { clock })];
    const charge = chargeOf("2 concurrent");
    const left = async () => (await here.decide([charge], 0, true)).readings[0]?.[0]?.remaining;
    const first = await admit(here, charge);
    const second = await admit(there, charge);
    expect((await admit(here, charge)).admitted).toBe(false);
    clock.advance(20_000);
    await there.adjust([beatOf(charge, first.hold)], 0);
    clock.advance(20_000);
    // The second has lapsed, the first continues.
    expect(await left()).toBe(1);
    await here.adjust([beatOf(charge, second.hold)], 0);
    expect(await left()).toBe(1);
    await there.adjust([endOf(charge, first, first.hold)], 0);
    expect(await left()).toBe(2);
    await there.close();
  });

  it("that are older than everything else do not replace a later one", async () => {
    const clock = fakeClock();
    const tests = redisStore(redis.client, { clock });
    const charge = chargeOf("1 concurrent");
    const lost = await admit(tests, charge);
    clock.advance(60_000);
    await redis.client.flushall();
    expect((await admit(tests, charge)).admitted).toBe(true);
    await tests.adjust([endOf(charge, lost, lost.hold)], 0);
    expect((await admit(tests, charge)).admitted).toBe(false);
  });

  it("are neither changed nor read by limits of requests only", async () => {
    await admit(store, chargeOf("5/minute; 5 concurrent", "one", "user"));
    await redis.client.del("headgate:{user:one}:held", "headgate:{user:one}:expiry");
    redis.server.command("config", "resetstat");
    await admit(store, chargeOf("5/minute", "one"));
    const stats = redis.server.command("info", "commandstats");
    expect(stats).not.toMatch(/cmdstat_(hmget|hget|hset|zadd|zrange)/);
  });

  it("of one partition, two thousand of them: a heartbeat of one takes six commands, and no call reads them all", async () => {
    const charge = chargeOf("100000 tokens/day; 5000 concurrent", "one", "user", { tokens: 3 });
    const holds = Array.from({ length: 2_000 }, newHold);
    await Promise.all(holds.map((hold) => admit(store, charge, hold)));
    redis.server.command("config", "resetstat");
    await store.adjust([beatOf(charge, holds[999] as Hold)], 0);
    const stats = redis.server.command("info", "commandstats");
    const calls = [...stats.matchAll(/cmdstat_(h\w+|z\w+):calls=(\d+)/g)].map(([, name, count]) => [
      name,
      Number(count),
    ]);
    // And one GET, of the value.
    expect(Object.fromEntries(calls)).toEqual({ hget: 1, hmget: 1, hset: 1, zadd: 1, zrange: 1 });
  });

  it("of a process send their heartbeats in several short calls if there are many", async () => {
    const charge = chargeOf("100000 tokens/day", "one", "user", { tokens: 3 });
    const holds = Array.from({ length: 200 }, newHold);
    await Promise.all(holds.map((hold) => admit(store, charge, hold)));
    const before = scriptCalls();
    const { readings } = await store.adjust(
      holds.map((hold) => beatOf(charge, hold)),
      0,
    );
    expect(scriptCalls() - before).toBe(4);
    expect(readings).toHaveLength(200);
    expect(new Set(readings.map(([reading]) => reading?.remaining))).toEqual(new Set([100_000 - 600]));
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
        url: redis.server.url,
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
