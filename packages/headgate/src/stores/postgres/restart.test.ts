import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import { type PostgresStore, postgresStore } from "./index.ts";

const longestTestMs = 60_000;
const limits = compileLimits("user", "100000/day");
const charge = (key: string) => ({ space: "user", key, limits, ...amountsOf(limits, undefined) });

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, longestTestMs);
afterAll(() => server.remove(), longestTestMs);

/** Sends requests until one is answered. The store must recover without being created again. */
async function recovered(store: PostgresStore): Promise<void> {
  for (let attempts = 0; attempts < 50; attempts += 1) {
    const answered = await store.check().then(
      () => true,
      () => false,
    );
    if (answered) return;
  }
  throw new Error("The store has not recovered.");
}

async function remaining(store: PostgresStore, key: string): Promise<number | undefined> {
  return (await store.decide([charge(key)], 0, true)).readings[0]?.[0]?.remaining;
}

describe("postgresStore, when the server stops", () => {
  it(
    "rejects promptly, recovers by itself, and loses no count in an orderly stop",
    async () => {
      const store = postgresStore(server.url);
      await store.check();
      let [admitted, rejected, doubtful] = [0, 0, 0];
      let going = true;
      async function traffic(): Promise<void> {
        while (going) {
          await store.decide([charge("a")], 0, false).then(
            (outcome) => {
              if (outcome.admitted) admitted += 1;
            },
            (error: { inDoubt?: boolean }) => {
              rejected += 1;
              if (error.inDoubt) doubtful += 1;
            },
          );
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      const callers = Array.from({ length: 8 }, traffic);
      while (admitted < 50) await new Promise((resolve) => setImmediate(resolve));
      await server.stop();
      const before = rejected;
      while (rejected < before + 20) await new Promise((resolve) => setImmediate(resolve));
      await server.start();
      await recovered(store);
      going = false;
      await Promise.all(callers);
      // A decision whose answer was cut off may have been charged; nothing else may.
      const spent = 100_000 - ((await remaining(store, "a")) ?? 0);
      expect(spent).toBeGreaterThanOrEqual(admitted);
      expect(spent).toBeLessThanOrEqual(admitted + doubtful);
      await store.close();
    },
    longestTestMs,
  );

  it(
    "keeps what was written before a crash, unless the table is unlogged",
    async () => {
      const stores = [
        postgresStore(server.url),
        postgresStore(server.url, { schema: "fast", unlogged: true }),
      ];
      for (const store of stores) await store.decide([charge("crash")], 0, false);
      const pool = new pg.Pool({ connectionString: server.url });
      await pool.query("CHECKPOINT");
      await pool.end();
      await server.crash();
      await server.start();
      const left = [];
      for (const store of stores) {
        await recovered(store);
        left.push(await remaining(store, "crash"));
        await store.close();
      }
      expect(left).toEqual([99_999, 100_000]);
    },
    longestTestMs,
  );
});
