import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChatMessage } from "../../contract.ts";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import {
  chunksOf,
  startTestService,
  type TestClient,
  type TestService,
  textOf,
  until,
} from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

vi.setConfig({ testTimeout: 60_000 });

let database: OpenDatabase;
let provider: OpenAiServer;
let service: TestService;
let client: TestClient;

beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);

afterAll(() => database.close());

beforeEach(async () => {
  provider = await startOpenAiServer({ text: "one two three four five six" });
  service = await startWithProvider();
  client = service.client();
});

afterEach(async () => {
  provider.release(Number.POSITIVE_INFINITY);
  await service.close();
  await provider.close();
});

/** By default, no time limit ends an answer during a test. */
function startWithProvider(env: Record<string, string> = {}, firstTokenMs = 600_000): Promise<TestService> {
  return startTestService({
    database,
    env: { LLM_BASE_URL: provider.url, LLM_MODEL: "test-model", RATE_LIMIT_CHAT_PER_MIN: "5", ...env },
    answerLimits: { retries: 0, firstTokenMs },
  });
}

async function messagesOf(conversationId: string, as = client): Promise<ChatMessage[]> {
  return (await (await as(`/conversations/${conversationId}`)).json()).messages;
}

async function remaining(as = client): Promise<number> {
  return (await (await as("/me")).json()).quota[0].remaining;
}

const wordsOf = (message: ChatMessage | undefined) =>
  message?.parts.map((part) => (part.type === "text" ? part.text : "")).join("");

test("an answer is streamed, saved, and measured by the provider's usage", async () => {
  const { text, conversationId } = await client.ask("count", { id: "q1" });
  expect(text).toBe("one two three four five six");
  const [question, answer] = await messagesOf(conversationId);
  expect(question).toMatchObject({ id: "q1", role: "user", parts: [{ type: "text", text: "count" }] });
  expect(wordsOf(answer)).toBe(text);
  expect(answer?.metadata).toMatchObject({
    model: "test-model",
    conversationId,
    inputTokens: expect.any(Number),
  });
  expect(answer?.metadata?.incomplete).toBeUndefined();
});

describe("a model that fails before its first token", () => {
  test.each([
    ["fail-500", 503, "model_overloaded"],
    ["fail-429", 503, "model_rate_limited"],
    ["fail-401", 502, "model_key_refused"],
    ["fail-404", 502, "model_not_found"],
    ["fail-too-long", 502, "conversation_too_long"],
    ["error-first", 502, expect.stringMatching(/^model_/)],
    ["hang-up", 502, "model_unreachable"],
    ["empty", 502, "model_failed"],
  ] as const)("is answered with a problem, and nothing is charged: %s", async (mode, status, error) => {
    provider.setMode(mode);
    const { response, problem, conversationId } = await client.ask("count", { id: "q1" });
    expect(problem).toMatchObject({ error, conversation_id: conversationId });
    expect([status, 503]).toContain(response.status);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(JSON.stringify(problem)).not.toMatch(/secret|internal\.example|127\.0\.0\.1/);
    expect(response.headers.get("RateLimit")).toContain('"user-per-minute";r=5');
    expect(await remaining()).toBe(5);

    // The question is stored and the browser gets its cookie. Sent again, the question is answered and not stored
    // twice.
    expect((await messagesOf(conversationId)).map(({ id }) => id)).toEqual(["q1"]);
    provider.setMode("normal");
    service.clock.advance(1_000);
    const again = await client.ask("count", { id: "q1", conversation_id: conversationId });
    expect(again.response.status).toBe(200);
    expect((await messagesOf(conversationId)).map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(await remaining()).toBe(4);
  });

  test("a provider that asks to wait gets no request until then, and callers get the wait immediately", async () => {
    provider.setMode("asks-to-wait");
    const first = await client.ask("count");
    expect(first.response.status).toBe(503);
    expect(first.problem).toMatchObject({
      type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
      error: "model_rate_limited",
      detail: "The model is busy: its provider asks us to slow down. Please try again in 7 seconds.",
      retry_after_seconds: 7,
    });
    expect(first.response.headers.get("Retry-After")).toBe("7");

    provider.setMode("normal");
    service.clock.advance(2_500);
    const other = service.client({ "X-User-Id": "somebody-else" });
    const { response, problem } = await other.ask("count", { id: "q1" });
    expect([response.status, problem.retry_after_seconds]).toEqual([503, 5]);
    expect(provider.requests).toHaveLength(1);
    expect([await remaining(), await remaining(other)]).toEqual([5, 5]);

    service.clock.advance(4_499);
    expect((await other.ask("count", { id: "q1" })).response.status).toBe(503);
    service.clock.advance(1);
    expect((await other.ask("count", { id: "q1" })).response.status).toBe(200);
  });

  test("that sends nothing in time is a 504, and nothing is charged", async () => {
    const impatient = await startWithProvider({}, 200);
    provider.setMode("never");
    const waiting = impatient.client();
    const { response, problem } = await waiting.ask("count");
    expect([response.status, problem.error]).toEqual([504, "model_timed_out"]);
    expect(await remaining(waiting)).toBe(5);
    await impatient.close();
  });

  test("after the response's head was sent is reported in the stream, and nothing is charged", async () => {
    const hasty = await startTestService({
      database,
      env: { LLM_BASE_URL: provider.url, LLM_MODEL: "test-model", RATE_LIMIT_CHAT_PER_MIN: "5" },
      answerLimits: { retries: 0, firstTokenMs: 200 },
      undecidedAfterMs: 1,
    });
    provider.setMode("never");
    const waiting = hasty.client();
    const { response, chunks } = await waiting.ask("count");
    expect(response.status).toBe(200);
    expect(chunks.some((chunk) => chunk.type === "error")).toBe(true);
    expect(await remaining(waiting)).toBe(5);
    await hasty.close();
  });

  test("a retried answer that fails restores the former answer", async () => {
    const { conversationId } = await client.ask("count", { id: "q1" });
    const before = await messagesOf(conversationId);
    provider.setMode("fail-500");
    const { response } = await client.ask("count", {
      id: "q1",
      conversation_id: conversationId,
      replaces: before[1]?.id,
    });
    expect(response.status).toBe(503);
    expect(await messagesOf(conversationId)).toEqual(before);
  });
});

describe("a model that fails after its first token", () => {
  test.each(["error-midway", "hang-up-midway"] as const)(
    "stays charged, and its text is kept: %s",
    async (mode) => {
      provider.setMode(mode);
      const { response, chunks, text, conversationId } = await client.ask("count");
      expect(response.status).toBe(200);
      expect(text).toBe("one two three");
      const told = chunks.find((chunk) => chunk.type === "error");
      expect(told?.errorText).toMatch(/\bmodel\b.*\.$/);
      expect(JSON.stringify(chunks)).not.toMatch(/secret|internal\.example/);
      expect(await remaining()).toBe(4);
      const [, answer] = await messagesOf(conversationId);
      expect(wordsOf(answer)).toBe("one two three");
      expect(answer?.metadata?.incomplete).toBe("failed");
      expect(chunks.findLast((chunk) => chunk.type === "message-metadata")?.messageMetadata).toMatchObject({
        incomplete: "failed",
      });
    },
  );
});

/** Reads until `count` words have arrived. */
async function readWords(reader: ReadableStreamDefaultReader<Uint8Array>, count: number): Promise<string> {
  let events = "";
  while (textOf(chunksOf(events)).split(" ").filter(Boolean).length < count) {
    const { value } = await reader.read();
    events += new TextDecoder().decode(value);
  }
  return events;
}

async function restOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  let events = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return events;
    events += new TextDecoder().decode(value);
  }
}

/** The connection of a client that left is closed before these requests arrive. */
async function serviceNoticed(): Promise<void> {
  for (let asked = 0; asked < 3; asked += 1) await service.client()("/me");
}

describe("an answer whose reader leaves", () => {
  test("continues to the end, and is saved completely", async () => {
    provider.setMode("slow");
    const leaving = new AbortController();
    const sent = client("/chat/message", {
      method: "POST",
      body: JSON.stringify({ messages: [{ role: "user", content: "count" }] }),
      signal: leaving.signal,
    });
    provider.release(2);
    const response = await sent;
    await readWords((response.body as ReadableStream<Uint8Array>).getReader(), 2);
    leaving.abort();
    await serviceNoticed();
    provider.release(Number.POSITIVE_INFINITY);
    const conversationId = response.headers.get("X-Conversation-Id") ?? "";
    const messages = await until(async () => {
      const found = await messagesOf(conversationId);
      return found.length === 2 && found;
    });
    expect(wordsOf(messages[1])).toBe("one two three four five six");
    expect(messages[1]?.metadata?.incomplete).toBeUndefined();
    expect(provider.requests[0]?.aborted).toBe(false);
  });

  test("is stopped if the reader leaves before getting a cookie, because nobody could read it", async () => {
    provider.setMode("never");
    const leaving = new AbortController();
    const asked = provider.nextRequest();
    const sent = client("/chat/message", {
      method: "POST",
      body: JSON.stringify({ messages: [{ role: "user", content: "count" }] }),
      signal: leaving.signal,
    });
    const request = await asked;
    leaving.abort();
    await expect(sent).rejects.toThrow();
    await until(async () => request.aborted);
  });

  test("is still given if the reader leaves before it begins, and is charged", async () => {
    provider.setMode("slow");
    const leaving = new AbortController();
    const { id } = await (await client.send("POST", "/conversations")).json();
    const asked = provider.nextRequest();
    const sent = client("/chat/message", {
      method: "POST",
      body: JSON.stringify({ conversation_id: id, messages: [{ role: "user", content: "count" }] }),
      signal: leaving.signal,
    });
    await asked;
    leaving.abort();
    await expect(sent).rejects.toThrow();
    await serviceNoticed();
    provider.release(Number.POSITIVE_INFINITY);
    const messages = await until(async () => {
      const found = await messagesOf(id);
      return found.length === 2 && found;
    });
    expect(messages.map(wordsOf)).toEqual(["count", "one two three four five six"]);
    expect(await remaining()).toBe(4);
  });
});

/** Opens a database whose transactions can be held back. */
function pausable(): { database: OpenDatabase; hold(): void; letGo(): void } {
  let letGo = () => {};
  let isFree = Promise.resolve();
  const waiting: Partial<OpenDatabase["database"]> = {
    async transaction(...words) {
      await isFree;
      return database.database.transaction(...words);
    },
  };
  const held = new Proxy(database.database, {
    get(of, name) {
      const value = Reflect.get(name in waiting ? waiting : of, name);
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
  return {
    database: { ...database, database: held },
    hold() {
      isFree = new Promise((resolve) => (letGo = resolve));
    },
    letGo: () => letGo(),
  };
}

describe("a question whose sender leaves before it is stored", () => {
  let busy: TestService;
  let transactions: ReturnType<typeof pausable>;
  let named: TestClient;
  let leaving: AbortController;

  beforeEach(async () => {
    transactions = pausable();
    busy = await startTestService({
      database: transactions.database,
      env: { LLM_BASE_URL: provider.url, LLM_MODEL: "test-model", RATE_LIMIT_CHAT_PER_MIN: "5" },
    });
    transactions.hold();
    named = busy.client({ "X-User-Id": crypto.randomUUID() });
    leaving = new AbortController();
  });

  afterEach(async () => {
    transactions.letGo();
    await busy.close();
  });

  async function askAndLeave(): Promise<void> {
    const sent = named("/chat/message", {
      method: "POST",
      body: JSON.stringify({ messages: [{ id: "left", role: "user", content: "count" }] }),
      signal: leaving.signal,
    });
    await until(async () => (await remaining(named)) === 4);
    leaving.abort();
    await expect(sent).rejects.toThrow();
  }

  test("while others wait before it is neither stored nor answered, and is refunded", async () => {
    const others = Array.from({ length: 8 }, (_, n) => busy.client({ "X-User-Id": `other-${n}` }));
    const asked = others.map((client) => client.ask("count"));
    await until(async () => {
      const left = await Promise.all(others.map((client) => remaining(client)));
      return left.every((units) => units === 4);
    });
    await askAndLeave();
    await until(async () => (await remaining(named)) === 5);
    transactions.letGo();
    expect((await Promise.all(asked)).map(({ response }) => response.status)).toEqual(others.map(() => 200));
    expect(provider.requests).toHaveLength(8);
    expect((await (await named("/conversations")).json()).conversations).toEqual([]);
    // Its places are free again too.
    const again = await Promise.all([1, 2].map((n) => named.ask("count", { id: `again-${n}` })));
    expect(again.map(({ response }) => response.status)).toEqual([200, 200]);
  });

  test("while it is being stored is answered and charged, as if its reader had left later", async () => {
    await askAndLeave();
    transactions.letGo();
    const messages = await until(async () => {
      const { conversations } = await (await named("/conversations")).json();
      const found = conversations[0] && (await messagesOf(conversations[0].id, named));
      return found?.[1]?.parts.length > 0 && (found as ChatMessage[]);
    });
    expect(messages.map(wordsOf)).toEqual(["count", "one two three four five six"]);
    expect(messages[1]?.metadata?.incomplete).toBeUndefined();
    expect(await remaining(named)).toBe(4);
    const again = await Promise.all([1, 2].map((n) => named.ask("count", { id: `again-${n}` })));
    expect(again.map(({ response }) => response.status)).toEqual([200, 200]);
  });
});

describe("an answer that is stopped", () => {
  async function stopAfterTwoWords(as = client) {
    provider.setMode("slow");
    const sent = as.send("POST", "/chat/message", {
      messages: [{ id: "stopped", role: "user", content: "count" }],
    });
    provider.release(2);
    const response = await sent;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await readWords(reader, 2);
    const conversationId = response.headers.get("X-Conversation-Id") ?? "";
    const stop = await as.send("POST", "/chat/stop", {
      conversation_id: conversationId,
      message_id: "stopped",
    });
    expect(await stop.json()).toEqual({ stopped: true });
    const rest = await restOf(reader);
    const messages = await messagesOf(conversationId, as);
    return { conversationId, answer: messages[1], rest };
  }

  test("is saved so far, is marked in its stream, and stops the model", async () => {
    const { answer, rest } = await stopAfterTwoWords();
    expect(wordsOf(answer)).toBe("one two");
    expect(answer?.metadata).toMatchObject({ incomplete: "stopped" });
    expect(chunksOf(rest).at(-1)).toMatchObject({
      type: "message-metadata",
      messageMetadata: { incomplete: "stopped" },
    });
    await until(async () => provider.requests[0]?.aborted);
    expect(await remaining()).toBe(4);
  });

  test("is charged to the account for the part used", async () => {
    await client.send("POST", "/auth/sign-up/email", {
      email: "stopper@example.com",
      password: "correct horse battery",
      name: "Stopper",
    });
    const before = (await (await client("/me")).json()).credit.balance;
    const { answer } = await stopAfterTwoWords();
    expect(answer?.metadata?.outputTokens).toBeGreaterThan(0);
    const after = (await (await client("/me")).json()).credit.balance;
    expect(after).toBeLessThan(before);
  });

  test("can be stopped by the caller who opened its conversation, without knowing its id", async () => {
    provider.setMode("never");
    const asked = provider.nextRequest();
    const named = service.client({ "X-User-Id": "opener" });
    const sent = named.ask("count", { id: "opening" });
    await asked;
    const foreign = await service.client({ "X-User-Id": "other" }).send("POST", "/chat/stop", {
      message_id: "opening",
    });
    expect(await foreign.json()).toEqual({ stopped: false });
    const stop = await named.send("POST", "/chat/stop", { message_id: "opening" });
    expect(await stop.json()).toEqual({ stopped: true });
    expect((await sent).response.status).toBe(499);
    // Who stops an answer gets nothing back: the model was asked.
    expect(await remaining(named)).toBe(4);
    // Its place among the caller's two simultaneous answers is free immediately.
    for (const id of ["second", "third"]) {
      const next = provider.nextRequest();
      const another = named.ask("count", { id });
      await next;
      await named.send("POST", "/chat/stop", { message_id: id });
      expect((await another).response.status).toBe(499);
    }
    await until(async () => provider.requests[0]?.aborted);
    expect(await (await named.send("POST", "/chat/stop", { message_id: "opening" })).json()).toEqual({
      stopped: false,
    });
  });

  test.each(["conversation", "account"])(
    "ends when its %s is deleted, because nobody can read it then",
    async (what) => {
      const owner = service.client();
      const password = "correct horse battery";
      const email = `${what}@example.com`;
      await owner.send("POST", "/auth/sign-up/email", { email, password, name: "Leaver" });
      provider.setMode("slow");
      provider.release(2);
      const sent = await owner.send("POST", "/chat/message", {
        messages: [{ role: "user", content: "count" }],
      });
      const deleted =
        what === "account"
          ? await owner.send("POST", "/account/delete", { password })
          : await owner.send("DELETE", `/conversations/${sent.headers.get("X-Conversation-Id")}`);
      expect(deleted.status).toBe(204);
      // The model is stopped well before its silence would end the answer.
      await vi.waitFor(() => expect(provider.requests[0]?.aborted).toBe(true), {
        timeout: 15_000,
        interval: 50,
      });
    },
  );

  test("is a 400 for an invalid id", async () => {
    const stop = await service
      .client({ "X-User-Id": "w" })
      .send("POST", "/chat/stop", { message_id: "\u0000" });
    expect(stop.status).toBe(400);
  });

  test("cannot be stopped or read by anybody else", async () => {
    provider.setMode("slow");
    provider.release(1);
    const sent = await client.send("POST", "/chat/message", {
      messages: [{ role: "user", content: "count" }],
    });
    const conversationId = sent.headers.get("X-Conversation-Id");
    const stop = await service.client().send("POST", "/chat/stop", { conversation_id: conversationId });
    expect(stop.status).toBe(404);
    expect((await service.client()(`/chat/stream/${conversationId}`)).status).toBe(404);
    expect((await client.send("POST", "/chat/stop", {})).status).toBe(400);
    provider.release(Number.POSITIVE_INFINITY);
    expect(textOf(chunksOf(await sent.text()))).toBe("one two three four five six");
  });

  test("can be replaced by another answer", async () => {
    const { conversationId, answer } = await stopAfterTwoWords();
    provider.setMode("normal");
    const { response } = await client.ask("count", { conversation_id: conversationId, replaces: answer?.id });
    expect(response.status).toBe(200);
    const messages = await messagesOf(conversationId);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(wordsOf(messages[1])).toBe("one two three four five six");
  });
});

describe("more simultaneous answers than the service has places for", () => {
  test("get a 503 with a wait, and are not charged; a place is free again after an answer has ended", async () => {
    const narrow = await startWithProvider({ MAX_STREAMS: "2" });
    provider.setMode("slow");
    provider.release(2);
    const leaving = new AbortController();
    const ask = (name: string, signal?: AbortSignal) =>
      narrow.client({ "X-User-Id": name })("/chat/message", {
        method: "POST",
        body: JSON.stringify({ messages: [{ role: "user", content: "count" }] }),
        ...(signal ? { signal } : {}),
      });
    const first = await ask("first", leaving.signal);
    const second = await ask("second");
    const third = await ask("third");
    expect([first.status, second.status, third.status]).toEqual([200, 200, 503]);
    expect(third.headers.get("Retry-After")).toBe("5");
    expect(await third.json()).toMatchObject({ error: "busy", status: 503 });
    expect(await remaining(narrow.client({ "X-User-Id": "third" }))).toBe(5);
    // Invalid bodies and other routes need no place.
    expect((await narrow.client()("/chat/message", { method: "POST", body: "{" })).status).toBe(400);
    expect((await narrow.client()("/health")).status).toBe(200);

    leaving.abort();
    provider.release(Number.POSITIVE_INFINITY);
    await until(async () => {
      const again = await ask("again");
      await again.text();
      return again.status === 200;
    });
    await second.text();
    const statuses = await Promise.all(
      ["a", "b"].map(async (name) => (await ask(name)).text().then(() => name)),
    );
    expect(statuses).toEqual(["a", "b"]);
    await narrow.close();
  });
});

describe("readers of an answer that another request started", () => {
  test("hold a place each; a HEAD request, or a reader who has left, holds none", async () => {
    const narrow = await startWithProvider({ MAX_STREAMS: "3" });
    provider.setMode("slow");
    provider.release(2);
    const owner = narrow.client({ "X-User-Id": "reader" });
    const body = JSON.stringify({ messages: [{ id: "read", role: "user", content: "count" }] });
    const answer = await owner("/chat/message", { method: "POST", body });
    const path = `/chat/stream/${answer.headers.get("X-Conversation-Id")}`;
    for (let asked = 0; asked < 4; asked += 1) {
      expect((await owner(path, { method: "HEAD" })).status).toBe(200);
    }
    const leaving = new AbortController();
    const read = () => owner(path, { signal: leaving.signal });
    const readers = await Promise.all(Array.from({ length: 4 }, read));
    expect(readers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 503]);
    leaving.abort();
    await until(async () => {
      const again = await owner("/chat/message", {
        method: "POST",
        body,
        signal: AbortSignal.timeout(5_000),
      });
      if (again.status !== 200) return false;
      provider.release(Number.POSITIVE_INFINITY);
      return textOf(chunksOf(await again.text())) === "one two three four five six";
    });
    // A place is free again once an answer is read to its end.
    for (let asked = 0; asked < 4; asked += 1) {
      const again = await owner("/chat/message", { method: "POST", body });
      expect([again.status, textOf(chunksOf(await again.text()))]).toEqual([
        200,
        "one two three four five six",
      ]);
    }
    await narrow.close();
  });

  test("are at most ten for one answer", async () => {
    provider.setMode("slow");
    provider.release(1);
    const answer = await client.send("POST", "/chat/message", {
      messages: [{ role: "user", content: "count" }],
    });
    const path = `/chat/stream/${answer.headers.get("X-Conversation-Id")}`;
    const readers = await Promise.all(Array.from({ length: 11 }, () => client(path)));
    const statuses = readers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(10).fill(200), 503]);
    provider.release(Number.POSITIVE_INFINITY);
    await Promise.all([answer, ...readers].map((response) => response.text()));
  });
});

describe("a title", () => {
  test("that a person chooses while the model generates one is kept", async () => {
    const { conversationId } = await client.ask("count");
    provider.setMode("slow");
    const asked = provider.nextRequest();
    const titling = client.send("POST", "/chat/title", { conversation_id: conversationId });
    await asked;
    const address = `/conversations/${conversationId}`;
    expect((await client.send("PATCH", address, { title: "My own" })).status).toBe(200);
    provider.release(Number.POSITIVE_INFINITY);
    expect(await (await titling).json()).toEqual({ title: "My own" });
    expect(await (await client(address)).json()).toMatchObject({ title: "My own", titled: true });
  });
});

describe("stopping the service", () => {
  test("lets an answer end, refuses new ones, and reports it", async () => {
    provider.setMode("slow");
    const sent = client("/chat/message", {
      method: "POST",
      body: JSON.stringify({ messages: [{ role: "user", content: "count" }] }),
    });
    provider.release(1);
    const response = await sent;
    const closed = service.close();
    // The port is closed, but requests on open connections are answered.
    const ready = await service.app.request("/ready");
    expect([ready.status, (await ready.json()).error]).toEqual([503, "stopping"]);
    const refused = await service.app.request("/chat/message", { method: "POST", body: "{}" });
    expect([refused.status, (await refused.json()).error]).toEqual([503, "stopping"]);
    await expect(fetch(service.url)).rejects.toThrow();

    provider.release(Number.POSITIVE_INFINITY);
    const events = await response.text();
    expect(textOf(chunksOf(events))).toBe("one two three four five six");
    expect(events.trimEnd()).toMatch(/data: \[DONE\]$/);
    await closed;
  });

  test("waits for an answer that has not begun, and ends it after the grace period", async () => {
    const hasty = await startWithProvider({ SHUTDOWN_GRACE_SECONDS: "0" });
    const visitor = hasty.client({ "X-User-Id": "early" });
    provider.setMode("never");
    const asked = provider.nextRequest();
    const sent = visitor.ask("count");
    await asked;
    await hasty.close();
    const { response, problem } = await sent;
    expect([response.status, problem.error]).toEqual([503, "stopping"]);
    expect(response.headers.get("Retry-After")).toBe("5");
    const successor = await startWithProvider();
    const returned = successor.client({ "X-User-Id": "early" });
    expect((await messagesOf(String(problem.conversation_id), returned)).map(wordsOf)).toEqual(["count"]);
    await successor.close();
  });

  test("after the grace period, a partial answer is saved", async () => {
    const hasty = await startWithProvider({ SHUTDOWN_GRACE_SECONDS: "0" });
    const visitor = hasty.client();
    provider.setMode("slow");
    const sent = visitor("/chat/message", {
      method: "POST",
      body: JSON.stringify({ messages: [{ role: "user", content: "count" }] }),
    });
    provider.release(2);
    const response = await sent;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await readWords(reader, 2);
    await hasty.close();
    const successor = await startWithProvider();
    const returned = successor.client();
    returned.cookies.set("headgate_visitor", visitor.cookies.get("headgate_visitor") ?? "");
    const conversationId = response.headers.get("X-Conversation-Id") ?? "";
    const [, answer] = await messagesOf(conversationId, returned);
    expect(wordsOf(answer)).toBe("one two");
    // The answer is not marked as stopped by a person.
    expect(answer?.metadata?.incomplete).toBe("failed");
    await successor.close();
  });
});

describe("turns of one conversation", () => {
  test("that are sent at the same time are not mixed or lost", async () => {
    const roomy = await startWithProvider({ RATE_LIMIT_CHAT_PER_MIN: "100" });
    const writer = roomy.client();
    const { conversationId } = await writer.ask("first", { id: "q0" });
    const ids = Array.from({ length: 8 }, (_, index) => `q${index + 1}`);
    const asked = await Promise.all(
      ids.map((id) => writer.ask(`question ${id}`, { id, conversation_id: conversationId })),
    );
    expect(asked.map(({ response }) => response.status)).toEqual(ids.map(() => 200));
    const messages = await messagesOf(conversationId, writer);
    expect(messages.map(({ role }) => role)).toEqual(
      Array.from({ length: 18 }, (_, place) => (place % 2 === 0 ? "user" : "assistant")),
    );
    expect(
      messages
        .map(({ id }) => id)
        .filter((id) => /^q\d$/.test(id))
        .sort(),
    ).toEqual(["q0", ...ids]);
    await roomy.close();
  });

  test("an edited question replaces the old question and everything after it", async () => {
    const { conversationId } = await client.ask("first", { id: "q1" });
    await client.ask("second", { id: "q2", conversation_id: conversationId });
    const edited = { id: "q1-edited", conversation_id: conversationId, replaces: "q1" };
    expect((await client.ask("first, better", edited)).response.status).toBe(200);
    const messages = await messagesOf(conversationId);
    expect(messages.map(wordsOf)).toEqual(["first, better", "one two three four five six"]);
  });

  test("a question edited under its own id is replaced, not duplicated", async () => {
    const { conversationId } = await client.ask("first", { id: "q1" });
    const edited = { id: "q1", conversation_id: conversationId, replaces: "q1" };
    expect((await client.ask("better", edited)).response.status).toBe(200);
    expect((await messagesOf(conversationId)).map(wordsOf)[0]).toBe("better");
    expect(await messagesOf(conversationId)).toHaveLength(2);
  });

  test("the message to replace must exist", async () => {
    const { conversationId } = await client.ask("first", { id: "q1" });
    const { response, problem } = await client.ask("x", {
      conversation_id: conversationId,
      replaces: "gone",
    });
    expect(response.status).toBe(400);
    expect(problem.fields).toEqual([{ path: "replaces", message: expect.any(String) }]);
    expect(await messagesOf(conversationId)).toHaveLength(2);
  });

  test("characters that the database cannot store are removed", async () => {
    const { response, conversationId } = await client.ask("a\u0000b\ud800c");
    expect(response.status).toBe(200);
    expect(wordsOf((await messagesOf(conversationId))[0])).toBe("ab\ufffdc");
  });

  test("history that is sent with a new conversation is kept, and passed to the model", async () => {
    const response = await client.send("POST", "/chat/message", {
      messages: [
        { role: "user", content: "earlier" },
        { role: "assistant", content: "said" },
        { role: "user", content: "now" },
      ],
    });
    await response.text();
    const messages = await messagesOf(response.headers.get("X-Conversation-Id") ?? "");
    expect(messages.map(wordsOf)).toEqual(["earlier", "said", "now", "one two three four five six"]);
    const given = provider.requests[0]?.body.messages?.filter(({ role }) => role !== "system");
    expect(given?.map(({ content }) => content)).toEqual(["earlier", "said", "now"]);
  });
});
