import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { createLimiter, memoryStore, type Store } from "headgate";
import { postgresStore } from "headgate/postgres";
import { redisStore } from "headgate/redis";
import { fakeClock } from "headgate/testing";
import { Redis } from "ioredis";
import pg from "pg";
import { figureOf } from "../measuring/figures.ts";
import { withServer } from "../measuring/servers.ts";
import type { RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMost, atMostOf, ofHeadgate } from "../report/targets.ts";

export const state: Section = { name: "state", run };

type Clock = ReturnType<typeof fakeClock>;

/** A store, and what it spends on its calls. */
interface Measured {
  readonly label: string;
  readonly note: string;
  /** How much more a full log of `100000/day` may cost than one of `60/day`, as a ratio. */
  readonly mostGrowth: number;
  open(clock: Clock): Store;
  /** Milliseconds of work for one call, while something runs that makes this many calls. */
  costOf(calls: number, work: () => Promise<void>): Promise<number>;
}

const day = 86_400_000;
const mostHolds = 2_000;

async function run({ isQuick, say }: RunOptions): Promise<SectionResult> {
  const holds = isQuick ? 100 : mostHolds;
  const rows: { label: string; note: string; beat: number[]; few: number[]; many: number[]; most: number }[] =
    [];
  const measure = async (store: Measured) => {
    const { label, note, mostGrowth } = store;
    const row = {
      label,
      note,
      beat: [] as number[],
      few: [] as number[],
      many: [] as number[],
      most: mostGrowth,
    };
    rows.push(row);
    const decisions = isQuick ? 50 : store === inMemory ? 100_000 : 2_000;
    for (let round = 0; round < (isQuick ? 1 : 5); round += 1) {
      say(`state: ${label}`);
      if (store !== inMemory) row.beat.push(await beatOf(store, holds, round, isQuick ? 20 : 500));
      row.few.push(await decisionOf(store, "60/day", day / 60 + 1, round, decisions));
      row.many.push(await decisionOf(store, "100000/day", day / 300, round, decisions));
    }
  };
  await measure(inMemory);
  await withServer(startRedis(), async (server) => {
    const client = new Redis(server.url);
    await measure(onRedis(client));
    client.disconnect();
  });
  await withServer(startPostgres(["shared_preload_libraries=pg_stat_statements"]), async (server) => {
    const pool = new pg.Pool({ connectionString: server.url, max: 4 });
    pool.on("error", () => {});
    await pool.query("CREATE EXTENSION pg_stat_statements");
    await measure(onPostgres(pool));
    await pool.end();
  });

  const title = "What a store does for one call";
  const table: Table = {
    id: "state",
    title,
    columns: [
      { title: `a heartbeat, one of ${holds.toLocaleString("en")} reservations`, unit: "ms", better: "less" },
      { title: "a decision under 60/day, full", unit: "ms", better: "less" },
      { title: "a decision under 100000/day, full", unit: "ms", better: "less" },
    ],
    rows: rows.map(({ label, note, beat, few, many }) => ({
      label,
      kind: "headgate",
      note,
      figures: [beat.length > 0 ? figureOf(beat) : null, figureOf(few), figureOf(many)],
    })),
  };
  const of = (label: string, column: number) => {
    const row = table.rows.filter((one) => one.label === label);
    return ofHeadgate({ ...table, rows: row }, column);
  };
  return {
    name: "state",
    title: "What long logs and many reservations cost",
    method: [
      "One caller, one call at a time. Of a server, it is the server's own time: Redis' for its commands, PostgreSQL's for the statements (pg_stat_statements). " +
        "In memory, it is the time on the thread, with a promise for each decision; there, a heartbeat is not measured.",
      `A heartbeat renews one of ${holds.toLocaleString("en")} reservations of one partition, under \`100000 tokens/day; 5000 concurrent\`. ` +
        "For the decisions, the store's clock is moved on between calls, so that every log is as long as it gets and every request is admitted.",
    ],
    tables: [table],
    targets: [
      ...rows
        .filter(({ label }) => label !== inMemory.label)
        .map(({ label }) =>
          atMostOf(
            `a heartbeat at ${holds.toLocaleString("en")} reservations, ${label}`,
            0.15,
            "ms",
            of(label, 0),
          ),
        ),
      ...rows.map(({ label, most }) =>
        atMost(
          `a decision under 100000/day, ${label}`,
          most,
          "one under 60/day",
          of(label, 2) / of(label, 1),
        ),
      ),
    ],
  };
}

const inMemory: Measured = {
  label: "memory",
  note: "",
  mostGrowth: 1.2,
  open: () => memoryStore(),
  async costOf(calls, work) {
    const before = performance.now();
    await work();
    return (performance.now() - before) / calls;
  },
};

function onRedis(client: Redis): Measured {
  const spent = async () => {
    const stats = await client.info("commandstats");
    return Number(/cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  return {
    label: "Redis",
    note: "",
    mostGrowth: 1.5,
    open: (clock) => redisStore(client, { clock }),
    async costOf(calls, work) {
      const before = await spent();
      await work();
      return ((await spent()) - before) / calls / 1_000;
    },
  };
}

function onPostgres(pool: pg.Pool): Measured {
  return {
    label: "PostgreSQL",
    note: "without the time to write to disk",
    mostGrowth: 1.5,
    open: (clock) => postgresStore(pool, { clock }),
    async costOf(calls, work) {
      await pool.query("SELECT pg_stat_statements_reset()");
      await work();
      const { rows } = await pool.query(
        "SELECT sum(total_exec_time) AS ms FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%'",
      );
      return Number(rows[0].ms) / calls;
    },
  };
}

/** Of many reservations, one belongs to a process of its own, whose clock alone moves on: it beats, and nobody else. */
async function beatOf(store: Measured, holds: number, round: number, beats: number): Promise<number> {
  const clock = fakeClock();
  const calls: unknown[] = [];
  const processWith = (own: Clock) => {
    const opened = store.open(clock);
    return createLimiter<string>({
      name: `beats-${round}`,
      clock: own,
      store: {
        ...opened,
        adjust(...words) {
          const call = opened.adjust(...words);
          calls.push(call);
          return call;
        },
      },
      timeouts: { storeMs: 60_000 },
      layers: [{ name: "user", key: (user) => user, limits: "100000 tokens/day; 5000 concurrent" }],
    });
  };
  const others = processWith(clock);
  const admissions = await Promise.all(
    Array.from({ length: holds - 1 }, async () => others.admit("ann", { cost: { tokens: 3 } })),
  );
  const own = fakeClock();
  const limiter = processWith(own);
  admissions.push(await limiter.admit("ann", { cost: { tokens: 3 } }));
  if (admissions.some(({ admitted }) => !admitted)) throw new Error("A reservation was refused.");
  const beat = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      const before = calls.length;
      own.advance(10_000);
      while (calls.length === before) await new Promise((resolve) => setImmediate(resolve));
      await calls[before];
      if (calls.length !== before + 1) throw new Error("There was more than one heartbeat.");
    }
  };
  // A server prepares its first statements.
  await beat(20);
  const cost = await store.costOf(beats, () => beat(beats));
  await Promise.all(admissions.map(async (admission) => admission.admitted && admission.end("nothing")));
  await Promise.all([others.close(), limiter.close()]);
  return cost;
}

async function decisionOf(
  store: Measured,
  limits: string,
  stepMs: number,
  round: number,
  decisions: number,
): Promise<number> {
  const clock = fakeClock();
  const limiter = createLimiter<string>({
    name: `decisions-${limits.replaceAll("/", "-")}-${round}`,
    clock,
    store: store.open(clock),
    timeouts: { storeMs: 60_000 },
    layers: [{ name: "user", key: (user) => user, limits }],
  });
  const decide = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      clock.advance(stepMs);
      if (!(await limiter.admit("ann")).admitted) throw new Error("A decision was refused.");
    }
  };
  await decide(400);
  const cost = await store.costOf(decisions, () => decide(decisions));
  await limiter.close();
  return cost;
}
