import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import fc from "fast-check";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test-servers/postgres.ts";
import { amountsOf, type Cost } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge } from "../../core/store.ts";
import { createLimiter } from "../../limiter.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { playMemory, playOracle } from "../../testing/store-suite/scripts.ts";
import { startTrial } from "../../testing/store-suite/trial.ts";
import { type PostgresStore, type PostgresStoreOptions, postgresMigration, postgresStore } from "./index.ts";

const startMs = 60_000;
const raceMs = 120_000;

let server: PostgresServer;
/** The administrator's connections; in which every test has a schema of its own. */
let pool: pg.Pool;
let schema: string;
let schemas = 0;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startPostgres(["max_connections=60"]);
  pool = openPool();
}, startMs);
afterAll(async () => {
  await pool.end();
  await server.remove();
}, startMs);
beforeEach(() => {
  schemas += 1;
  schema = `test ${schemas}`;
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function openPool(options: pg.PoolConfig = {}): pg.Pool {
  const made = new pg.Pool({ connectionString: server.url, ...options });
  made.on("error", () => {});
  return made;
}

function keepPool(options: pg.PoolConfig = {}): pg.Pool {
  const made = openPool(options);
  opened.push({ close: () => made.end() });
  return made;
}

function open(
  source: Parameters<typeof postgresStore>[0] = pool,
  options: PostgresStoreOptions = {},
): PostgresStore {
  const store = postgresStore(source, { schema, ...options });
  opened.push(store);
  return store;
}

function charge(key: string, text = "5/hour", space = "user", cost?: Cost): Charge {
  const limits = compileLimits(space, text);
  return { space, key, limits, ...amountsOf(limits, cost) };
}

const admit = async (store: PostgresStore, ...charges: Charge[]) =>
  (await store.decide(charges, Date.now(), false)).admitted;

const rows = async (where = "true"): Promise<number> => {
  const { rows: found } = await pool.query(
    `SELECT count(*)::int AS n FROM "${schema}".partitions WHERE ${where}`,
  );
  return found[0].n;
};

describe("postgresStore", () => {
  it("goes by the server's clock", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2001, 0, 1) });
    const { now } = await open().decide([charge("a")], Date.now(), false);
    vi.useRealTimers();
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  });

  it("plays random scripts as the definitions and the memory store do", async () => {
    const clock = fakeClock();
    const store = open(pool, { clock });
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

  it("sends one statement for all that is asked in one turn, over any number of layers", async () => {
    let statements = 0;
    const counting = {
      query(text: string, values?: unknown[]) {
        statements += 1;
        return pool.query(text, values);
      },
    };
    const store = open(counting);
    await store.check();
    statements = 0;
    await admit(
      store,
      charge("a"),
      charge("b", "9/minute; 3 concurrent", "ip"),
      charge("c", "9 tokens/day", "org"),
    );
    expect(statements).toBe(1);
    await Promise.all([
      ...Array.from({ length: 50 }, (_, n) =>
        admit(store, charge(`one${n}`), charge("all", "900/hour", "all")),
      ),
      store.reset([charge("a")], 0),
    ]);
    expect(statements).toBe(2);
  });

  it("writes nothing for refusals and peeks", async () => {
    const store = open();
    await admit(store, charge("all", "1/hour", "all"));
    await store.decide([charge("peeked")], 0, true);
    for (let n = 0; n < 20; n += 1) {
      expect(await admit(store, charge(`new${n}`), charge("all", "1/hour", "all"))).toBe(false);
    }
    expect(await rows()).toBe(1);
    const before = await pool.query(`SELECT xmin::text, ctid::text FROM "${schema}".partitions`);
    expect(await admit(store, charge("all", "1/hour", "all"))).toBe(false);
    expect((await pool.query(`SELECT xmin::text, ctid::text FROM "${schema}".partitions`)).rows).toEqual(
      before.rows,
    );
  });

  it("does not name callers in the database", async () => {
    await admit(open(), charge("ann@example.org"));
    const { rows: all } = await pool.query(`SELECT p::text AS text FROM "${schema}".partitions AS p`);
    expect(all).toHaveLength(1);
    expect(all[0].text).not.toMatch(/ann|example/);
  });

  it("fails one request for a state that is corrupt, names its layer and not its caller, and is healed by a reset", async () => {
    const store = open();
    for (const state of ["{}", "{1}", "{9,1,2}", "{1,2,3,4}", "{2,1,0}"]) {
      await admit(store, charge("broken"));
      await pool.query(`UPDATE "${schema}".partitions SET state = $1`, [state]);
      const [broken, other] = await Promise.allSettled([
        store.decide([charge("fine", "5/hour", "ip"), charge("broken")], 0, false),
        store.decide([charge("other")], 0, false),
      ]);
      expect(broken).toMatchObject({
        status: "rejected",
        reason: { code: "store-invalid", message: expect.stringMatching(/caller of "user"(?!.*broken)/) },
      });
      expect(other).toMatchObject({ status: "fulfilled", value: { admitted: true } });
      await store.reset([charge("broken"), charge("other")], 0);
      // Nothing was charged to the layer that was in order.
      expect(await rows()).toBe(0);
      expect(await admit(store, charge("broken"))).toBe(true);
      await store.reset([charge("broken")], 0);
    }
    await admit(store, charge("broken"));
    await expect(pool.query(`UPDATE "${schema}".partitions SET state = '{1,2,NULL}'`)).rejects.toThrow(
      /check/,
    );
  });

  it("says so where the clocks differ by more than a calendar window", async () => {
    const store = open();
    const daily = charge("a", "5/day fixed-window in Europe/London");
    expect(await admit(store, daily)).toBe(true);
    const now = Date.now();
    for (const days of [-3, 3]) {
      vi.useFakeTimers({ toFake: ["Date"], now: now + days * 86_400_000 });
      await expect(admit(store, daily)).rejects.toThrow(
        /clocks of this process and of PostgreSQL differ by too much .* "user"/,
      );
    }
    vi.useFakeTimers({ toFake: ["Date"], now: now + 600_000 });
    expect(await admit(store, daily)).toBe(true);
  });

  it("releases no lease of a caller who was reset meanwhile", async () => {
    const store = open();
    const asked = charge("a", "1 concurrent/hour");
    const stale = await store.decide([asked], 0, false);
    await store.reset([asked], 0);
    expect(await admit(store, asked)).toBe(true);
    const { space, key, limits } = asked;
    const mark = stale.marks[0]?.[0] ?? 0;
    const refunds = [{ group: 0, amount: 1, chargedAt: stale.now, mark }];
    await store.adjust([{ space, key, limits, refunds, renewals: [{ group: 0, mark }], spends: [0] }], 0);
    expect(await admit(store, asked)).toBe(false);
  });

  it("keeps counting past what a bigint can hold in running totals", async () => {
    const clock = fakeClock();
    const store = open(pool, { clock });
    const huge = charge("a", "5 bytes/hour sliding-window");
    const { space, key, limits } = huge;
    const most = Number.MAX_SAFE_INTEGER;
    for (let n = 0; n < 1500; n += 1) {
      clock.advance(1_800_001);
      await store.adjust([{ space, key, limits, refunds: [], renewals: [], spends: [most] }], 0);
    }
    const { admitted, readings } = await store.decide([huge], 0, false);
    expect([admitted, readings[0]?.[0]?.remaining]).toEqual([false, 0]);
    clock.advance(3_600_000);
    expect(await admit(store, huge)).toBe(true);
  }, 60_000);

  it("works without prepared statements, and over a single client", async () => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    opened.push({ close: () => client.end() });
    const store = open(client, { prepare: false });
    const admits = await Promise.all(Array.from({ length: 8 }, () => admit(store, charge("a"))));
    expect(admits.filter(Boolean)).toHaveLength(5);
    expect((await client.query("SELECT count(*)::int AS n FROM pg_prepared_statements")).rows[0].n).toBe(0);
  });

  it("keeps stores of two schemas apart on one connection", async () => {
    const single = keepPool({ max: 1 });
    const [one, two] = [open(single), open(single, { schema: `${schema} too` })];
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
        layers: [
          { name: "user", key: (user) => user, limits: "3/minute; 100 tokens/hour; 1 concurrent" },
          { name: "all", key: () => "all", limits: "50/hour sliding-counter" },
        ],
        store: open(pool, { clock }),
        clock,
        storeTimeoutMs: 10_000,
      });
    const [one, two] = [make(), make()];
    const first = await one.admit("ann", { cost: { tokens: 60 } });
    if (!first.admitted) throw new Error("refused");
    expect(await two.admit("ann")).toMatchObject({ admitted: false, binding: { name: "user-concurrent" } });
    expect(await first.extend({ tokens: 30 })).toMatchObject({ admitted: true });
    expect(await first.extend({ tokens: 30 })).toMatchObject({ admitted: false });
    await first.settle({ tokens: 20 });
    await first.release();
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
    await second.refund();
    expect((await one.peek("ann")).limits[0]?.remaining).toBe(2);
    await one.reset("ann");
    expect((await two.peek("ann")).limits[0]?.remaining).toBe(3);
    await Promise.all([one.close(), two.close()]);
  });
});

describe("postgresStore, racing", () => {
  it.each([
    ["5/hour", 5, 200],
    ["1000/hour", 1000, 300],
    ["500/hour token-bucket; 400 concurrent", 400, 200],
  ])(
    "eight processes share %s: exactly %i are admitted",
    async (limits, quota, attempts) => {
      await pool.query("DROP SCHEMA IF EXISTS headgate CASCADE");
      const racers = Array.from({ length: 8 }, () => startRacer(server.url, limits, attempts));
      await Promise.all(racers.map(({ said }) => said("ready")));
      for (const { process: child } of racers) child.stdin?.write("go\n");
      const admitted = await Promise.all(racers.map(({ said }) => said(/^\d+$/m)));
      // A bucket fills while they race: an hour's quota of 500 is not reached before 400 leases are.
      expect(admitted.reduce((sum, text) => sum + Number(text), 0)).toBe(quota);
    },
    raceMs,
  );

  it(
    "runs into no deadlock, whatever the order of the layers",
    async () => {
      const stores = [open(keepPool()), open(keepPool()), open(keepPool())];
      const all = Array.from({ length: 12 }, (_, n) => charge(`caller${n}`, "100000/hour", `layer${n % 3}`));
      const random = () => all.filter(() => Math.random() < 0.4).sort(() => Math.random() - 0.5);
      const rounds = Array.from({ length: 40 }, () => random());
      const decisions = await Promise.all(
        stores.map(async (store, n) => {
          let spent = 0;
          for (const charges of n % 2 === 0 ? rounds : rounds.toReversed()) {
            const outcomes = await Promise.all(
              Array.from({ length: 6 }, () => store.decide(charges.toReversed(), 0, false)),
            );
            spent += outcomes.filter(({ admitted }) => admitted).length * charges.length;
          }
          return spent;
        }),
      );
      const readings = await Promise.all(
        all.map((one) => (stores[0] as PostgresStore).decide([one], 0, true)),
      );
      const spent = readings.reduce((sum, one) => sum + 100_000 - (one.readings[0]?.[0]?.remaining ?? 0), 0);
      expect(spent).toBe(decisions.reduce((sum, one) => sum + one, 0));
      const { rows: found } = await pool.query(
        "SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()",
      );
      expect(found[0].n).toBe(0);
    },
    raceMs,
  );

  it.each(["repeatable read", "serializable"])(
    "is exact under %s too",
    async (level) => {
      const options = `-c default_transaction_isolation=${level.replace(" ", "\\ ")}`;
      const stores = Array.from({ length: 3 }, () => open(keepPool({ options })));
      const admits = await Promise.all(
        stores.flatMap((store) =>
          Array.from({ length: 60 }, async (_, n) => {
            for (let turn = 0; turn < n % 5; turn += 1) await store.decide([charge("peeked")], 0, true);
            return admit(store, charge("a", "30/hour"), charge("b", "1000/hour", "ip"));
          }),
        ),
      );
      expect(admits.filter(Boolean)).toHaveLength(30);
    },
    raceMs,
  );
});

describe("postgresMigration", () => {
  it("may be run again, and by several processes at once", async () => {
    const stores = Array.from({ length: 6 }, () => open(keepPool({ max: 2 })));
    const admits = await Promise.all(
      stores.flatMap((store) => [admit(store, charge("a")), admit(store, charge("a"))]),
    );
    expect(admits.filter(Boolean)).toHaveLength(5);
    await Promise.all([1, 2, 3].map(() => pool.query(postgresMigration({ schema }))));
    expect(await admit(stores[0] as PostgresStore, charge("a"))).toBe(false);
  });

  it("is awaited where the option is off, and the sentence says what to run", async () => {
    const store = open(pool, { migrate: false });
    await expect(store.check()).rejects.toMatchObject({
      code: "store-invalid",
      message: expect.stringContaining("postgresMigration()"),
    });
    await pool.query(postgresMigration({ schema }));
    await store.check();
    expect(await admit(store, charge("a"))).toBe(true);
  });

  it("brings back a table that was dropped", async () => {
    const store = open();
    await admit(store, charge("a", "1/hour"));
    await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
    expect(await admit(store, charge("a", "1/hour"))).toBe(true);
    expect(await admit(store, charge("a", "1/hour"))).toBe(false);
  });

  it("needs no right to create once an owner has run it", async () => {
    await pool.query("CREATE ROLE teller LOGIN");
    const url = server.url.replace("headgate@", "teller@");
    const store = open(url);
    await expect(store.check()).rejects.toThrow(/may not create the schema .*: run the statement/);
    await pool.query(postgresMigration({ schema }));
    await expect(store.check()).rejects.toThrow(/permission denied/);
    await pool.query(`GRANT USAGE ON SCHEMA "${schema}" TO teller`);
    await pool.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON "${schema}".partitions TO teller`);
    expect(await admit(store, charge("a", "1/hour"))).toBe(true);
    expect(await admit(store, charge("a", "1/hour"))).toBe(false);
  });

  it.each(["", "x".repeat(64), "ä".repeat(32), "a$b", "pg_limits", "a\u0000b", 7])(
    "refuses the schema %j",
    (name) => {
      const make = () => postgresMigration({ schema: name as string });
      expect(make).toThrow(/schema must be a name of 1 to 63 bytes/);
      expect(() => postgresStore(pool, { schema: name as string })).toThrow(/schema must be a name/);
    },
  );
});

describe("expired rows", () => {
  it("count for nothing, and are cleared while others are kept", async () => {
    const clock = fakeClock();
    const store = open(pool, { clock });
    await Promise.all(Array.from({ length: 3000 }, (_, n) => admit(store, charge(`old${n}`, "1/minute"))));
    clock.advance(30_000);
    await Promise.all(Array.from({ length: 500 }, (_, n) => admit(store, charge(`kept${n}`, "1/hour"))));
    clock.advance(30_000);
    expect(await admit(store, charge("old1", "1/minute"))).toBe(true);
    expect(await rows()).toBe(3500);
    clock.advance(61_000);
    for (let n = 0; n < 10; n += 1) {
      clock.advance(10_000);
      await store.decide([charge("anybody")], 0, true);
    }
    expect(await rows()).toBe(500);
    expect(await admit(store, charge("kept7", "1/hour"))).toBe(false);
  });

  it("are cleared without waiting for one that somebody holds", async () => {
    const clock = fakeClock();
    const store = open(pool, { clock });
    await Promise.all(Array.from({ length: 10 }, (_, n) => admit(store, charge(`old${n}`, "1/minute"))));
    const holder = await pool.connect();
    try {
      await holder.query(`BEGIN; SELECT * FROM "${schema}".partitions LIMIT 1 FOR UPDATE`);
      clock.advance(180_000);
      for (let n = 0; n < 3; n += 1) {
        clock.advance(10_000);
        await store.decide([charge("anybody")], 0, true);
      }
      expect(await rows()).toBe(1);
      await holder.query("ROLLBACK");
    } finally {
      holder.release();
    }
  });
});

describe("the source of a store", () => {
  it.each(["mysql://root:secret@db/app", "postgres://user:secret@[bad/app", "secret", ""])(
    "refuses a URL without quoting it",
    (url) => {
      expect(() => postgresStore(url)).toThrow(/postgresStore takes a URL/);
      expect(() => postgresStore(url)).not.toThrow(/secret/);
    },
  );

  it.each([null, 7, {}, () => {}])("refuses %j, which is no client", (source) => {
    expect(() => postgresStore(source as unknown as string)).toThrow(/a Pool or Client of pg/);
  });

  it("refuses a number of connections that is none", () => {
    expect(() => postgresStore(server.url, { connections: 0 })).toThrow("connections must be a whole number");
  });

  it("connects when it is first used, and says why it cannot without the password", async () => {
    const store = open("postgres://user:secret@127.0.0.1:1/app");
    const failure = await store.check().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(String((failure as Error).stack)).not.toContain("secret");
  });

  it(
    "may be PGlite, named by a URL",
    async () => {
      const store = open("pglite://memory");
      const admits = await Promise.all(Array.from({ length: 8 }, () => admit(store, charge("a"))));
      expect(admits.filter(Boolean)).toHaveLength(5);
    },
    startMs,
  );

  it(
    "is left open where it was passed, and closed where it was opened",
    async () => {
      const database = await PGlite.create();
      const store = postgresStore(database);
      await store.check();
      await store.close();
      expect((await database.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
      await database.close();

      const own = postgresStore(server.url, { schema });
      await own.check();
      await own.close();
      const { rows: found } = await pool.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'headgate'",
      );
      expect(found[0].n).toBe(0);
      await expect(own.check()).rejects.toThrow();
    },
    startMs,
  );
});

interface Racer {
  readonly process: ChildProcess;
  /** Resolves with what it has said once that matches. */
  said(wanted: string | RegExp): Promise<string>;
}

function startRacer(url: string, limits: string, attempts: number): Racer {
  const script = fileURLToPath(new URL("../../../test-servers/postgres-racer.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--conditions=headgate-source", "--no-warnings", script, url, limits, String(attempts)],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  let output = "";
  let errors = "";
  const waiting = new Set<() => void>();
  child.stdout.on("data", (chunk) => {
    output += chunk;
    for (const look of waiting) look();
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  return {
    process: child,
    said: (wanted) =>
      new Promise((resolve, reject) => {
        function look(): void {
          const found = output.match(wanted)?.[0];
          if (found !== undefined) resolve(found);
        }
        waiting.add(look);
        child.once("exit", (code) => {
          look();
          reject(new Error(`A racer ended with ${code}: ${errors}`));
        });
        look();
      }),
  };
}
