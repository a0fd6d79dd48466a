import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { getTableName, is, sql } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import { fakeClock } from "headgate/testing";
import { Client } from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { promptModel, startTestService, TEST_START_MS, until } from "../../testing/service.ts";
import { createBuiltInModel } from "../model/built-in/language-model.ts";
import { openDatabase } from "./connect.ts";
import journal from "./migrations/meta/_journal.json" with { type: "json" };
import * as schema from "./schema.ts";
import { openShared } from "./shared.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres?.remove());

test("processes that start together on one PostgreSQL migrate it without conflict", async () => {
  const opened = await Promise.all(
    Array.from({ length: 4 }, () => openDatabase({ kind: "postgres", url: postgres.url })),
  );
  const [first] = opened;
  const tables = Object.values(schema).filter((table) => is(table, PgTable));
  for (const table of tables) {
    expect(await first?.database.$count(sql`${sql.identifier(getTableName(table))}`)).toBe(0);
  }
  const applied = await first?.database.$count(sql`drizzle.__drizzle_migrations`);
  expect(applied).toBe(journal.entries.length);
  for (const open of opened) await open.close();
});

test("all answers can be saved if the most that run end together", async () => {
  const open = await openShared(postgres.url);
  const saved = Array.from({ length: 500 }, () =>
    open.reserved.transaction((transaction) => transaction.execute(sql`select pg_sleep(0.05)`)),
  );
  const outcomes = await Promise.allSettled(saved);
  expect(outcomes.filter(({ status }) => status === "rejected")).toEqual([]);
  await open.close();
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

test("a read-only database is a 503 with a clear message, and is not ready", async () => {
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
  const service = await startTestService({ env: { DATABASE_URL: postgres.url }, log });
  const client = service.client();
  expect((await client("/ready")).status).toBe(200);
  await settle(postgres.url, "alter system set default_transaction_read_only = on");
  // PostgreSQL's processes read the setting one after another.
  const ready = await until(async () => {
    const response = await client("/ready");
    return response.status === 503 && response;
  });
  expect((await ready.json()).database).toBe("read-only");
  const tried = [
    (await client.ask("take-home on £45,000")).response,
    await client.send("POST", "/conversations", {}),
    await client.send("POST", "/auth/sign-up/email", {
      email: "late@example.com",
      password: "correct horse battery",
      name: "Late",
    }),
  ];
  for (const response of tried) expect(response.status).toBe(503);
  expect((await client("/conversations")).status).toBe(200);
  const failures = lines.filter((line) => line.includes("the database failed"));
  expect(failures).toHaveLength(3);
  for (const line of failures) {
    expect(JSON.parse(line)).toMatchObject({ level: 50, error: { database: "read-only" } });
    expect(line).not.toMatch(/stack|insert into/);
  }
  await settle(postgres.url, "alter system reset default_transaction_read_only");
  await until(async () => (await client("/ready")).status === 200);
  await until(async () => (await client.ask("take-home on £45,000")).response.status === 200);
  await service.close();
});

test("an overload is a 503 that says how long to wait, and neither an outage nor the end of answers under way", async () => {
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
  const database = await openShared(postgres.url, { max: 2, connectionTimeoutMillis: 1_000 });
  const clock = fakeClock(TEST_START_MS);
  let pass = () => {};
  const passed = new Promise<void>((resolve) => {
    pass = resolve;
  });
  const model = { ...promptModel(clock), model: createBuiltInModel({ clock, pace: () => passed }) };
  const service = await startTestService({
    env: { DATABASE_URL: postgres.url },
    database,
    clock,
    model,
    log,
  });
  const client = service.client({ "X-User-Id": "ann" });
  const asking = client.ask("take-home on £45,000");
  const { id } = await until(async () => {
    const { conversations } = await (await client("/conversations")).json();
    return conversations[0];
  });

  // Others take all connections that requests may take. One of them waited for it: a connection became free meanwhile.
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let endFirst = () => {};
  const endedFirst = new Promise<void>((resolve) => {
    endFirst = resolve;
  });
  const others = [endedFirst, ended, ended].map((until) => database.database.transaction(() => until));
  const person = { email: "busy@example.com", password: "correct horse battery", name: "Busy" };
  const refused = Promise.all([
    client.send("POST", "/chat/message", { messages: [{ role: "user", content: "and in Scotland?" }] }),
    client("/conversations"),
    client.send("POST", "/auth/sign-up/email", person),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  endFirst();
  for (const response of await refused) {
    const seen = [response.status, response.headers.get("Retry-After"), (await response.json()).error];
    expect(seen, response.url).toEqual([503, "5", "busy"]);
  }
  expect((await client("/ready")).status).toBe(200);
  const failures = lines.filter((line) => line.includes("the database failed"));
  for (const line of failures) expect(JSON.parse(line)).toMatchObject({ error: { database: "busy" } });

  // The answer that had begun goes on, and is saved.
  pass();
  expect((await asking).text).toContain("£35,919.60");
  end();
  await Promise.all(others);
  const { messages } = await (await client(`/conversations/${id}`)).json();
  expect(JSON.stringify(messages)).toContain("£35,919.60");
  await service.close();
  await database.close();
});

/** Changes a server setting, and reloads it in every session. */
async function settle(url: string, statement: string): Promise<void> {
  const operator = new Client({ connectionString: url });
  await operator.connect();
  await operator.query("set default_transaction_read_only = off");
  await operator.query(statement);
  await operator.query("select pg_reload_conf()");
  await operator.end();
}

test("a lost database is a 503, also at /ready, and the guard reports no error", async () => {
  const gone = await startPostgres();
  const OPERATOR_TOKEN = "a token of at least 32 characters";
  const service = await startTestService({
    env: { DATABASE_URL: gone.url, OPERATOR_TOKEN, OPERATOR_EMAILS: "ann@example.com" },
  });
  const client = service.client();
  expect((await client("/ready")).status).toBe(200);
  const operator = service.client({ Origin: new URL(service.url).origin });
  await operator.send("POST", "/operator/api/sign-in", { token: OPERATOR_TOKEN, name: "Ann" });
  await gone.remove();
  const ready = await client("/ready");
  expect([ready.status, (await ready.json()).database]).toEqual([503, "unreachable"]);
  expect((await client("/health")).status).toBe(200);
  const { response, problem } = await client.ask("take-home on £45,000");
  expect(response.status).toBe(503);
  expect(problem.error).toBe("database_unreachable");
  const person = { email: "gone@example.com", password: "correct horse battery", name: "Gone" };
  const printed = vi.spyOn(console, "error");
  const signedUp = await client.send("POST", "/auth/sign-up/email", person);
  expect([signedUp.status, (await signedUp.json()).error]).toEqual([503, "database_unreachable"]);
  // better-auth would print a stack; only the service may write log lines.
  expect(printed).not.toHaveBeenCalled();
  expect(JSON.stringify(problem)).not.toMatch(/ECONN|127\.0\.0\.1|insert/i);

  const api = (path: string, body?: object) =>
    body === undefined
      ? operator(`/operator/api/${path}`)
      : operator.send("POST", `/operator/api/${path}`, body);
  const id = "a-grant-of-this-test";
  for (const answer of [
    await api("now"),
    await api("changes"),
    await api("export?format=csv"),
    await api("find?q=ann@example.com"),
    await api("find?q=a-request"),
    await api("policies"),
    await api("decide", { what: "block", of: "account:7" }),
    await api("grant", { of: "ann@example.com", amount: "1", id }),
    await api("code", { amount: "1" }),
    await api("policy/roll-back", { limiter: "chat", from: "0", reason: "a test" }),
  ])
    expect([answer.status, await answer.json()], answer.url).toEqual([
      503,
      {
        type: "about:blank",
        title: "Unavailable",
        status: 503,
        detail: "The service cannot reach its database right now. Please try again in a moment.",
      },
    ]);
  // Nobody has an account's session to look up: the page can be opened, and the token works.
  expect([(await operator("/operator")).status, (await api("session")).status]).toEqual([200, 200]);
  await service.close();
});
