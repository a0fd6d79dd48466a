import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { amountsOf, type Cost } from "../headgate/src/core/cost.ts";
import { compileLimits } from "../headgate/src/core/limit-set.ts";
import type { Charge } from "../headgate/src/core/store.ts";
import {
  type PostgresStore,
  type PostgresStoreOptions,
  postgresStore,
} from "../headgate/src/stores/postgres/index.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";

const startMs = 60_000;

/** A server for the tests of one file, in which every test has a schema of its own. */
export interface PostgresFixture {
  readonly url: string;
  /** The administrator's connections. */
  readonly pool: pg.Pool;
  /** The schema of the test that runs. */
  readonly schema: string;
  /** A pool that the test has to end. */
  openPool(options?: pg.PoolConfig): pg.Pool;
  /** A pool that is ended after the test. */
  keepPool(options?: pg.PoolConfig): pg.Pool;
  /** A store in the test's schema that is closed after the test; over the administrator's connections by default. */
  open(source?: Parameters<typeof postgresStore>[0], options?: PostgresStoreOptions): PostgresStore;
  /** Closes something after the test. */
  closeLater(one: { close(): Promise<void> }): void;
  /** How many rows the test's schema holds. */
  rows(): Promise<number>;
}

/** Call it once, at the head of a file of tests. */
export function postgresFixture(): PostgresFixture {
  let server: PostgresServer;
  let pool: pg.Pool;
  let schemas = 0;
  const opened: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await startPostgres(["max_connections=60"]);
    pool = fixture.openPool();
  }, startMs);
  afterAll(async () => {
    await pool.end();
    await server.remove();
  }, startMs);
  beforeEach(() => {
    schemas += 1;
  });
  afterEach(async () => {
    vi.useRealTimers();
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  const fixture: PostgresFixture = {
    get url() {
      return server.url;
    },
    get pool() {
      return pool;
    },
    get schema() {
      return `test ${schemas}`;
    },
    openPool(options) {
      const made = new pg.Pool({ connectionString: server.url, ...options });
      made.on("error", () => {});
      return made;
    },
    keepPool(options) {
      const made = fixture.openPool(options);
      opened.push({ close: () => made.end() });
      return made;
    },
    open(source = pool, options = {}) {
      const store = postgresStore(source, { schema: fixture.schema, ...options });
      opened.push(store);
      return store;
    },
    closeLater(one) {
      opened.push(one);
    },
    async rows() {
      const { rows } = await pool.query(`SELECT count(*)::int AS n FROM "${fixture.schema}".partitions`);
      return rows[0].n;
    },
  };
  return fixture;
}

/** A charge of one request, or of what it costs. */
export function charge(key: string, text = "5/hour", space = "user", cost?: Cost): Charge {
  const limits = compileLimits(space, text);
  return { space, key, limits, ...amountsOf(limits, cost) };
}

/** Whether all of these were charged. */
export async function admit(store: PostgresStore, ...charges: Charge[]): Promise<boolean> {
  return (await store.decide(charges, Date.now(), false)).admitted;
}
