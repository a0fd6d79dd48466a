import { PGlite } from "@electric-sql/pglite";
import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, it } from "vitest";
import { fakeClock } from "../../testing/fake-clock.ts";
import { storeSuite } from "../../testing/store-suite/index.ts";
import { type PostgresStore, postgresStore } from "./index.ts";

const longestTestMs = 120_000;

/** Runs the whole suite on one store. Every test uses its own partitions. */
function runSuite(open: () => Promise<{ store: PostgresStore; close(): Promise<void> }>, scripts: number) {
  let opened: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    opened = await open();
  }, longestTestMs);
  afterAll(() => opened.close());

  const suite = storeSuite({ create: () => ({ store: opened.store, clock, close: () => {} }), scripts });
  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run(), longestTestMs);
}

const clock = fakeClock();

describe("storeSuite, on PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, longestTestMs);
  afterAll(() => server.remove());

  describe("over a URL", () => {
    runSuite(async () => {
      const store = postgresStore(server.url, { clock });
      return { store, close: () => store.close() };
    }, 40);
  });

  describe("over pg's Pool, unlogged, in a schema of another name", () => {
    runSuite(async () => {
      const pool = new pg.Pool({ connectionString: server.url });
      // The server may close a connection just as the pool closes it.
      pool.on("error", () => {});
      const store = postgresStore(pool, {
        clock,
        unlogged: true,
        schema: `Rate "limits" 'of' \\ the; app`,
      });
      return {
        store,
        async close() {
          await store.close();
          await pool.end();
        },
      };
    }, 5);
  });

  describe("over postgres", () => {
    runSuite(async () => {
      const sql = postgres(server.url, { onnotice: () => {} });
      const store = postgresStore(sql, { clock });
      return {
        store,
        async close() {
          await store.close();
          await sql.end();
        },
      };
    }, 5);
  });
});

describe("storeSuite, on PGlite", () => {
  runSuite(async () => {
    const database = await PGlite.create();
    const store = postgresStore(database, { clock });
    return {
      store,
      async close() {
        await store.close();
        await database.close();
      },
    };
  }, 10);
});
