import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { brotliCompressSync } from "node:zlib";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS } from "../testing/database.ts";
import { startTestService, type TestClient, type TestService } from "../testing/service.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

const logged: string[] = [];
let webRoot: string;
let service: TestService;
let client: TestClient;

beforeAll(async () => {
  webRoot = path.join(mkdtempSync(path.join(tmpdir(), "headgate-page-")), "page");
  mkdirSync(path.join(webRoot, "assets"), { recursive: true });
  writeFileSync(path.join(webRoot, "index.html"), "<!doctype html><title>Headgate</title>");
  writeFileSync(path.join(webRoot, "theme.js"), "// theme");
  writeFileSync(path.join(webRoot, "assets", "index-abc123.js"), `// ${"script ".repeat(1_000)}`);
  writeFileSync(path.join(webRoot, "assets", "index-abc123.css"), "body { color: red }");
  writeFileSync(
    path.join(webRoot, "assets", "index-abc123.css.br"),
    brotliCompressSync("body { color: red }"),
  );
  writeFileSync(path.join(path.dirname(webRoot), "headgate-outside.txt"), "outside");
  const log = pino({ level: "trace" }, { write: (line) => void logged.push(line) });
  service = await startTestService({ webRoot, log });
  client = service.client();
});

afterAll(async () => {
  await service.close();
  rmSync(path.dirname(webRoot), { recursive: true });
});

describe("status", () => {
  test("/health, /ready and /version report the state and the version of the service", async () => {
    expect(await (await client("/health")).json()).toEqual({ status: "ok" });
    expect(await (await client("/ready")).json()).toEqual({
      status: "ready",
      database: "ok",
      stores: {
        chat: { name: "memory", state: "ok" },
        "sign-in": { name: "memory", state: "ok" },
        provider: { name: "memory", state: "ok" },
        bodies: { name: "memory", state: "ok" },
        searches: { name: "memory", state: "ok" },
        reads: { name: "memory", state: "ok" },
      },
    });
    expect(await (await client("/version")).json()).toEqual({
      service: { name: "@headgate/chat", version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      library: { name: "headgate", version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      model: { name: "Headgate built-in", builtIn: true },
      taxYears: ["2024/25", "2025/26", "2026/27"],
    });
  });

  test("/me returns the caller and what is left, without spending anything", async () => {
    const me = await (await client("/me")).json();
    expect(me).toMatchObject({ caller: { kind: "anonymous" }, credit: null, model: { builtIn: true } });
    expect(me.quota.map(({ name }: { name: string }) => name)).toEqual([
      "user-per-minute",
      "user-per-hour",
      "ip-per-minute",
    ]);
    const named = await (await client("/me", { headers: { "X-User-Id": "abc" } })).json();
    expect(named.caller).toEqual({ kind: "header", id: "abc" });
  });
});

describe("unknown addresses", () => {
  test.each(["/nothing", "/chat", "/assets/missing.js", "/c", "/share", "/%00", "/%zz", "/.env", "//"])(
    "%s is a 404 problem",
    async (address) => {
      const response = await client(`${service.url}${address}`);
      expect(response.status).toBe(404);
      expect(response.headers.get("Content-Type")).toBe("application/problem+json");
      expect(await response.json()).toMatchObject({
        status: 404,
        error: "not_found",
        request_id: expect.any(String),
      });
    },
  );

  test.each([
    ["GET", "/chat/message", "POST"],
    ["PUT", "/conversations", "GET, HEAD, POST"],
    ["POST", "/conversations/1", "DELETE, GET, HEAD, PATCH"],
    ["GET", "/conversations/1/share", "DELETE, POST"],
    ["DELETE", "/health", "GET, HEAD"],
    ["OPTIONS", "/chat/message", "POST"],
    ["POST", "/", "GET, HEAD"],
  ])("%s %s is a 405 with the allowed methods", async (method, address, allow) => {
    const response = await client(address, { method });
    expect([response.status, response.headers.get("Allow")]).toEqual([405, allow]);
    expect(await response.json()).toMatchObject({ error: "method_not_allowed" });
  });
});

test("no value of a route parameter causes a 500", async () => {
  const person = service.client();
  const account = { email: "odd@example.com", password: "correct horse battery", name: "Odd" };
  expect((await person.send("POST", "/auth/sign-up/email", account)).status).toBe(200);
  const routes = service.app.routes.filter(({ method, path }) => method !== "ALL" && path.includes(":"));
  expect(routes.length).toBeGreaterThan(10);
  const failed: string[] = [];
  for (const { method, path } of routes) {
    for (const odd of ["%00", "a%00b", "%FF", "%ED%A0%80", "%2e%2e%2f", "x".repeat(5_000)]) {
      const body = method === "PATCH" ? JSON.stringify({ title: "t" }) : null;
      const { status } = await person(path.replace(/:\w+/, odd), { method, body });
      if (status >= 500) failed.push(`${method} ${path} ${odd}`);
    }
  }
  expect(failed).toEqual([]);
});

describe("the page", () => {
  test.each(["/", "/c/123", "/share/abc", "/sign-in", "/sign-up"])("%s is the page", async (address) => {
    const response = await client(address);
    expect(response.status).toBe(200);
    expect(response.headers.get("Cache-Control")).toBe("no-cache");
    expect(await response.text()).toContain("<title>Headgate</title>");
    expect(response.headers.get("X-Robots-Tag")).toBe(address.startsWith("/share/") ? "noindex" : null);
  });

  test("hashed files are cached for ever, others are revalidated, and both are compressed", async () => {
    const hashed = await client("/assets/index-abc123.js", { headers: { "Accept-Encoding": "gzip" } });
    expect(hashed.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
    expect(hashed.headers.get("Content-Encoding")).toBe("gzip");
    expect(hashed.headers.get("Content-Type")).toMatch(/^text\/javascript/);
    expect(await hashed.text()).toContain("script script");
    expect((await client("/theme.js")).headers.get("Cache-Control")).toBe("no-cache");
  });

  test("a file's Brotli form is sent only to clients that accept it", async () => {
    const taken = await client("/assets/index-abc123.css", {
      headers: { "Accept-Encoding": "gzip, deflate, br" },
    });
    expect(taken.headers.get("Content-Encoding")).toBe("br");
    expect(taken.headers.get("Content-Type")).toMatch(/^text\/css/);
    expect(taken.headers.get("Vary")).toMatch(/accept-encoding/i);
    expect(taken.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
    expect(await taken.text()).toBe("body { color: red }");
    const plain = await client("/assets/index-abc123.css", { headers: { "Accept-Encoding": "identity" } });
    expect(plain.headers.get("Content-Encoding")).toBeNull();
    expect(await plain.text()).toBe("body { color: red }");
  });

  test("an unknown address gets the page, with status 404", async () => {
    const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const response = await client("/nothing/here", { headers: { Accept: accept } });
    expect(response.status).toBe(404);
    expect(response.headers.get("Content-Type")).toMatch(/^text\/html/);
    expect(response.headers.get("Cache-Control")).toBe("no-cache");
    expect(await response.text()).toContain("<title>Headgate</title>");
    const posted = await client("/nothing/here", { method: "POST", headers: { Accept: accept } });
    expect([posted.status, posted.headers.get("Content-Type")]).toEqual([404, "application/problem+json"]);
  });

  test.each([
    "/..%2fheadgate-outside.txt",
    "/assets/..%2f..%2fheadgate-outside.txt",
    "/assets/%2e%2e/%2e%2e/headgate-outside.txt",
  ])("%s does not lead out of its folder", async (address) => {
    expect((await client(`${service.url}${address}`)).status).toBe(404);
  });

  test("that is not built yet is reported, and the API works", async () => {
    const unbuilt = await startTestService({ webRoot: path.join(webRoot, "nowhere") });
    const response = await unbuilt.client()("/");
    expect([response.status, (await response.json()).error]).toEqual([503, "page_not_built"]);
    expect((await unbuilt.client()("/health")).status).toBe(200);
    await unbuilt.close();
  });
});

test("every response has the fields that protect a browser", async () => {
  const responses = [
    await client("/"),
    await client("/me"),
    await client("/nothing"),
    (await client.ask("hi")).response,
  ];
  for (const { headers } of responses) {
    expect(headers.get("Content-Security-Policy")).toMatch(/default-src 'self'; script-src 'self';/);
    expect(headers.get("Content-Security-Policy")).toMatch(/frame-ancestors 'none'/);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Referrer-Policy")).toBe("same-origin");
    expect(headers.get("X-Powered-By")).toBeNull();
  }
  expect((await client("/me")).headers.get("Cache-Control")).toBe("no-store");
});

test("the service generates a request's id, and logs a valid id that the client sent", async () => {
  const idOf = async (id: string) =>
    (await client("/health", { headers: { "X-Request-Id": id } })).headers.get("X-Request-Id");
  logged.length = 0;
  const ids = [await idOf("trace-1.2:3"), await idOf("two words"), await idOf("x".repeat(65))];
  for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  const lines = logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "request");
  expect(lines.map(({ requestId, givenId }) => [requestId, givenId])).toEqual([
    [ids[0], "trace-1.2:3"],
    [ids[1], undefined],
    [ids[2], undefined],
  ]);
});

test("the log has one line for each request, without anything that people wrote", async () => {
  logged.length = 0;
  const secretive = service.client({ "X-User-Id": "private-person", "X-Request-Id": "log-test" });
  const { conversationId } = await secretive.ask("my salary is £43,219 and I like marmalade");
  await secretive(`/conversations/${conversationId}`);
  await secretive.send("POST", "/auth/sign-in/email", {
    email: "who@example.com",
    password: "marmalade sandwich",
  });
  const lines = logged.map((line) => JSON.parse(line));
  const requests = lines.filter(({ msg }) => msg === "request");
  expect(requests).toMatchObject([
    {
      method: "POST",
      route: "/chat/message",
      status: 200,
      caller: "header",
      admitted: true,
      givenId: "log-test",
    },
    { method: "GET", route: "/conversations/:id", status: 200, caller: "header" },
    { method: "POST", route: "/auth/sign-in/email", status: 401 },
  ]);
  expect(requests[0].ms).toEqual(expect.any(Number));
  expect(lines.find(({ msg }) => msg === "answer")).toMatchObject({
    outcome: "whole",
    outputTokens: expect.any(Number),
  });
  const all = logged.join("");
  for (const word of ["marmalade", "43,219", "private-person", "who@example.com", conversationId]) {
    expect(all).not.toContain(word);
  }
});

test("a refusal is logged with the limits that refused", async () => {
  const strict = await startTestService({
    log: pino({ level: "info" }, { write: (line) => void logged.push(line) }),
    env: { RATE_LIMIT_CHAT_PER_MIN: "1" },
  });
  const sender = strict.client();
  await sender.ask("hi");
  logged.length = 0;
  await sender.ask("hi");
  const [line = "{}"] = logged;
  expect(JSON.parse(line)).toMatchObject({ status: 429, admitted: false, refusedBy: ["user-per-minute"] });
  await strict.close();
});

test.each(["text/plain", "text/html"])("a refusal is sent as %s if requested, and logged", async (accept) => {
  const strict = await startTestService({
    log: pino({ level: "info" }, { write: (line) => void logged.push(line) }),
    env: { RATE_LIMIT_CHAT_PER_MIN: "1" },
  });
  const ask = () =>
    strict.app.request("/chat/message", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-User-Id": "reader", Accept: accept },
      body: JSON.stringify({ messages: [{ role: "user", content: "hi" }] }),
    });
  await (await ask()).text();
  logged.length = 0;
  const refused = await ask();
  expect(refused.status).toBe(429);
  expect(refused.headers.get("content-type")).toContain(accept);
  expect(await refused.text()).toContain("Try again in");
  const [line = "{}"] = logged;
  expect(JSON.parse(line)).toMatchObject({ status: 429, refusedBy: ["user-per-minute"] });
  await strict.close();
});

test("an internal error is a 500 without its cause, and is logged", async () => {
  logged.length = 0;
  const { app } = service;
  // Rename a table to cause an error that no client can cause.
  const { sql } = await import("drizzle-orm");
  await service.database.execute(sql`alter table conversations rename to conversations_away`);
  try {
    const response = await app.request("/conversations", { headers: { "X-User-Id": "unlucky-one" } });
    expect(response.status).toBe(500);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ error: "internal_error", request_id: expect.any(String) });
    expect(body).not.toMatch(/select|relation|at \w+ \(/);
    const fault = logged.map((line) => JSON.parse(line)).find(({ msg }) => msg === "request failed");
    expect(fault.error.query).toContain("select");
    expect(logged.join("")).not.toContain("unlucky-one");
  } finally {
    await service.database.execute(sql`alter table conversations_away rename to conversations`);
  }
});
