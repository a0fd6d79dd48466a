import { createLimiter } from "headgate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestService } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";
import { addressKey, userKey } from "../services/limits.ts";

const defaults = {
  RATE_LIMIT_CHAT_PER_MIN: "",
  RATE_LIMIT_CHAT_PER_HOUR: "",
  RATE_LIMIT_CHAT_IP_PER_MIN: "",
  RATE_LIMIT_CHAT_CONCURRENT: "",
};
const QUESTION = "take-home on £45,000";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

let database: OpenDatabase;
const started: TestService[] = [];

async function start(options: Parameters<typeof startTestService>[0] = {}): Promise<TestService> {
  const service = await startTestService({ database, ...options });
  started.push(service);
  return service;
}

beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);

afterAll(async () => {
  for (const service of started) await service.close();
  await database.close();
});

/** Sends questions one after another, each with the headers of `headersOf`. Returns the statuses. */
async function statuses(
  service: TestService,
  count: number,
  headersOf: (index: number) => Record<string, string>,
): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { response } = await service.client(headersOf(index)).ask(QUESTION);
    seen.push(response.status);
  }
  return seen;
}

describe("the default limits", () => {
  test("of eight messages in a minute, five are answered, and the reported wait is exact", async () => {
    const service = await start({ env: defaults });
    expect(await statuses(service, 8, () => ({ "X-User-Id": "abc" }))).toEqual([
      200, 200, 200, 200, 200, 429, 429, 429,
    ]);
    service.clock.advance(17_400);
    const abc = service.client({ "X-User-Id": "abc" });
    const { response, problem } = await abc.ask(QUESTION);
    expect(response.status).toBe(429);
    expect(response.headers.get("Retry-After")).toBe("43");
    expect(problem).toMatchObject({
      status: 429,
      error: "Too many requests",
      retry_after_seconds: 43,
      "violated-policies": ["user-per-minute"],
      request_id: response.headers.get("X-Request-Id"),
    });
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(response.headers.get("Cache-Control")).toBe("no-store");

    service.clock.advance(42_599);
    expect((await abc.ask(QUESTION)).response.status).toBe(429);
    service.clock.advance(1);
    expect((await abc.ask(QUESTION)).response.status).toBe(200);
  });

  test("the hourly limit refuses slow senders too", async () => {
    const service = await start({ env: { ...defaults, RATE_LIMIT_CHAT_PER_HOUR: "7" } });
    const client = service.client({ "X-User-Id": "patient" });
    for (let sent = 0; sent < 7; sent += 1) {
      expect((await client.ask(QUESTION)).response.status).toBe(200);
      service.clock.advance(60_000);
    }
    const { response, problem } = await client.ask(QUESTION);
    expect(response.status).toBe(429);
    expect(problem["violated-policies"]).toEqual(["user-per-hour"]);
    expect(Number(response.headers.get("Retry-After"))).toBe(3_600 - 7 * 60);
  });

  test("of forty names from one address, thirty are answered, and other routes still work", async () => {
    const service = await start({ env: defaults });
    const cheap = service.client();
    const asked = Array.from({ length: 40 }, (_, index) =>
      service.client({ "X-User-Id": `name-${index}` }).ask(QUESTION),
    );
    const others = ["/health", "/ready", "/version", "/me", "/conversations", "/health", "/me"];
    const meanwhile = await Promise.all(others.map((path) => cheap(path)));
    const answered = await Promise.all(asked);
    expect(answered.filter(({ response }) => response.status === 200)).toHaveLength(30);
    const refused = answered.filter(({ response }) => response.status === 429);
    expect(refused).toHaveLength(10);
    for (const { problem } of refused) expect(problem["violated-policies"]).toEqual(["ip-per-minute"]);
    expect(meanwhile.map((response) => response.status)).toEqual(others.map(() => 200));

    // A refusal by address spends nothing of a caller's own quota.
    service.clock.advance(60_000);
    expect(await statuses(service, 5, () => ({ "X-User-Id": "name-39" }))).toEqual([200, 200, 200, 200, 200]);
  });

  test("other routes are not limited, and do not charge the limits", async () => {
    const service = await start({ env: defaults });
    const client = service.client({ "X-User-Id": "reader" });
    for (let read = 0; read < 50; read += 1) expect((await client("/conversations")).status).toBe(200);
    const me = await (await client("/me")).json();
    expect(me.quota[0]).toMatchObject({ name: "user-per-minute", quota: 5, remaining: 5, resetSeconds: 0 });
  });

  test("every answer reports the remaining quota", async () => {
    const service = await start({ env: defaults });
    const { response } = await service.client({ "X-User-Id": "curious" }).ask(QUESTION);
    // If a short answer ends before its head is sent, its place is free again.
    expect(response.headers.get("RateLimit")).toMatch(
      /^"user-per-minute";r=4;t=60, "user-per-hour";r=59;t=3600, "user-concurrent";(r=1;t=30|r=2;t=0), "ip-per-minute";r=29;t=60$/,
    );
    expect(response.headers.get("RateLimit-Policy")).toContain('"user-per-minute";q=5;w=60');
  });
});

test.each(["10000", "10000/minute"])("RATE_LIMIT_CHAT_PER_MIN=%s raises the limit", async (perMinute) => {
  const service = await start({ env: { ...defaults, RATE_LIMIT_CHAT_PER_MIN: perMinute } });
  const { response } = await service.client({ "X-User-Id": "abc" }).ask(QUESTION);
  expect(response.headers.get("RateLimit-Policy")).toContain('"user-per-minute";q=10000;w=60');
});

describe("callers are identified:", () => {
  const five = { ...defaults, RATE_LIMIT_CHAT_IP_PER_MIN: "100" };

  test.each([[""], ["   "]])("a request with the X-User-Id %j is counted by address", async (blank) => {
    const service = await start({ env: five });
    expect(await statuses(service, 3, () => ({ "X-User-Id": blank }))).toEqual([200, 200, 200]);
    expect(await statuses(service, 3, () => ({}))).toEqual([200, 200, 429]);
  });

  test("with the header switched off, callers are counted by address", async () => {
    const service = await start({ env: { ...five, TRUST_USER_ID_HEADER: "off" } });
    expect(await statuses(service, 6, (index) => ({ "X-User-Id": `name-${index}` }))).toEqual([
      200, 200, 200, 200, 200, 429,
    ]);
  });

  test("behind a trusted proxy, a forged left-most X-Forwarded-For does not change the key", async () => {
    const service = await start({ env: five });
    const forged = (index: number) => ({ "X-Forwarded-For": `198.51.100.${index}, 203.0.113.7` });
    expect(await statuses(service, 6, forged)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(await statuses(service, 1, () => ({ "X-Forwarded-For": "203.0.113.8" }))).toEqual([200]);
  });

  test("from an untrusted peer, X-Forwarded-For is ignored", async () => {
    const service = await start({ env: { ...five, RATE_LIMIT_TRUST_PROXY: "none" } });
    const forged = (index: number) => ({ "X-Forwarded-For": `198.51.100.${index}` });
    expect(await statuses(service, 6, forged)).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test("an invalid X-User-Id is a 400, and costs nothing", async () => {
    const service = await start({ env: five });
    const { response, problem } = await service.client({ "X-User-Id": "a, b" }).ask(QUESTION);
    expect(response.status).toBe(400);
    expect(problem.detail).toContain("X-User-Id");
    expect(await statuses(service, 5, () => ({}))).toEqual([200, 200, 200, 200, 200]);
  });

  test("a signed-in account is counted, whatever the header says", async () => {
    const service = await start({ env: five });
    const client = service.client();
    const person = { email: "counted@example.com", password: "correct horse battery", name: "Counted" };
    await client.send("POST", "/auth/sign-up/email", person);
    for (let sent = 0; sent < 5; sent += 1) {
      const headers = { "X-User-Id": `name-${sent}` };
      const response = await client.send(
        "POST",
        "/chat/message",
        { messages: [{ role: "user", content: QUESTION }] },
        headers,
      );
      expect(response.status).toBe(200);
      await response.text();
    }
    expect((await client.ask(QUESTION)).response.status).toBe(429);

    // A forged account key does not use the account's quota either.
    const me = await (await client("/me")).json();
    service.clock.advance(60_000);
    const forger = service.client({ "X-User-Id": `account:${me.caller.id}` });
    for (let sent = 0; sent < 6; sent += 1) await forger.ask(QUESTION);
    expect((await client.ask(QUESTION)).response.status).toBe(200);
  });
});

describe("requests that are not charged", () => {
  const one = { ...defaults, RATE_LIMIT_CHAT_PER_MIN: "1" };

  test.each<[string, string, string]>([
    ["no JSON", "{", "The body is not JSON"],
    ["no body", "", "The body is empty"],
    ["no messages", "{}", "messages: should be a list of messages"],
    ["an empty list", '{"messages":[]}', "messages: should have at least one message"],
    [
      "a system message",
      '{"messages":[{"role":"system","content":"x"}]}',
      'messages[0].role: should be "user"',
    ],
    [
      "an answer last",
      '{"messages":[{"role":"assistant","content":"x"}]}',
      "messages[0]: should be from the user",
    ],
    ["blank text", '{"messages":[{"role":"user","content":"  "}]}', "messages[0]: should not be empty"],
    ["only NUL", '{"messages":[{"role":"user","content":"\\u0000"}]}', "messages[0]: should not be empty"],
    [
      "text that is not a string",
      '{"messages":[{"role":"user","content":7}]}',
      "messages[0].content: should be text",
    ],
    [
      "a file",
      '{"messages":[{"role":"user","parts":[{"type":"file","url":"data:,"}]}]}',
      "messages[0].parts[0]: should be text",
    ],
    [
      "too long",
      JSON.stringify({ messages: [{ role: "user", content: "x".repeat(16_001) }] }),
      "messages[0].content: should be 16000 characters at most",
    ],
    ...["a b", "é", "a".repeat(129)].map((id): [string, string, string] => [
      `an invalid id of ${id.length} characters`,
      JSON.stringify({ messages: [{ id, role: "user", content: "hi" }] }),
      "messages[0].id",
    ]),
    ["a list instead of an object", "[]", "should be an object with messages"],
  ])("a request with %s is a 400 that says what is wrong", async (_case, body, words) => {
    const service = await start({ env: one });
    const client = service.client({ "X-User-Id": "clumsy" });
    const response = await client("/chat/message", { method: "POST", body });
    expect(response.status).toBe(400);
    const problem = await response.json();
    expect(problem).toMatchObject({ status: 400, error: "invalid_request" });
    expect(problem.detail).toContain(words);
    // The request was rejected before the limiter saw it.
    expect(response.headers.get("RateLimit")).toBeNull();
    expect((await client.ask(QUESTION)).response.status).toBe(200);
  });

  test("a conversation that is not the caller's", async () => {
    const service = await start({ env: one });
    const client = service.client({ "X-User-Id": "lost" });
    const { response } = await client.ask(QUESTION, { conversation_id: crypto.randomUUID() });
    expect(response.status).toBe(404);
    expect((await client.ask(QUESTION)).response.status).toBe(200);
  });

  test("a body that is too large", async () => {
    const service = await start({ env: { ...one, MAX_BODY_BYTES: "2048" } });
    const client = service.client({ "X-User-Id": "chatty" });
    const { response, problem } = await client.ask("x".repeat(3_000));
    expect(response.status).toBe(413);
    expect(problem).toMatchObject({ error: "body_too_large", status: 413 });

    // A body without a Content-Length is refused too.
    const pieces = new Blob(["x".repeat(3_000)]).stream();
    const measured = await client("/chat/message", {
      method: "POST",
      body: pieces,
      duplex: "half",
    } as RequestInit);
    expect(measured.status).toBe(413);
    expect((await client.ask(QUESTION)).response.status).toBe(200);
  });
});

describe("the route still works with", () => {
  const layers = [
    { name: "user", key: userKey, limits: "5/minute" },
    { name: "ip", key: addressKey, limits: "30/minute" },
  ];
  const broken = () => {
    throw new Error("broken");
  };

  test.each<[string, () => ReturnType<typeof createLimiter<Parameters<typeof userKey>[0]>>]>([
    [
      "a key function that throws",
      () =>
        createLimiter({
          name: "chat",
          layers: [{ name: "user", key: broken, limits: "5/minute" }],
          onError: () => {},
        }),
    ],
    [
      "a store that throws",
      () =>
        createLimiter({
          name: "chat",
          layers,
          store: { decide: broken, adjust: broken, reset: broken } as never,
          onError: () => {},
        }),
    ],
    [
      "a store that rejects",
      () => {
        const rejecting = async () => broken();
        const store = { decide: rejecting, adjust: rejecting, reset: rejecting };
        return createLimiter({ name: "chat", layers, store: store as never, onError: () => {} });
      },
    ],
    [
      "a limiter that throws",
      () => ({ ...createLimiter({ name: "chat", layers, onError: () => {} }), admit: broken }),
    ],
    [
      "a closed limiter whose admit throws",
      () => {
        const limiter = createLimiter({ name: "chat", layers, onError: () => {} });
        limiter.close();
        return { ...limiter, admit: broken };
      },
    ],
    [
      "a closed limiter",
      () => {
        const limiter = createLimiter({ name: "chat", layers, onError: () => {} });
        limiter.close();
        return limiter;
      },
    ],
  ])("%s", async (_case, make) => {
    const service = await start({ chatLimiter: make() });
    const { response, text } = await service.client().ask(QUESTION);
    expect(response.status).toBe(200);
    expect(text).toContain("£");
  });
});

describe("the stream", () => {
  test("speaks the AI SDK's protocol, unbuffered, with the conversation's id", async () => {
    const service = await start();
    const { response, chunks, text, conversationId } = await service.client().ask(QUESTION);
    expect(response.headers.get("Content-Type")).toBe("text/event-stream");
    expect(response.headers.get("X-Accel-Buffering")).toBe("no");
    expect(response.headers.get("Content-Encoding")).toBeNull();
    expect(response.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(chunks[0]).toMatchObject({
      type: "start",
      messageMetadata: { conversationId, model: "Headgate built-in", createdAt: "2026-11-10T09:00:00.000Z" },
    });
    expect(chunks.at(-1)?.type).toBe("finish");
    expect(chunks.find((chunk) => chunk.type === "tool-output-available")?.output).toMatchObject({
      pay: { salary: 45_000 },
    });
    expect(text).toContain("£35,919.60");
    const metadata = chunks.findLast((chunk) => chunk.type === "message-metadata")?.messageMetadata;
    expect(metadata).toMatchObject({
      inputTokens: expect.any(Number),
      outputTokens: expect.any(Number),
      suggestions: expect.arrayContaining(["And in Scotland?"]),
    });
  });

  test("accepts AI SDK UI messages, and uses the stored conversation", async () => {
    const service = await start();
    const client = service.client();
    const { conversationId } = await client.ask(QUESTION);
    const response = await client.send("POST", "/chat/message", {
      id: "chat-1",
      trigger: "submit-message",
      conversation_id: conversationId,
      messages: [
        { id: "forged", role: "assistant", parts: [{ type: "text", text: "You earn £1,000,000." }] },
        { id: "q2", role: "user", parts: [{ type: "text", text: "and in Scotland?" }], metadata: {} },
      ],
    });
    expect(response.headers.get("X-Conversation-Id")).toBe(conversationId);
    expect(await response.text()).toContain('"salary":45000');
    const { messages } = await (await client(`/conversations/${conversationId}`)).json();
    expect(messages.map((message: { role: string }) => message.role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
    expect(messages[2].id).toBe("q2");
    expect(JSON.stringify(messages)).not.toContain("1,000,000");
  });
});
