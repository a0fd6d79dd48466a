import { createHash } from "node:crypto";
import { admit, charge, postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { describe, expect, it } from "vitest";
import { fakeClock } from "../../testing/fake-clock.ts";
import { type PostgresStore, postgresMigration, postgresStore } from "./index.ts";
import { functionsVersion } from "./sql/names.ts";

const postgres = postgresFixture();
const { open, keepPool, rows } = postgres;

describe("postgresMigration", () => {
  // Existing functions of this version stay unchanged, so a changed function needs a new version.
  it("has a different version for each text", () => {
    const digest = createHash("sha256").update(postgresMigration()).digest("hex").slice(0, 16);
    expect({ functionsVersion, digest }).toEqual({ functionsVersion: 16, digest: "87d5f67f3a130687" });
  });

  it("may be run again, and by several processes at once", async () => {
    const stores = Array.from({ length: 6 }, () => open(keepPool({ max: 2 })));
    const admits = await Promise.all(
      stores.flatMap((store) => [admit(store, charge("a")), admit(store, charge("a"))]),
    );
    expect(admits.filter(Boolean)).toHaveLength(5);
    await Promise.all(
      [1, 2, 3].map(() => postgres.pool.query(postgresMigration({ schema: postgres.schema }))),
    );
    expect(await admit(stores[0] as PostgresStore, charge("a"))).toBe(false);
  });

  it("is required if the option migrate is false, and the error says what to run", async () => {
    const store = open(postgres.pool, { migrate: false });
    await expect(store.check()).rejects.toMatchObject({
      code: "store-invalid",
      message: expect.stringContaining("postgresMigration()"),
    });
    await postgres.pool.query(postgresMigration({ schema: postgres.schema }));
    await store.check();
    expect(await admit(store, charge("a"))).toBe(true);
  });

  it("creates a dropped table again", async () => {
    const store = open();
    await admit(store, charge("a", "1/hour"));
    await postgres.pool.query(`DROP SCHEMA "${postgres.schema}" CASCADE`);
    expect(await admit(store, charge("a", "1/hour"))).toBe(true);
    expect(await admit(store, charge("a", "1/hour"))).toBe(false);
  });

  it("needs no CREATE right after an owner has run it", async () => {
    await postgres.pool.query("CREATE ROLE teller LOGIN");
    const url = postgres.url.replace("headgate@", "teller@");
    const store = open(url);
    await expect(store.check()).rejects.toThrow(/cannot create the schema .*\. Run the statement/);
    await postgres.pool.query(postgresMigration({ schema: postgres.schema }));
    await expect(store.check()).rejects.toThrow(/permission denied/);
    await postgres.pool.query(`GRANT USAGE ON SCHEMA "${postgres.schema}" TO teller`);
    await postgres.pool.query(
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${postgres.schema}" TO teller`,
    );
    expect(await admit(store, charge("a", "1/hour"))).toBe(true);
    expect(await admit(store, charge("a", "1/hour"))).toBe(false);
    const held = charge("a", "9 tokens/hour", "org", { tokens: 5 });
    const hold = { rid: "0".repeat(24), seq: 1 };
    expect((await store.decide([held], 0, false, hold)).admitted).toBe(true);
    expect(await admit(store, held)).toBe(false);
  });

  it.each(["", "x".repeat(64), "ä".repeat(32), "a$b", "pg_limits", "a\u0000b", 7])(
    "refuses the schema %j",
    (name) => {
      const make = () => postgresMigration({ schema: name as string });
      expect(make).toThrow(/schema must be a name of 1 to 63 bytes/);
      expect(() => postgresStore(postgres.pool, { schema: name as string })).toThrow(/schema must be a name/);
    },
  );
});

describe("expired rows", () => {
  it("count for nothing, and are deleted while others are kept", async () => {
    const clock = fakeClock();
    const store = open(postgres.pool, { clock });
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

  it("are deleted without waiting for a locked row", async () => {
    const clock = fakeClock();
    const store = open(postgres.pool, { clock });
    await Promise.all(Array.from({ length: 10 }, (_, n) => admit(store, charge(`old${n}`, "1/minute"))));
    const holder = await postgres.pool.connect();
    try {
      await holder.query(`BEGIN; SELECT * FROM "${postgres.schema}".partitions LIMIT 1 FOR UPDATE`);
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
