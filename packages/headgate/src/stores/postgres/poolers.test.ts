import { startPgBouncer } from "@headgate/test-servers/pgbouncer.ts";
import { admit, charge, postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { describe, expect, it } from "vitest";
import type { PostgresStore } from "./index.ts";

const longestTestMs = 60_000;
const postgres = postgresFixture();
const { open } = postgres;

/** A pool whose connections lose prepared statements, as behind a pooler. Records whether statements had names. */
function losing(code: string) {
  const named: boolean[] = [];
  const client = {
    connect() {},
    async query(statement: { text: string; values: unknown[]; name?: string }) {
      named.push(statement.name !== undefined);
      if (statement.name === undefined) return postgres.pool.query(statement);
      throw Object.assign(new Error("prepared statement"), { code, severity: "ERROR" });
    },
  };
  return { client, named };
}

async function admitMany(store: PostgresStore, many: number): Promise<number> {
  const turns = Array.from({ length: many }, (_, n) => n);
  const admitted = await Promise.all(
    turns.map(async (n) => {
      // Several statements, over several connections.
      await new Promise((resolve) => setTimeout(resolve, n));
      return admit(store, charge("alice", "5/hour"));
    }),
  );
  return admitted.filter(Boolean).length;
}

describe("behind a pooler in transaction mode", () => {
  it.each(["26000", "42P05"])("a statement that fails with %s is not prepared again", async (code) => {
    const { client, named } = losing(code);
    const store = open(client as never);
    expect(await admit(store, charge("alice", "2/hour"))).toBe(true);
    expect(await admit(store, charge("alice", "2/hour"))).toBe(true);
    expect(await admit(store, charge("alice", "2/hour"))).toBe(false);
    // Once by its name, then without it. The schema was missing.
    expect(named.filter(Boolean)).toHaveLength(1);
  });

  it("nothing is prepared if the URL or the option forbids it", async () => {
    const { client, named } = losing("26000");
    await admit(open(client as never, { prepare: false }), charge("alice"));
    expect(named).not.toContain(true);
    const store = open(`${postgres.url}?prepare=false&application_name=pooled`);
    await store.check();
    const seen = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'pooled'";
    expect((await postgres.pool.query(seen)).rows[0].n).toBeGreaterThan(0);
    expect(() => open(`${postgres.url}?prepare=no`)).toThrow(
      'prepare in a PostgreSQL URL must be true or false, got "no".',
    );
  });

  it.each(["", "?prepare=false"])(
    "PgBouncer by URL%s: exact, and without a failed decision",
    async (query) => {
      const { url, remove } = await startPgBouncer(postgres.url);
      try {
        const stores = [open(`${url}${query}`), open(`${url}${query}`)];
        await Promise.all(stores.map((store) => store.check()));
        const admitted = await Promise.all(stores.map((store) => admitMany(store, 60)));
        expect(admitted.reduce((sum, count) => sum + count, 0)).toBe(5);
      } finally {
        // Before the stores are closed: a pool whose connections are gone closes like any other.
        await remove();
      }
    },
    longestTestMs,
  );
});
