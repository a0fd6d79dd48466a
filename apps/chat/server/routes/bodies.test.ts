import { connect } from "node:net";
import * as fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestService } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";
import { messageRequest } from "../services/message-request.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: DATABASE_START_MS });

let database: OpenDatabase;
const started: TestService[] = [];

async function start(env: Record<string, string>): Promise<TestService> {
  const service = await startTestService({ database, env });
  started.push(service);
  return service;
}

beforeAll(async () => {
  database = await openTestDatabase();
});

afterAll(async () => {
  for (const service of started) await service.close();
  await database.close();
});

/** Creates a body that counts how much of it is read. */
function countedBody(text: string) {
  let pulls = 0;
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = bytes.subarray(pulls * 16_384, (pulls + 1) * 16_384);
        pulls += 1;
        if (piece.length === 0) controller.close();
        else controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, pulls: () => pulls };
}

function post(service: TestService, path: string, body: BodyInit): Promise<Response> {
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  return Promise.resolve(service.app.request(path, init));
}

/** Hostile bodies: nearly valid, deeply nested, wide, long and unusual JSON, and random bytes. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("\u0000", "\\ud800", "x".repeat(20_000)),
);
const part = fc.oneof(
  fc.record(
    { type: fc.constantFrom("text", "step-start", "file", "tool-take_home"), text },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const message = fc.oneof(
  fc.record(
    {
      id: fc.oneof(text, fc.integer()),
      role: fc.constantFrom("assistant", "system", "tool", 7, null),
      content: fc.oneof(text, fc.jsonValue({ maxDepth: 1 })),
      parts: fc.oneof(fc.array(part, { maxLength: 5 }), fc.constant({})),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const fuzzed = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record(
        {
          messages: fc.array(message, { maxLength: 4 }),
          conversation_id: fc.jsonValue({ maxDepth: 1 }),
          replaces: fc.jsonValue({ maxDepth: 1 }),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.string({ maxLength: 200 }) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("[", '{"a":', '[{"messages":'), fc.integer({ min: 1, max: 2_000 }))
      .map(([opening, times]) => opening.repeat(times)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom("{},", "[],", '"",', "0,", '{"type":"text"},'),
        fc.integer({ min: 1, max: 2_000 }),
      )
      .map(([item, times]) => `{"messages":[{"role":"user","parts":[${item.repeat(times)}{}]}]}`),
  },
);

test("ten thousand hostile bodies cause no error, cost one unit each, and are not read above the limit", async () => {
  const count = 10_000;
  const service = await start({ RATE_LIMIT_BODIES_IP_PER_MIN: String(count) });
  const statuses = new Map<number, number>();
  for (const body of fc.sample(fuzzed, { numRuns: count, seed: 13 })) {
    const response = await post(service, "/chat/message", body as BodyInit);
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  }
  // Requests with an empty body are refused without charging a unit.
  const bringingNone = fc
    .sample(fuzzed, { numRuns: count, seed: 13 })
    .filter((body) => body.length === 0).length;
  expect([...statuses.keys()].every((status) => status === 400 || status === 413)).toBe(true);
  expect(statuses.get(400)).toBeGreaterThan(count * 0.9);

  for (let left = 0; left < bringingNone; left += 1) await post(service, "/chat/message", "{");
  const { stream, pulls } = countedBody('{"messages":[');
  const refused = await post(service, "/chat/message", stream);
  expect([refused.status, pulls()]).toEqual([429, 0]);
  expect(await refused.json()).toMatchObject({
    error: "Too many requests",
    "violated-policies": ["bodies-ip-per-minute"],
    request_id: expect.any(String),
  });
  expect(refused.headers.get("Retry-After")).toBe("60");
});

describe("counting bodies", () => {
  test("every route counts a body by address before reading it, whether it is valid or invalid", async () => {
    const service = await start({
      RATE_LIMIT_BODIES_IP_PER_MIN: "2",
      MAIL_URL: "smtp://127.0.0.1:1",
      MAIL_FROM: "chat@example.com",
      PUBLIC_URL: "http://localhost:3000",
    });
    const routes: [string, string][] = [
      ["POST", "/chat/message"],
      ["POST", "/chat/stop"],
      ["POST", "/chat/title"],
      ["POST", "/conversations"],
      ["PATCH", `/conversations/${crypto.randomUUID()}`],
      ["POST", "/auth/sign-in/email"],
      ["POST", "/auth/sign-up/email"],
      ["POST", "/auth/change-password"],
      ["POST", "/auth/reset-password"],
      ["POST", "/auth/request-password-reset"],
      ["POST", "/auth/send-verification-email"],
      ["POST", "/account/credit/codes"],
      ["POST", "/account/delete"],
      ["POST", "/nothing"],
    ];
    for (const [method, path] of routes) {
      service.clock.advance(60_000);
      const send = () => service.app.request(path, { method, body: "nonsense" });
      const first = [(await send()).status, (await send()).status];
      for (const status of first) expect(status, path).toBeGreaterThanOrEqual(400);
      for (const status of first) expect(status, path).toBeLessThan(429);
      const { stream, pulls } = countedBody("{}");
      const third = await service.app.request(path, { method, body: stream, duplex: "half" } as RequestInit);
      expect([path, third.status, pulls()]).toEqual([path, 429, 0]);
    }
  });

  test("a request without a body costs no unit", async () => {
    const service = await start({ RATE_LIMIT_BODIES_IP_PER_MIN: "1" });
    const client = service.client();
    for (let asked = 0; asked < 5; asked += 1) expect((await client("/me")).status).toBe(200);
    expect((await client("/conversations", { method: "POST" })).status).toBe(201);
    expect((await client.send("POST", "/conversations", {})).status).toBe(201);
    expect((await client.send("POST", "/conversations", {})).status).toBe(429);
  });

  test("an invalid body is refused before the limit of messages is charged", async () => {
    const service = await start({ RATE_LIMIT_CHAT_PER_MIN: "1" });
    const client = service.client({ "X-User-Id": "orderly" });
    const left = async () => (await (await client("/me")).json()).quota[0].remaining;
    expect((await client("/chat/message", { method: "POST", body: "{" })).status).toBe(400);
    expect(await left()).toBe(1);
    expect((await client.ask("take-home on £45,000")).response.status).toBe(200);
    expect(await left()).toBe(0);
    // An invalid body still gets a 400 after the limit of messages is reached.
    expect((await client("/chat/message", { method: "POST", body: "{" })).status).toBe(400);
    expect((await client.ask("take-home on £45,000")).response.status).toBe(429);
  });

  test("the default limit admits as many bodies as the message limit of an address", async () => {
    const service = await start({ RATE_LIMIT_BODIES_IP_PER_MIN: "", RATE_LIMIT_CHAT_IP_PER_MIN: "1" });
    const statuses: number[] = [];
    for (let sent = 0; sent < 121; sent += 1) statuses.push((await post(service, "/chat/title", "[")).status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(120);
    expect(statuses.at(-1)).toBe(429);
  });
});

describe("checking a body", () => {
  test.each<[string, string, number]>([
    ["349,000 empty parts", `{"messages":[{"role":"user","parts":[${"{},".repeat(348_000)}{}]}]}`, 8],
    ["half a million brackets", "[".repeat(500_000), 2],
    ["one very long text", `{"messages":[{"role":"user","content":"${"x".repeat(1_000_000)}"}]}`, 10],
  ])("%s is read only up to the limit", async (_case, body, mostPulls) => {
    const service = await start({});
    const { stream, pulls } = countedBody(body);
    expect((await post(service, "/chat/message", stream)).status).toBe(400);
    expect(pulls()).toBeLessThanOrEqual(mostPulls);
  });

  test("a checked value is visited a bounded number of times", () => {
    let visits = 0;
    const counted = (value: unknown): unknown =>
      typeof value !== "object" || value === null
        ? value
        : new Proxy(value, {
            get(target, name, receiver) {
              visits += 1;
              return counted(Reflect.get(target, name, receiver));
            },
          });
    // The largest number of parts within the limit of nodes.
    const parts = Array.from({ length: 19_000 }, () => ({}));
    const result = messageRequest.safeParse(counted({ messages: [{ role: "user", parts }] }));
    expect(result.success).toBe(false);
    expect(visits).toBeLessThan(200_000);
  });
});

describe("a response before the end of a body", () => {
  /** Sends the text over a connection that stays open, and returns the responses' beginnings so far. */
  async function heads(service: TestService, text: string, enough: RegExp): Promise<string> {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    let received = "";
    socket.on("data", (data) => (received += data));
    socket.write(text);
    await vi.waitFor(() => expect(received).toMatch(enough));
    socket.destroy();
    return received;
  }
  const post = (path: string, fields: string) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;

  test.each<[string, string, number]>([
    ["a stated length beyond the limit", post("/chat/message", "Content-Length: 9000000\r\n"), 413],
    [
      "a body that is too deep",
      `${post("/chat/message", "Content-Length: 90000\r\n")}${"[".repeat(99)}`,
      400,
    ],
    ["a page that does not exist", post("/nothing", "Content-Length: 9\r\n"), 404],
    ["another site", post("/chat/stop", "Content-Length: 9\r\nOrigin: https://evil.example\r\n"), 403],
    ["an unknown host", "POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\n\r\n", 421],
  ])("closes the connection, with the header Connection: close: %s", async (_case, request, status) => {
    const head = await heads(await start({}), request, /\r\n\r\n/);
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toMatch(/\r\nconnection: close\r\n/i);
  });

  test("a body in chunks, which states no length, is counted and read up to the limit of bytes", async () => {
    const service = await start({ RATE_LIMIT_BODIES_IP_PER_MIN: "1", MAX_BODY_BYTES: "1024" });
    const head = post("/chat/message", "Transfer-Encoding: chunked\r\n");
    const sent = `${head}800\r\n{"messages":"${"x".repeat(2_048 - 13)}\r\n`;
    expect(await heads(service, sent, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 413 /);
    expect(await heads(service, head, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 429 /);
  });

  test("after a whole body, the connection stays open", async () => {
    const head = await heads(await start({}), `${post("/chat/stop", "Content-Length: 1\r\n")}{`, /\r\n\r\n/);
    expect(head).toMatch(/ 400 .*\r\nconnection: keep-alive\r\n/is);
  });

  test("a client that sends Expect: 100-continue may send a counted body, but not a refused body", async () => {
    const service = await start({ RATE_LIMIT_BODIES_IP_PER_MIN: "1" });
    const asking = post("/chat/stop", "Expect: 100-continue\r\nContent-Length: 1\r\n");
    expect(await heads(service, asking, /\r\n\r\n/)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(await heads(service, asking, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 429 /);
  });
});

test("a client that disconnects while sending a body is not reported as a database failure", async () => {
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
  const service = await startTestService({ database, log });
  started.push(service);
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  socket.write('POST /chat/message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"messages":[');
  // After this response, the service has begun to read the first request.
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
  socket.destroy();
  const left = await vi.waitFor(() => {
    const line = lines.find((text) => text.includes("/chat/message"));
    expect(line).toBeDefined();
    return JSON.parse(line ?? "");
  });
  expect(left).toMatchObject({ level: 30, status: 499, msg: "request" });
  expect(lines.filter((line) => /"level":(50|60)|stack/.test(line))).toEqual([]);
});
