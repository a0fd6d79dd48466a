import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { until } from "../../testing/service.ts";
import { databaseTrouble } from "../database-trouble.ts";
import type { Database, OpenDatabase } from "./connect.ts";
import { openPglite } from "./embedded.ts";
import { reasonOf } from "./reason.ts";
import { settings } from "./schema.ts";

let database: Database;
let open: OpenDatabase;

beforeAll(async () => {
  open = await openTestDatabase();
  database = open.database;
}, DATABASE_START_MS);

afterAll(() => open.close());

const settingOf = async (name: string, of: Database = database) =>
  (await of.select().from(settings).where(eq(settings.name, name)))[0]?.value;

/** Does not end. */
const endless = sql`select count(*) from generate_series(1, 1000000000000)`;

test("queries do not block the event loop", async () => {
  let turns = 0;
  const turning = setInterval(() => {
    turns += 1;
  }, 1);
  await database.execute(sql`select count(*) from generate_series(1, 300000)`);
  clearInterval(turning);
  expect(turns).toBeGreaterThan(5);
});

test("transactions do not interleave with each other or with queries, and an error ends one", async () => {
  await database.insert(settings).values({ name: "count", value: "0" });
  const adding = Array.from({ length: 30 }, (_, n) =>
    database
      .transaction(async (transaction) => {
        const before = Number(await settingOf("count", transaction));
        await new Promise((resolve) => setImmediate(resolve));
        await transaction
          .update(settings)
          .set({ value: String(before + 1) })
          .where(eq(settings.name, "count"));
        if (n % 3 === 0) await transaction.insert(settings).values({ name: "count", value: "twice" });
        if (n % 3 === 1) throw new Error("changed its mind");
      })
      .catch((error: Error) => error),
  );
  const seen = Array.from({ length: 10 }, () => settingOf("count"));
  const outcomes = await Promise.all(adding);
  expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(10);
  expect(outcomes[0]).toMatchObject({ cause: { code: "23505" } });
  expect(outcomes[1]).toMatchObject({ message: "changed its mind" });
  expect(await settingOf("count")).toBe("10");
  for (const value of await Promise.all(seen)) expect(Number(value)).toBeLessThanOrEqual(10);
});

describe("a thread that ends is replaced: its queries fail, and earlier writes are kept", () => {
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "headgate-embedded-"));
    await (await openTestDatabase(folder)).close();
    return () => rmSync(folder, { recursive: true, force: true });
  });

  async function begin(stuckMs?: number): Promise<OpenDatabase> {
    const own = await openPglite({ dataDir: folder }, stuckMs);
    await own.database.insert(settings).values({ name: "before", value: "kept" });
    return own;
  }

  const answers = (own: OpenDatabase) =>
    own.probe().then(
      () => true,
      () => false,
    );

  test("after a statement that does not end", async () => {
    const own = await begin(1_000);
    const failed = await Promise.all(
      [own.database.execute(endless), own.probe()].map((query) => query.catch((error: Error) => error)),
    );
    for (const error of failed) expect(databaseTrouble(error)).toBe("unreachable");
    await until(() => answers(own));
    expect(await settingOf("before", own.database)).toBe("kept");
    await own.close();
  });

  test("after a crash, such as when PostgreSQL has no room for its log", async () => {
    const own = await begin();
    const log = path.join(folder, "pg_wal");
    renameSync(log, `${log}-away`);
    const crashed = await own.database
      .execute(sql`select pg_switch_wal()`)
      .then(() => own.probe())
      .catch((error: Error) => error);
    expect(databaseTrouble(crashed)).toBe("unreachable");
    expect(reasonOf((crashed as Error).cause)).toMatch(/^PGlite failed: could not create file "pg_wal/);
    expect(await answers(own)).toBe(false);
    renameSync(`${log}-away`, log);
    await until(() => answers(own));
    expect(await settingOf("before", own.database)).toBe("kept");
    await own.close();
  });
});

test("a database in memory stays closed without its thread", async () => {
  const own = await openTestDatabase(undefined, 1_000);
  await expect(own.database.execute(endless)).rejects.toThrow();
  await expect(own.probe()).rejects.toMatchObject({ cause: { message: "PGlite is closed" } });
  await own.close();
});
