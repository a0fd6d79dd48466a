import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChatMessage } from "../../contract.ts";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import {
  type Chunk,
  chunksOf,
  startTestService,
  type TestClient,
  type TestService,
  textOf,
  until,
} from "../../testing/service.ts";
import { type OpenDatabase, openDatabase } from "../database/connect.ts";
import { turns } from "../database/schema.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

const TEXT = "one two three four five six";
let postgres: PostgresServer | undefined;

afterAll(() => postgres?.remove());

describe.each(["embedded", "PostgreSQL"])("a message with an id, on %s,", (kind) => {
  let databases: OpenDatabase[];
  let provider: OpenAiServer;
  let services: TestService[];
  /** Clients of the same person, one for each process. */
  let one: TestClient;
  let two: TestClient;

  beforeAll(async () => {
    if (kind === "PostgreSQL") {
      postgres = await startPostgres();
      const location = { kind: "postgres" as const, url: postgres.url };
      databases = [await openDatabase(location), await openDatabase(location)];
    } else {
      const database = await openTestDatabase();
      databases = [database, database];
    }
  });

  afterAll(async () => {
    for (const database of new Set(databases)) await database.close();
  });

  beforeEach(async () => {
    provider = await startOpenAiServer({ text: TEXT });
    const env = {
      LLM_BASE_URL: provider.url,
      LLM_MODEL: "test-model",
      RATE_LIMIT_CHAT_PER_MIN: "5",
      MODEL_PRICE_INPUT_PER_MTOK: "0",
      MODEL_PRICE_OUTPUT_PER_MTOK: "1000",
      CREDIT_EXCHANGE_RATE: "1",
      AUTH_SECRET: "a secret of thirty-two characters",
    };
    services = await Promise.all(
      databases.map((database) => startTestService({ database, env, answerLimits: { retries: 0 } })),
    );
    [one, two] = services.map((service) => service.client()) as [TestClient, TestClient];
    const person = {
      email: `${crypto.randomUUID()}@example.com`,
      password: "correct horse battery",
      name: "Ada",
    };
    await one.send("POST", "/auth/sign-up/email", person);
    for (const [name, value] of one.cookies) two.cookies.set(name, value);
  });

  afterEach(async () => {
    provider.release(Number.POSITIVE_INFINITY);
    for (const service of services) await service.close();
    await provider.close();
  });

  const cost = Math.ceil(TEXT.length / 4) * 1_000;

  async function me(as = one) {
    const { quota, credit } = await (await as("/me")).json();
    return { remaining: quota[0].remaining as number, spent: 1_000_000 - credit.balance, held: credit.held };
  }

  async function messagesOf(conversationId: string): Promise<ChatMessage[]> {
    return (await (await one(`/conversations/${conversationId}`)).json()).messages;
  }

  const answerIdOf = (chunks: Chunk[]) => chunks.find(({ type }) => type === "start")?.messageId;

  test("sent again after its answer, returns the saved answer without a charge or a call of the model", async () => {
    const first = await one.ask("count", { id: "q1" });
    const { conversationId } = first;
    const before = await me();
    for (const client of [one, two]) {
      for (const more of [{}, { conversation_id: conversationId }]) {
        const again = await client.ask("count", { id: "q1", ...more });
        expect(again.response.status).toBe(200);
        expect([again.text, again.conversationId, answerIdOf(again.chunks)]).toEqual([
          TEXT,
          conversationId,
          answerIdOf(first.chunks),
        ]);
        expect(again.chunks.at(-1)).toMatchObject({ type: "finish" });
      }
    }
    expect(await me()).toEqual(before);
    expect(before.spent).toBe(cost);
    expect(provider.requests).toHaveLength(1);
    expect(await messagesOf(conversationId)).toHaveLength(2);
  });

  test("sent again after its parts were deleted or the conversation continued, returns the saved answer too", async () => {
    const { conversationId } = await one.ask("count", { id: "q1" });
    await one.ask("and more", { id: "q2", conversation_id: conversationId });
    await databases[0]?.database.delete(turns);
    const again = await two.ask("count", { id: "q1", conversation_id: conversationId });
    expect(again.text).toBe(TEXT);
    expect(await messagesOf(conversationId)).toHaveLength(4);
    expect(provider.requests).toHaveLength(2);
  });

  test("sent again after its conversation was deleted, gets a new answer immediately", async () => {
    const { conversationId } = await one.ask("count", { id: "q1" });
    expect((await one(`/conversations/${conversationId}`, { method: "DELETE" })).status).toBe(204);
    const again = await two.ask("count", { id: "q1" });
    expect([again.response.status, again.text]).toEqual([200, TEXT]);
    expect(again.conversationId).not.toBe(conversationId);
  });

  test("sent with another text is a 422, and nothing changes", async () => {
    const { conversationId } = await one.ask("count", { id: "q1" });
    const before = await me();
    for (const more of [{}, { conversation_id: conversationId }]) {
      const other = await two.ask("count backwards", { id: "q1", ...more });
      expect([other.response.status, other.problem.error]).toEqual([422, "message_id_reused"]);
    }
    expect(await me()).toEqual(before);
    expect(await messagesOf(conversationId)).toHaveLength(2);
  });

  test("sent while its answer runs, gets the same stream through either process", async () => {
    provider.setMode("slow");
    provider.release(2);
    const sent = one.ask("count", { id: "q1" });
    await until(async () => provider.requests.length === 1);
    const followers = [two.ask("count", { id: "q1" }), one.ask("count", { id: "q1" })];
    provider.release(Number.POSITIVE_INFINITY);
    const all = await Promise.all([sent, ...followers]);
    expect(all.map(({ text }) => text)).toEqual([TEXT, TEXT, TEXT]);
    expect(new Set(all.map(({ chunks }) => answerIdOf(chunks))).size).toBe(1);
    expect(provider.requests).toHaveLength(1);
    expect((await me()).spent).toBe(cost);
    expect((await me(two)).held).toBe(0);
  });

  test("sent many times simultaneously to both processes, gets one answer and one charge", async () => {
    const { conversationId } = await one.ask("first", { id: "q0" });
    const asked = await Promise.all(
      [one, two, one, two].map((client) =>
        client.ask("count", { id: "q1", conversation_id: conversationId }),
      ),
    );
    expect(asked.map(({ response, text }) => [response.status, text])).toEqual(asked.map(() => [200, TEXT]));
    expect(provider.requests).toHaveLength(2);
    expect((await messagesOf(conversationId)).map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
    expect((await me()).spent).toBe(2 * cost);
    const left = await Promise.all([me(one), me(two)]);
    // In this test each process counts by itself: one spent a unit, and the other refunded all of its units.
    expect(left.map(({ remaining }) => remaining).reduce((sum, each) => sum + each)).toBe(10 - 2);
  });

  test("that opens a conversation, sent many times simultaneously, creates one conversation", async () => {
    const asked = await Promise.all([one, two, one, two].map((client) => client.ask("count", { id: "q1" })));
    expect(asked.map(({ text }) => text)).toEqual(asked.map(() => TEXT));
    expect(new Set(asked.map(({ conversationId }) => conversationId)).size).toBe(1);
    const { conversations } = await (await one("/conversations")).json();
    expect(conversations).toHaveLength(1);
    expect(provider.requests).toHaveLength(1);
    expect((await me()).spent).toBe(cost);
  });

  test("without an answer is answered when sent again, in the same conversation", async () => {
    provider.setMode("fail-500");
    const failed = await one.ask("count", { id: "q1" });
    expect(failed.response.status).toBe(503);
    provider.setMode("normal");
    const again = await two.ask("count", { id: "q1" });
    expect([again.text, again.conversationId]).toEqual([TEXT, failed.conversationId]);
    expect((await me()).spent).toBe(cost);
  });

  test("sent after its process was killed, returns the partial answer, marked and charged once", async () => {
    provider.setMode("slow");
    const sent = one.send("POST", "/chat/message", {
      messages: [{ id: "q1", role: "user", content: "count" }],
    });
    provider.release(3);
    const response = await sent;
    const conversationId = response.headers.get("X-Conversation-Id") ?? "";
    await until(async () => {
      const all = (await databases[0]?.database.select().from(turns)) ?? [];
      return all.some((turn) => turn.conversationId === conversationId && turn.outputTokens === 4);
    });
    const following = two.ask("count", { id: "q1" });
    await databases[0]?.database.update(turns).set({ beatAt: sql`now() - interval '31 seconds'` });
    const followed = await following;
    expect(followed.text).toBe("one two three");
    expect(followed.chunks.findLast(({ type }) => type === "message-metadata")).toMatchObject({
      messageMetadata: { incomplete: "failed" },
    });
    const again = await two.ask("count", { id: "q1", conversation_id: conversationId });
    expect(again.text).toBe("one two three");
    expect(provider.requests).toHaveLength(1);
    expect(await me()).toMatchObject({ spent: 4_000, held: 0 });
    // For a complete answer, the person requests another one in its place.
    provider.setMode("normal");
    const whole = { id: "q1", conversation_id: conversationId, replaces: answerIdOf(again.chunks) };
    expect((await one.ask("count", whole)).text).toBe(TEXT);
  });

  test("that replaces an answer, sent twice, gets one answer", async () => {
    const first = await one.ask("count", { id: "q1" });
    const retry = {
      id: "q1",
      conversation_id: first.conversationId,
      replaces: answerIdOf(first.chunks),
    };
    const [again, twin] = await Promise.all([one.ask("count", retry), two.ask("count", retry)]);
    expect(answerIdOf(again.chunks)).toBe(answerIdOf(twin.chunks));
    expect(answerIdOf(again.chunks)).not.toBe(answerIdOf(first.chunks));
    expect(provider.requests).toHaveLength(2);
    expect((await me()).spent).toBe(2 * cost);
  });

  test("gets its cost and the remaining quota at the end of the stream", async () => {
    const newsOf = (chunks: Chunk[]) =>
      chunks.filter(({ type }) => type === "data-news").map(({ data }) => data);
    const first = await one.ask("count", { id: "q1" });
    const { quota, credit } = await (await one("/me")).json();
    expect(newsOf(first.chunks)).toEqual([{ cost, quota, tightest: "user-per-minute", credit }]);
    expect(credit).toMatchObject({ balance: 1_000_000 - cost, held: 0 });
    const again = await one.ask("count", { id: "q1" });
    expect(newsOf(again.chunks)).toEqual([{ cost: null, quota, tightest: "user-per-minute", credit }]);
    // The remaining quota is not part of the message.
    const [, answer] = await messagesOf(first.conversationId);
    expect(answer?.parts.map(({ type }) => type)).not.toContain("data-news");
    const visitor = await services[0]?.client().ask("count");
    expect(newsOf(visitor?.chunks ?? [])).toMatchObject([{ cost: null, credit: null }]);
  });

  describe("resuming an answer", () => {
    test("streams the part so far and the rest, through either process; without a running answer it is a 204", async () => {
      provider.setMode("slow");
      provider.release(2);
      const sent = one.send("POST", "/chat/message", { messages: [{ role: "user", content: "count" }] });
      const response = await sent;
      const conversationId = response.headers.get("X-Conversation-Id") ?? "";
      const resumed = await two(`/chat/stream/${conversationId}`);
      expect(resumed.status).toBe(200);
      expect((await services[0]?.client()(`/chat/stream/${conversationId}`))?.status).toBe(404);
      provider.release(Number.POSITIVE_INFINITY);
      expect(textOf(chunksOf(await resumed.text()))).toBe(TEXT);
      await response.text();
      const after = await two(`/chat/stream/${conversationId}`);
      expect([after.status, await after.text()]).toEqual([204, ""]);
    });

    test("an answer of another process can be stopped through this one", async () => {
      provider.setMode("slow");
      provider.release(2);
      const response = await one.send("POST", "/chat/message", {
        messages: [{ role: "user", content: "count" }],
      });
      const conversationId = response.headers.get("X-Conversation-Id") ?? "";
      const stop = await two.send("POST", "/chat/stop", { conversation_id: conversationId });
      expect(await stop.json()).toEqual({ stopped: true });
      await response.text();
      const [, answer] = await messagesOf(conversationId);
      expect(answer?.metadata?.incomplete).toBe("stopped");
      expect(await me()).toMatchObject({ held: 0 });
    });
  });
});
