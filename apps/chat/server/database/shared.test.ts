import { getTableName, is, sql } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startPostgres, type TestPostgres } from "../../testing/postgres.ts";
import { startTestService } from "../../testing/service.ts";
import { openDatabase } from "./connect.ts";
import * as schema from "./schema.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres?.stop());

test("processes that start together on one PostgreSQL bring it up to date without colliding", async () => {
  const opened = await Promise.all(
    Array.from({ length: 4 }, () => openDatabase({ kind: "postgres", url: postgres.url })),
  );
  const [first] = opened;
  const tables = Object.values(schema).filter((table) => is(table, PgTable));
  for (const table of tables) {
    const rows = await first?.database.execute(
      sql`select count(*) from ${sql.identifier(getTableName(table))}`,
    );
    expect(rows).toBeDefined();
  }
  const applied = await first?.database.$count(sql`drizzle.__drizzle_migrations`);
  expect(applied).toBe(1);
  for (const open of opened) await open.close();
});

test("the whole service works on PostgreSQL, two of them on one database", async () => {
  const env = { DATABASE_URL: postgres.url };
  const [one, two] = await Promise.all([startTestService({ env }), startTestService({ env })]);
  const browser = one.client();
  const person = { email: "shared@example.com", password: "correct horse battery", name: "Shared" };
  expect((await browser.send("POST", "/auth/sign-up/email", person)).status).toBe(200);
  const { text, conversationId } = await browser.ask("take-home on £45,000");
  expect(text).toContain("£35,919.60");

  const elsewhere = two.client();
  for (const [name, value] of browser.cookies) elsewhere.cookies.set(name, value);
  const asked = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      (index % 2 === 0 ? browser : elsewhere).ask("and in Scotland?", { conversation_id: conversationId }),
    ),
  );
  expect(asked.map(({ response }) => response.status)).toEqual([200, 200, 200, 200, 200, 200]);
  const { messages } = await (await elsewhere(`/conversations/${conversationId}`)).json();
  expect(messages.map((message: { role: string }) => message.role)).toEqual(
    Array.from({ length: 14 }, (_, place) => (place % 2 === 0 ? "user" : "assistant")),
  );
  expect((await elsewhere("/ready")).status).toBe(200);
  await one.close();
  await two.close();
});

test("a database that goes away is a 503, also at /ready, and the guard is not to blame", async () => {
  const gone = await startPostgres();
  const service = await startTestService({ env: { DATABASE_URL: gone.url } });
  const client = service.client();
  expect((await client("/ready")).status).toBe(200);
  await gone.stop();
  const ready = await client("/ready");
  expect([ready.status, (await ready.json()).database]).toEqual([503, "unreachable"]);
  expect((await client("/health")).status).toBe(200);
  const { response, problem } = await client.ask("take-home on £45,000");
  expect(response.status).toBe(503);
  expect(problem.error).toBe("database_unreachable");
  expect(JSON.stringify(problem)).not.toMatch(/ECONN|127\.0\.0\.1|insert/i);
  await service.close();
});
