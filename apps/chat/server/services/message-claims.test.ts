import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import {
  type Asked,
  startTestService,
  type TestClient,
  type TestService,
  until,
} from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

const TEXT = "one two three";
const TOKEN = "a-token-of-at-least-32-characters-";

let redis: RedisServer;
let database: OpenDatabase;
let provider: OpenAiServer;
let services: TestService[];
/** Clients of the same person, one for each process. */
let one: TestClient;
let two: TestClient;

beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), openTestDatabase()]);
});
afterAll(async () => {
  await redis.remove();
  await database.close();
});
beforeEach(async () => {
  redis.command("flushall");
  provider = await startOpenAiServer({ text: TEXT });
  const env = {
    LLM_BASE_URL: provider.url,
    LLM_MODEL: "test-model",
    RATE_LIMIT_CHAT_PER_MIN: "5",
    RATE_LIMIT_STORAGE_URI: redis.url,
    METRICS_TOKEN: TOKEN,
  };
  const start = () => startTestService({ database, env, answerLimits: { retries: 0 } });
  services = [await start(), await start()];
  const headers = { "X-User-Id": crypto.randomUUID() };
  [one, two] = services.map((service) => service.client(headers)) as [TestClient, TestClient];
});
afterEach(async () => {
  provider.release(Number.POSITIVE_INFINITY);
  for (const service of services) await service.close();
  await provider.close();
});

/** Sums a metric of the limiter of messages over both processes. */
async function sumOf(metric: string, label = ""): Promise<number> {
  let sum = 0;
  for (const service of services) {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const text = await (await service.client()("/metrics", { headers })).text();
    for (const [, labels = "", value] of text.matchAll(new RegExp(`^${metric}\\{(.*)\\} (\\S+)$`, "gm")))
      if (labels.includes('headgate_limiter="chat"') && labels.includes(label)) sum += Number(value);
  }
  return sum;
}

const admissions = () => sumOf("headgate_decisions_total", 'headgate_outcome="admitted"');

async function left(): Promise<number> {
  return (await (await one("/me")).json()).quota[0].remaining;
}

describe("a message whose id is claimed with its admission", () => {
  test("is admitted once if it is sent many times simultaneously, and the other requests get the same answer", async () => {
    const asked = await Promise.all([one, two, one, two].map((client) => client.ask("count", { id: "q1" })));
    expect(asked.map(({ text }) => text)).toEqual([TEXT, TEXT, TEXT, TEXT]);
    expect(new Set(asked.map(({ conversationId }) => conversationId)).size).toBe(1);
    expect(provider.requests).toHaveLength(1);
    expect([await admissions(), await left()]).toEqual([1, 4]);
  });

  test("is answered from the database if Redis has lost everything", async () => {
    const first = await one.ask("count", { id: "q1" });
    redis.command("flushall");
    const again = await two.ask("count", { id: "q1", conversation_id: first.conversationId });
    expect([again.text, again.conversationId]).toEqual([TEXT, first.conversationId]);
    expect(provider.requests).toHaveLength(1);
    expect([await admissions(), await left()]).toEqual([1, 5]);
  });

  test("is admitted again after an attempt that failed, also from a request that waited for the attempt", async () => {
    provider.setMode("fail-500");
    const failed = await Promise.all([one, two].map((client) => client.ask("count", { id: "q1" })));
    // One request made the attempt. The other request made an attempt too, or read that the first had failed.
    expect(failed.map(({ response }) => response.status)).toContain(503);
    expect(failed.map(({ text }) => text)).toEqual(["", ""]);
    expect(await left()).toBe(5);
    provider.setMode("normal");
    expect((await two.ask("count", { id: "q1" })).text).toBe(TEXT);
    expect(await left()).toBe(4);
  });

  test("is admitted again if its conversation was deleted", async () => {
    const first = await one.ask("count", { id: "q1" });
    expect((await one(`/conversations/${first.conversationId}`, { method: "DELETE" })).status).toBe(204);
    const again = await two.ask("count", { id: "q1" });
    expect([again.text, again.conversationId === first.conversationId]).toEqual([TEXT, false]);
    expect([await admissions(), await left()]).toEqual([2, 3]);
  });

  test("gets a 422 for another text with its id, even before the first text is stored", async () => {
    const asked = await Promise.all([one.ask("count", { id: "q1" }), two.ask("sing", { id: "q1" })]);
    const statuses = asked.map(({ response }) => response.status);
    expect([...statuses].sort()).toEqual([200, 422]);
    expect(asked.find(({ response }) => response.status === 422)?.problem.error).toBe("message_id_reused");
    expect([await admissions(), await left()]).toEqual([1, 4]);
  });

  test("does not keep other owners and conversations from using the same id while it is answered", async () => {
    const other = services[1]?.client({ "X-User-Id": crypto.randomUUID() }) as TestClient;
    // Browsers without an account, behind one address.
    const browsers = services.map((service) => service.client()) as [TestClient, TestClient];
    for (const browser of browsers) await browser.send("POST", "/conversations");
    const { id } = await (await one.send("POST", "/conversations")).json();
    provider.setMode("slow");
    const ask = [
      () => one.ask("count", { id: "q1" }),
      () => one.ask("count", { id: "q1", conversation_id: id }),
      ...[other, ...browsers].map((client) => () => client.ask("count", { id: "q1" })),
    ];
    const asked: Promise<Asked>[] = [];
    for (const next of ask) {
      asked.push(next());
      await until(async () => provider.requests.length === asked.length);
    }
    provider.release(Number.POSITIVE_INFINITY);
    const answers = await Promise.all(asked);
    expect(answers.map(({ text }) => text)).toEqual(asked.map(() => TEXT));
    expect(new Set(answers.map(({ conversationId }) => conversationId)).size).toBe(asked.length);
    expect(await left()).toBe(3);
  });
});
