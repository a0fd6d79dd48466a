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

/** A server for the tests of one file. Every test has its own schema. */
export interface PostgresFixture {
  readonly url: string;
  /** The administrator's connections. */
  readonly pool: pg.Pool;
  /** The schema of the running test. */
  readonly schema: string;
  /** Opens a pool that the test must end. */
  openPool(options?: pg.PoolConfig): pg.Pool;
  /** Opens a pool that is ended after the test. */
  keepPool(options?: pg.PoolConfig): pg.Pool;
  /**
   * Opens a store in the test's schema, over the administrator's connections by default. It is closed after the test.
   */
  open(source?: Parameters<typeof postgresStore>[0], options?: PostgresStoreOptions): PostgresStore;
  /** Closes something after the test. */
  closeLater(one: { close(): Promise<void> }): void;
  /** Returns the number of rows in the test's schema. */
  rows(): Promise<number>;
}

/** Call it once, at the top of a test file. */
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

/** Creates a charge of one request, or of the given cost. */
export function charge(key: string, text = "5/hour", space = "user", cost?: Cost): Charge {
  const limits = compileLimits(space, text);
  return { space, key, limits, ...amountsOf(limits, cost) };
}

/** Decides charges. @returns whether they were admitted */
export async function admit(store: PostgresStore, ...charges: Charge[]): Promise<boolean> {
  return (await store.decide(charges, Date.now(), false)).admitted;
}
