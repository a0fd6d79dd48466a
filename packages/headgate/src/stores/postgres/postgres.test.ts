import { PGlite } from "@electric-sql/pglite";
import { admit, charge, postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { playTurns, turnsByKind } from "@headgate/test-servers/turns.ts";
import fc from "fast-check";
import pg from "pg";
import { describe, expect, it, vi } from "vitest";
import { createLimiter } from "../../limiter/limiter.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { playMemory, playOracle } from "../../testing/store-suite/scripts.ts";
import { startTrial } from "../../testing/store-suite/trial.ts";
import { postgresStore } from "./index.ts";

const startMs = 60_000;

const ridOf = (n: number) => n.toString(16).padStart(24, "0");
/** The end of a reservation that used nothing. */
const nothing = { seq: 1, ended: true, raises: false, known: [0], used: [0], held: [0], refunds: [] };

const postgres = postgresFixture();
const { open, openPool, keepPool, closeLater, rows } = postgres;

describe("postgresStore", () => {
  it("uses the server's clock", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2001, 0, 1) });
    const { now } = await open().decide([charge("a")], Date.now(), false);
    vi.useRealTimers();
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  });

  it.each([
    ["requests that are admitted", false],
    ["reports", true],
  ])("starts the running totals of a log anew before they leave their range, by %s", async (_, isReport) => {
    const clock = fakeClock(Date.UTC(2026, 0, 1));
    const store = open(postgres.pool, { clock });
    const one = charge("a", "9/minute");
    await store.decide([one], 0, false);
    clock.advance(1_000);
    await store.decide([one], 0, false);
    // As after many years: 3 below the end of the range.
    await postgres.pool.query(
      `UPDATE "${postgres.schema}".partitions SET state = state[1:4] ||
       ARRAY[9223372036854775802, 9223372036854775803, 9223372036854775804]`,
    );
    for (let spent = 3; spent <= 8; spent += 1) {
      clock.advance(1_000);
      if (isReport) await store.adjust([{ ...one, ...nothing, rid: ridOf(spent), used: [1] }], 0);
      else expect((await store.decide([one], 0, false)).admitted).toBe(true);
      expect((await store.decide([one], 0, true)).readings[0]?.[0]).toMatchObject({ remaining: 9 - spent });
    }
    clock.advance(53_000);
    expect((await store.decide([one], 0, true)).readings[0]?.[0]).toMatchObject({ remaining: 2 });
  });

  it("answers random scripts like the definitions and the memory store", async () => {
    const clock = fakeClock();
    const store = open(postgres.pool, { clock });
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        clock.set(Date.UTC(2026, 0, 1));
        await playOracle(startTrial(store, clock), seed);
        clock.set(Date.UTC(2026, 0, 1));
        await playMemory(startTrial(store, clock), seed);
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  it.each(turnsByKind)(
    "decides a batch like single requests: %s",
    async (_, kind) => {
      const clock = fakeClock();
      // Over one connection, which decides requests in the order in which they were made.
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      const store = open(client, { clock });
      closeLater({ close: () => client.end() });
      await store.check();
      await fc.assert(
        fc.asyncProperty(kind, async (turns) => {
          await postgres.pool.query(`TRUNCATE "${postgres.schema}".partitions, "${postgres.schema}".holds`);
          await playTurns(store, clock, turns);
        }),
        { numRuns: 100 },
      );
    },
    60_000,
  );

  it("sends one statement for all requests of one turn, over any number of layers", async () => {
    let statements: string[] = [];
    const counting = {
      async query(text: string, values?: unknown[]) {
        const answer = await postgres.pool.query(text, values);
        // Sweeps run between requests every few seconds. A sweep that failed because of a lock is tried again.
        if (!/sweep\W*\(/.test(text)) statements.push(text);
        return answer;
      },
    };
    const store = open(counting);
    await store.check();
    statements = [];
    await admit(
      store,
      charge("a"),
      charge("b", "9/minute; 3 concurrent", "ip"),
      charge("c", "9 tokens/day", "org"),
    );
    expect(statements).toHaveLength(1);
    await Promise.all([
      ...Array.from({ length: 50 }, (_, n) =>
        admit(store, charge(`one${n}`), charge("all", "900/hour", "all")),
      ),
      store.reset([charge("a")], 0),
    ]);
    expect(statements).toHaveLength(2);
  });

  it("charges by the limits of both plans if a caller changes the plan within one turn", async () => {
    const clock = fakeClock();
    const store = open(postgres.pool, { clock });
    const [one, other] = [charge("a", "9/hour"), charge("a", "9/hour fixed-window")];
    await admit(store, one);
    await admit(store, other);
    await Promise.all([
      admit(store, one),
      admit(store, one),
      admit(store, charge("b", "9/hour")),
      admit(store, one),
    ]);
    for (const asked of [one, other]) {
      const { readings } = await store.decide([asked], clock.now(), true);
      expect(readings[0]?.[0]?.remaining).toBe(4);
    }
  });

  it("writes nothing for refusals and peeks", async () => {
    const store = open();
    await admit(store, charge("all", "1/hour", "all"));
    await store.decide([charge("peeked")], 0, true);
    for (let n = 0; n < 20; n += 1) {
      expect(await admit(store, charge(`new${n}`), charge("all", "1/hour", "all"))).toBe(false);
    }
    expect(await rows()).toBe(1);
    const before = await postgres.pool.query(
      `SELECT xmin::text, ctid::text FROM "${postgres.schema}".partitions`,
    );
    expect(await admit(store, charge("all", "1/hour", "all"))).toBe(false);
    expect(
      (await postgres.pool.query(`SELECT xmin::text, ctid::text FROM "${postgres.schema}".partitions`)).rows,
    ).toEqual(before.rows);
  });

  it("writes no caller's key to the database", async () => {
    await admit(open(), charge("ann@example.org"));
    const { rows: all } = await postgres.pool.query(
      `SELECT p::text AS text FROM "${postgres.schema}".partitions AS p`,
    );
    expect(all).toHaveLength(1);
    expect(all[0].text).not.toMatch(/ann|example/);
  });

  it("rejects a request with a corrupt state, names its layer but not its caller, and works again after a reset", async () => {
    const store = open();
    for (const state of ["{}", "{1}", "{9,1,2}", "{1,2,3,4}", "{2,1,0}"]) {
      await admit(store, charge("broken"));
      await postgres.pool.query(`UPDATE "${postgres.schema}".partitions SET state = $1`, [state]);
      const [broken, other] = await Promise.allSettled([
        store.decide([charge("fine", "5/hour", "ip"), charge("broken")], 0, false),
        store.decide([charge("other")], 0, false),
      ]);
      expect(broken).toMatchObject({
        status: "rejected",
        reason: {
          code: "store-state-invalid",
          message: expect.stringMatching(/a state of layer "user"(?!.*broken)/),
        },
      });
      expect(other).toMatchObject({ status: "fulfilled", value: { admitted: true } });
      await store.reset([charge("broken"), charge("other")], 0);
      // Nothing was charged to the layer without a fault.
      expect(await rows()).toBe(0);
      expect(await admit(store, charge("broken"))).toBe(true);
      await store.reset([charge("broken")], 0);
    }
    await admit(store, charge("broken"));
    await expect(
      postgres.pool.query(`UPDATE "${postgres.schema}".partitions SET state = '{1,2,NULL}'`),
    ).rejects.toThrow(/check/);
  });

  it("reports clocks that differ by more than a calendar window", async () => {
    const store = open();
    const daily = charge("a", "5/day fixed-window in Europe/London");
    expect(await admit(store, daily)).toBe(true);
    const now = Date.now();
    for (const days of [-3, 3]) {
      vi.useFakeTimers({ toFake: ["Date"], now: now + days * 86_400_000 });
      await expect(admit(store, daily)).rejects.toThrow(
        /clocks of this process and of the PostgreSQL server differ by more than a window of layer "user"/,
      );
    }
    vi.useFakeTimers({ toFake: ["Date"], now: now + 600_000 });
    expect(await admit(store, daily)).toBe(true);
  });

  it("keeps a coarse log short, and updates it in place", async () => {
    const clock = fakeClock();
    const store = open(postgres.pool, { clock });
    const large = charge("a", "100000/day");
    for (let n = 0; n < 700; n += 1) {
      clock.advance(200_000);
      expect(await admit(store, large)).toBe(true);
    }
    const { rows: found } = await postgres.pool.query(
      `SELECT cardinality(state) AS numbers, pg_relation_size(tableoid)::int AS bytes
       FROM "${postgres.schema}".partitions`,
    );
    expect(found).toHaveLength(1);
    expect(found[0].numbers).toBeLessThanOrEqual(3 + 2 * 241);
    // Seven hundred versions that did not share pages would take 700 pages of 8 KiB.
    expect(found[0].bytes).toBeLessThan(50 * 8192);
  }, 60_000);

  it("works without prepared statements, and with a single client", async () => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    closeLater({ close: () => client.end() });
    const store = open(client, { prepare: false });
    const admits = await Promise.all(Array.from({ length: 8 }, () => admit(store, charge("a"))));
    expect(admits.filter(Boolean)).toHaveLength(5);
    expect((await client.query("SELECT count(*)::int AS n FROM pg_prepared_statements")).rows[0].n).toBe(0);
  });

  it("keeps stores of two schemas apart on one connection", async () => {
    const single = keepPool({ max: 1 });
    const [one, two] = [open(single), open(single, { schema: `${postgres.schema} too` })];
    for (let n = 0; n < 5; n += 1) {
      expect(await admit(one, charge("a"))).toBe(true);
      expect(await admit(two, charge("a"))).toBe(true);
    }
    expect([await admit(one, charge("a")), await admit(two, charge("a"))]).toEqual([false, false]);
  });
});

describe("createLimiter, over PostgreSQL", () => {
  it("admits, settles, extends, releases and refuses, shared by two limiters", async () => {
    const clock = fakeClock();
    const make = () =>
      createLimiter<string>({
        name: "chat",
        layers: [
          { name: "user", key: (user) => user, limits: "3/minute; 100 tokens/hour; 1 concurrent" },
          { name: "all", key: () => "all", limits: "50/hour sliding-counter" },
        ],
        store: open(postgres.pool, { clock }),
        clock,
        timeouts: { storeMs: 10_000 },
      });
    const [one, two] = [make(), make()];
    const first = await one.admit("ann", { cost: { tokens: 60 } });
    if (!first.admitted) throw new Error("refused");
    expect(await two.admit("ann")).toMatchObject({ admitted: false, binding: { name: "user-concurrent" } });
    expect(await first.extend({ tokens: 30 })).toMatchObject({ admitted: true });
    expect(await first.extend({ tokens: 30 })).toMatchObject({ admitted: false });
    await first.end({ tokens: 20 });
    // The other limiter may remember its refusal for a second.
    clock.advance(1000);
    const peeked = await two.peek("ann");
    expect(peeked.limits.map(({ name, remaining }) => [name, remaining])).toEqual([
      ["user-per-minute", 2],
      ["user-tokens-per-hour", 80],
      ["user-concurrent", 1],
      ["all-per-hour", 49],
    ]);
    const second = await two.admit("ann");
    if (!second.admitted) throw new Error("refused");
    await second.end("nothing");
    expect((await one.peek("ann")).limits[0]?.remaining).toBe(2);
    await one.reset("ann");
    expect((await two.peek("ann")).limits[0]?.remaining).toBe(3);
    await Promise.all([one.close(), two.close()]);
  });
});

describe("the source of a store", () => {
  it.each(["mysql://root:secret@db/app", "postgres://user:secret@[bad/app", "secret", ""])(
    "refuses a URL without quoting it",
    (url) => {
      expect(() => postgresStore(url)).toThrow(/The PostgreSQL URL cannot be read/);
      expect(() => postgresStore(url)).not.toThrow(/secret/);
    },
  );

  it.each([null, 7, {}, () => {}])("refuses %j, which is not a client", (source) => {
    expect(() => postgresStore(source as unknown as string)).toThrow(/a Pool or Client of pg/);
  });

  it("refuses an invalid number of connections", () => {
    expect(() => postgresStore(postgres.url, { connections: 0 })).toThrow(
      "connections must be a whole number",
    );
  });

  it("connects when it is first used, and reports a failure without the password", async () => {
    const store = open("postgres://user:secret@127.0.0.1:1/app");
    const failure = await store.check().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(String((failure as Error).stack)).not.toContain("secret");
  });

  it(
    "can be PGlite, by a URL",
    async () => {
      const store = open("pglite://memory");
      const admits = await Promise.all(Array.from({ length: 8 }, () => admit(store, charge("a"))));
      expect(admits.filter(Boolean)).toHaveLength(5);
    },
    startMs,
  );

  it("can be closed by its owner during a call: nothing hangs", async () => {
    const ending = openPool({ max: 1 });
    const store = postgresStore(ending, { schema: postgres.schema });
    await store.check();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const busy = ending.query("SELECT pg_sleep(0.3)");
    const asked = store.decide([charge("a")], 0, false);
    const failure = expect(asked).rejects.toMatchObject({ inDoubt: true });
    await new Promise((resolve) => setImmediate(resolve));
    // The pool never answers calls that were queued when it was closed.
    await Promise.all([ending.end(), store.close(), busy]);
    vi.advanceTimersByTime(10_000);
    await failure;
    await expect(store.decide([charge("a")], 0, false)).rejects.toThrow("This store has been closed.");
  });

  it(
    "stays open if it was passed in, and is closed if the store opened it",
    async () => {
      const database = await PGlite.create();
      const store = postgresStore(database);
      await store.check();
      await store.close();
      expect((await database.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
      await database.close();

      const own = postgresStore(postgres.url, { schema: postgres.schema });
      await own.check();
      await own.close();
      // The server closes a connection a moment after the client.
      await vi.waitFor(async () => {
        const { rows: found } = await postgres.pool.query(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'headgate'",
        );
        expect(found[0].n).toBe(0);
      });
      await expect(own.check()).rejects.toThrow();
    },
    startMs,
  );
});
