import { DrizzleQueryError, eq, sql } from "drizzle-orm";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../testing/database.ts";
import { startTestService } from "../testing/service.ts";
import type { OpenDatabase } from "./database/connect.ts";
import { messages, turns } from "./database/schema.ts";
import { databaseTrouble } from "./database-trouble.ts";

let database: OpenDatabase;

beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);

afterAll(() => database.close());

function withCode(code: string, message = "failed"): Error {
  const cause = Object.assign(new Error(message), { code });
  return new DrizzleQueryError("insert into messages", ["private words"], cause);
}

test("a database that does not answer is one line of the log for each request, also of an account", async () => {
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
  const closing = await openTestDatabase();
  const service = await startTestService({ database: closing, log });
  const client = service.client();
  const person = { email: "ada@example.com", password: "correct horse battery", name: "Ada" };
  expect((await client.send("POST", "/auth/sign-up/email", person)).status).toBe(200);
  await closing.close();
  lines.length = 0;
  expect((await client("/me")).status).toBe(503);
  expect((await client.ask("take-home on £45,000")).response.status).toBe(503);
  const logged = lines.map((line) => JSON.parse(line).msg);
  expect(logged.sort()).toEqual(["request", "request", "the database failed", "the database failed"]);
  await service.close();
});

test.each<[Error, string | undefined]>([
  [withCode("53100"), "full"],
  [withCode("58030", "could not write to file: No space left on device"), "full"],
  [withCode("ENOSPC"), "full"],
  [withCode("25006"), "read-only"],
  [withCode("42501", "could not open file: Read-only file system"), "read-only"],
  [withCode("57P01"), "unreachable"],
  [withCode("57014"), "unreachable"],
  [withCode("53300"), "busy"],
  [withCode("53400"), "unreachable"],
  [withCode("08006"), "unreachable"],
  [withCode("ECONNREFUSED"), "unreachable"],
  [new Error("Query read timeout"), "unreachable"],
  [withCode("23505", "duplicate key"), undefined],
  [withCode("42P01"), undefined],
  [withCode("EINVAL"), undefined],
  [new Error("terminated"), undefined],
])("%s is %s", (error, trouble) => {
  expect(databaseTrouble(error)).toBe(trouble);
});

describe("an embedded database", () => {
  test("on a nearly full disk rejects new data, reports it, and can still be read and cleaned up", async () => {
    let free = 1_000_000;
    const service = await startTestService({ database: { ...database, freeBytes: async () => free } });
    const client = service.client();
    const ready = await client("/ready");
    expect([ready.status, (await ready.json()).database]).toEqual([503, "full"]);
    const { response, problem } = await client.ask("take-home on £45,000");
    expect([response.status, problem.error]).toEqual([503, "disk_full"]);
    expect((await client("/conversations")).status).toBe(200);
    expect((await client.send("DELETE", `/conversations/${crypto.randomUUID()}`)).status).toBe(404);
    free = 1_000_000_000;
    expect((await client("/ready")).status).toBe(200);
    expect((await client.ask("take-home on £45,000")).response.status).toBe(200);
    await service.close();
  });

  test("that is read-only is a 503", async () => {
    const service = await startTestService({ database });
    const client = service.client();
    await database.database.execute("set default_transaction_read_only = on");
    const { response, problem } = await client.ask("take-home on £45,000");
    const ready = await (await client("/ready")).json();
    await database.database.execute("set default_transaction_read_only = off");
    expect([response.status, problem.error, ready.database]).toEqual([
      503,
      "database_read_only",
      "read-only",
    ]);
    expect((await client.ask("take-home on £45,000")).response.status).toBe(200);
    await service.close();
  });

  test("ends the answers of a dead process at the next start", async () => {
    const service = await startTestService({ database });
    const { conversationId } = await service.client().ask("take-home on £45,000");
    const [given] = await database.database
      .select()
      .from(turns)
      .where(eq(turns.conversationId, conversationId));
    const running = async (answerId: string, position: number, beatAt: string) => {
      const createdAt = new Date(service.clock.now());
      const row = { conversationId, id: answerId, position, role: "assistant" as const, createdAt };
      await database.database.insert(messages).values({ ...row, parts: [], metadata: {} });
      const turn = { ...(given as typeof turns.$inferInsert), answerId, messageId: answerId, opened: false };
      await database.database
        .insert(turns)
        .values({ ...turn, endedAt: null, beatAt: sql.raw(beatAt) as never });
    };
    await running("left", 10, "now() - interval '31 seconds'");
    await running("being-given", 11, "now()");
    const successor = await startTestService({ database });
    const rows = await database.database
      .select({ id: messages.id })
      .from(messages)
      .where(eq(messages.conversationId, conversationId));
    const ids = rows.map(({ id }) => id);
    expect(ids).toContain("being-given");
    expect(ids).not.toContain("left");
    expect(ids).toHaveLength(3);
    await successor.close();
    await service.close();
  });
});
