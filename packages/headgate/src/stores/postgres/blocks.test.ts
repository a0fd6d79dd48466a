import { admit, charge, postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { expect, it } from "vitest";
import { fakeClock } from "../../testing/fake-clock.ts";

const postgres = postgresFixture();
const { open } = postgres;
const block = { id: 7, limits: "blocked" };
const count = async () => (await postgres.pool.query(`SELECT FROM "${postgres.schema}".overrides`)).rowCount;

it("blocks and overrides by prefix are in logged tables, even if counts are not", async () => {
  const store = open(undefined, { unlogged: true });
  await store.override([charge("a")], block, 0);
  const { rows } = await postgres.pool.query(
    `SELECT relname, relpersistence FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
     WHERE nspname = $1 AND relkind = 'r' ORDER BY relname`,
    [postgres.schema],
  );
  expect(rows.map(({ relname, relpersistence }) => [relname, relpersistence])).toEqual([
    ["claims", "u"],
    ["holds", "u"],
    ["overrides", "p"],
    ["partitions", "u"],
    ["resets", "u"],
    ["texts", "p"],
  ]);
});

it("the next block deletes expired blocks, and none in force", async () => {
  const clock = fakeClock();
  const store = open(undefined, { clock });
  await store.override([charge("a"), charge("b")], { ...block, forMs: 1000 }, 0);
  await store.override([charge("c")], block, 0);
  clock.advance(1000 + 60_000);
  expect(await count()).toBe(3);
  await store.override([charge("d")], { ...block, forMs: 1000 }, 0);
  expect(await count()).toBe(2);
  expect(await admit(store, charge("c"))).toBe(false);
  expect(await admit(store, charge("a"))).toBe(true);
});

it("a block refuses only its own partition, until it is removed", async () => {
  const store = open();
  await store.override([charge("other")], block, 0);
  expect(await admit(store, charge("a"))).toBe(true);
  await store.override([charge("a"), charge("a")], block, 0);
  expect(await admit(store, charge("a"))).toBe(false);
  await store.override([charge("a")], undefined, 0);
  expect(await admit(store, charge("a"))).toBe(true);
});
