import { expectOneCharge, type Guarded, guardedBy } from "@headgate/test-servers/guarded-by.ts";
import { type BreakableNetwork, startNetwork } from "@headgate/test-servers/network.ts";
import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import { type PostgresStore, postgresStore } from "../stores/postgres/index.ts";

const longestTestMs = 60_000;

let server: PostgresServer;
let schemas = 0;
beforeAll(async () => {
  server = await startPostgres();
}, longestTestMs);
afterAll(() => server.remove(), longestTestMs);

let store: PostgresStore;
let guarded: Guarded;
function guard(url: string): Promise<void> {
  schemas += 1;
  store = postgresStore(url, { schema: `faults ${schemas}` });
  guarded = guardedBy(store);
  return guarded.limiter.ready();
}
afterEach(async () => {
  await guarded.limiter.close();
  await store.close();
}, longestTestMs);

/** As an administrator, whose own session can write whatever the server's default is. */
async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client({
    connectionString: server.url,
    options: "-c default_transaction_read_only=off",
  });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

describe("a PostgreSQL server that fails", () => {
  beforeEach(() => guard(server.url), longestTestMs);

  it.each(["stop", "crash"] as const)(
    "by a %s and a restart: requests are decided locally meanwhile, and sent to it afterwards",
    async (end) => {
      const { admit, admitted, isBack, isOpen, left } = guarded;
      const handle = (await admit("alice", 100)) as Admitted;
      expect(handle.decidedBy).toBe("store");
      // A crash may lose data that was not yet written.
      await administer("CHECKPOINT");
      await server[end]();
      await isOpen();
      expect(await admitted("bob", 7, 10)).toBe(5);
      await handle.end({ tokens: 30 });
      await server.start();
      await isBack();
      expect(await left("alice")).toEqual([4, 970]);
      expect(await left("bob")).toEqual([0, 950]);
      expect((await admit("bob")).admitted).toBe(false);
    },
    longestTestMs,
  );

  it(
    "by freezing: no request waits longer than the time limit, and late charges are taken back",
    async () => {
      const { admit, isBack, isOpen, left, until } = guarded;
      const handle = (await admit("alice", 100)) as Admitted;
      server.freeze();
      try {
        const answers = await Promise.all(Array.from({ length: 7 }, () => admit("bob", 10)));
        expect(answers.filter((answer) => answer.admitted)).toHaveLength(5);
        await handle.end({ tokens: 30 });
        await isOpen();
      } finally {
        server.thaw();
      }
      await isBack();
      await until("What was charged late is taken back", async () => (await left("bob"))[1] === 950);
      expect(await left("bob")).toEqual([0, 950]);
      await until("What was settled is settled", async () => (await left("alice"))[1] === 970);
      expect(await left("alice")).toEqual([4, 970]);
    },
    longestTestMs,
  );

  it(
    "to write, because it was made read-only",
    async () => {
      const { admit, admitted, isBack, isOpen, left } = guarded;
      const handle = (await admit("alice", 100)) as Admitted;
      await administer("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()");
      await isOpen();
      expect(await admitted("bob", 7, 10)).toBe(5);
      await handle.end({ tokens: 30 });
      await administer("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()");
      await isBack();
      expect(await left("alice")).toEqual([4, 970]);
      expect(await left("bob")).toEqual([0, 950]);
    },
    longestTestMs,
  );
});

describe("a network that breaks while a statement runs", () => {
  let network: BreakableNetwork;
  beforeEach(async () => {
    network = await startNetwork(Number(new URL(server.url).port));
    const url = new URL(server.url);
    url.port = String(network.port);
    await guard(url.href);
  }, longestTestMs);
  afterEach(() => network.close());

  it(
    "a charge whose answer is lost counts once, and nothing is refunded twice",
    async () => {
      const { admit, admitted, isBack, left, limiter } = guarded;
      const handle = (await admit("alice", 100)) as Admitted;
      network.mode = "cut";
      await handle.end({ tokens: 30 });
      expect(network.cuts).toBe(1);
      network.mode = "open";
      await isBack();
      expect(await left("alice")).toEqual([4, 970]);
      expect(limiter.status().counters?.inDoubt).toBe(1);

      network.mode = "cut";
      expect(await admit("bob", 10)).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
      expect(network.cuts).toBe(2);
      network.mode = "open";
      await isBack();
      // It was charged before the connection broke.
      expect(await left("bob")).toEqual([4, 990]);
      expect(await admitted("bob", 5)).toBe(4);
    },
    longestTestMs,
  );

  it.each(["cut", "swallow"] as const)(
    "an id whose answer is lost is charged once and answered once: %s",
    async (mode) => {
      const direct = postgresStore(server.url, { schema: `faults ${schemas}` });
      // The statement is prepared, so one round trip decides.
      const warm = (await guarded.limiter.admit("warm", { id: "m0" })) as Admitted;
      await warm.end();
      await expectOneCharge(guarded, network, direct, mode);
      await direct.close();
    },
    longestTestMs,
  );
});
