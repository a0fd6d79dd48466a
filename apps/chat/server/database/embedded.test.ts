import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { until } from "../../testing/service.ts";
import { databaseTrouble } from "../database-trouble.ts";
import type { Database, OpenDatabase } from "./connect.ts";
import { openPglite } from "./embedded.ts";
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

test("queries do not keep the event loop", async () => {
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

test("a thread that is stuck is replaced: its queries fail, and what was written before is there", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-embedded-"));
  await (await openTestDatabase(folder)).close();
  const own = await openPglite({ dataDir: folder }, 1_000);
  try {
    await own.database.insert(settings).values({ name: "before", value: "kept" });
    const failed = await Promise.all(
      [own.database.execute(endless), own.probe()].map((query) => query.catch((error: Error) => error)),
    );
    for (const error of failed) expect(databaseTrouble(error)).toBe("unreachable");
    await until(() =>
      own.probe().then(
        () => true,
        () => false,
      ),
    );
    expect(await settingOf("before", own.database)).toBe("kept");
  } finally {
    await own.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
