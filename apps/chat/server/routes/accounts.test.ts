import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestClient, type TestService } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

vi.setConfig({ testTimeout: 60_000 });

let database: OpenDatabase;
let service: TestService;

beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);

afterAll(() => database.close());

beforeEach(async () => {
  service = await startTestService({
    database,
    env: { MODEL_PRICE_INPUT_PER_MTOK: "1", MODEL_PRICE_OUTPUT_PER_MTOK: "4" },
  });
});

afterEach(() => service.close());

const PASSWORD = "correct horse battery";

function signUp(client: TestClient, email: string, password = PASSWORD): Promise<Response> {
  return client.send("POST", "/auth/sign-up/email", { email, password, name: "Ada" });
}

function signIn(client: TestClient, email: string, password = PASSWORD): Promise<Response> {
  return client.send("POST", "/auth/sign-in/email", { email, password });
}

async function kindOf(client: TestClient): Promise<string> {
  return (await (await client("/me")).json()).caller.kind;
}

test("a person signs up, out and in again", async () => {
  const client = service.client();
  const signedUp = await signUp(client, "Ada@Example.com");
  expect(signedUp.status).toBe(200);
  const cookie = signedUp.headers.getSetCookie().find((text) => text.startsWith("headgate.session_token="));
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Lax/);
  const me = await (await client("/me")).json();
  expect(me.caller).toEqual({
    kind: "account",
    id: expect.any(String),
    email: "ada@example.com",
    name: "Ada",
    emailVerified: false,
  });
  expect(me.credit).toEqual({
    currency: "GBP",
    balance: 1_000_000,
    held: 0,
    monthlyAllowance: 1_000_000,
    renewsAt: "2026-12-01T00:00:00.000Z",
  });

  expect((await client.send("POST", "/auth/sign-out", {})).status).toBe(200);
  expect(await kindOf(client)).toBe("anonymous");
  expect((await signIn(client, "ada@example.com")).status).toBe(200);
  expect(await kindOf(client)).toBe("account");
});

test("a signed-out session is invalid, even with its old cookie", async () => {
  const client = service.client();
  await signUp(client, "leaving@example.com");
  const kept = client.cookies.get("headgate.session_token") ?? "";
  await client.send("POST", "/auth/sign-out", {});
  client.cookies.set("headgate.session_token", kept);
  expect(await kindOf(client)).toBe("anonymous");
});

test.each(["", "x", "abc.def", "%00", "a".repeat(2_000)])(
  "an invented session %j is invalid",
  async (token) => {
    const client = service.client();
    client.cookies.set("headgate.session_token", token);
    expect(await kindOf(client)).toBe("anonymous");
  },
);

test("a failure is a problem document that also has better-auth's code and message", async () => {
  const client = service.client();
  await signUp(client, "taken@example.com");
  const tries: [Promise<Response>, number, string][] = [
    [signIn(service.client(), "taken@example.com", "wrong password"), 401, "INVALID_EMAIL_OR_PASSWORD"],
    [signIn(service.client(), "nobody@example.com"), 401, "INVALID_EMAIL_OR_PASSWORD"],
    [signUp(service.client(), "brief@example.com", "gh7-x"), 400, "PASSWORD_TOO_SHORT"],
    [signUp(service.client(), "taken@example.com"), 422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"],
  ];
  for (const [sent, status, code] of tries) {
    const response = await sent;
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    const problem = await response.json();
    expect(problem).toMatchObject({ status, code, error: code.toLowerCase(), message: problem.detail });
    expect(response.status).toBe(status);
  }
});

test.each([
  "{",
  "[]",
  '{"email":7}',
  '{"email":"a@b.c","password":"\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000","name":"x"}',
])("a body of %j gets a 4xx, not a 500", async (body) => {
  const response = await service.client()("/auth/sign-up/email", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
  });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  expect(await response.json()).toMatchObject({ status: response.status, detail: expect.any(String) });
});

test.each([
  "/auth/ok",
  "/auth/error",
  "/auth/delete-user",
  "/auth/request-password-reset",
  "/auth/sign-in/social",
  "/auth/update-user",
  "/auth/change-email",
  "/auth/list-sessions",
  "/auth/revoke-sessions",
])("better-auth's route %s does not exist", async (path) => {
  expect((await service.client().send("POST", path, {})).status).toBe(404);
  expect((await service.client()(path)).status).toBe(404);
});

test("attempts to sign in are limited by address, and other routes are not", async () => {
  const strict = await startTestService({ database, env: { RATE_LIMIT_SIGN_IN_IP_PER_MIN: "3" } });
  const guesser = strict.client();
  const tried: Response[] = [];
  for (let guess = 0; guess < 4; guess += 1)
    tried.push(await signIn(guesser, "ada@example.com", `guess ${guess}`));
  expect(tried.map(({ status }) => status)).toEqual([401, 401, 401, 429]);
  expect(tried[3]?.headers.get("Retry-After")).toBe("60");
  expect(await tried[3]?.json()).toMatchObject({
    error: "Too many requests",
    retry_after_seconds: 60,
    "violated-policies": ["sign-in-ip-per-minute"],
    request_id: expect.any(String),
  });
  expect((await guesser("/auth/get-session")).status).toBe(200);
  expect((await guesser.ask("hello")).response.status).toBe(200);
  strict.clock.advance(60_000);
  expect((await signIn(guesser, "ada@example.com", "guess 5")).status).toBe(401);
  await strict.close();
});

test("a browser's history moves to the account at sign-up and at sign-in", async () => {
  const browser = service.client();
  const before = (await browser.ask("take-home on £45,000")).conversationId;
  await signUp(browser, "keeper@example.com");
  const idsOf = async (client: TestClient) =>
    (await (await client("/conversations")).json()).conversations.map((found: { id: string }) => found.id);
  expect(await idsOf(browser)).toEqual([before]);

  await browser.send("POST", "/auth/sign-out", {});
  expect(await idsOf(browser)).toEqual([]);
  const between = (await browser.ask("take-home on £50,000")).conversationId;
  await signIn(browser, "keeper@example.com");
  expect((await idsOf(browser)).sort()).toEqual([before, between].sort());

  const elsewhere = service.client();
  await signIn(elsewhere, "keeper@example.com");
  expect((await idsOf(elsewhere)).sort()).toEqual([before, between].sort());
});

describe("cross-site requests", () => {
  const host = () => new URL(service.url).host;

  test.each<[string, () => Record<string, string>, number]>([
    ["another origin", () => ({ Origin: "https://evil.example" }), 403],
    ["an opaque origin", () => ({ Origin: "null" }), 403],
    ["another port of this host", () => ({ Origin: "http://localhost:1" }), 403],
    ["another site, by its metadata", () => ({ "Sec-Fetch-Site": "cross-site" }), 403],
    ["a sister site", () => ({ "Sec-Fetch-Site": "same-site", Origin: `http://${host()}` }), 403],
    ["the page itself", () => ({ "Sec-Fetch-Site": "same-origin", Origin: "https://behind.a.proxy" }), 201],
    ["the page itself, on a plain LAN address", () => ({ Origin: `http://${host()}` }), 201],
    ["the page itself, over TLS that a proxy ends", () => ({ Origin: `https://${host()}` }), 201],
    ["a program", () => ({}), 201],
  ])("from %s", async (_from, headers, status) => {
    const response = await service.client().send("POST", "/conversations", {}, headers());
    expect(response.status).toBe(status);
  });

  test("are refused for every route that changes something", async () => {
    const client = service.client({ Origin: "https://evil.example" });
    const routes = new Set(
      service.app.routes
        .filter(({ method }) => !["GET", "ALL"].includes(method))
        .map(({ method, path }) => `${method} ${path.replace(/:\w+/, crypto.randomUUID())}`),
    );
    expect(new Set([...routes].map((route) => route.split(" ")[0]))).toEqual(
      new Set(["POST", "PATCH", "DELETE"]),
    );
    for (const route of [...routes, "PUT /conversations"]) {
      const [method = "", path = ""] = route.split(" ");
      const withBody = await client.send(method, path, {});
      const without = await client(path, { method });
      expect([route, withBody.status, without.status]).toEqual([route, 403, 403]);
    }
    expect((await client("/me")).status).toBe(200);
  });

  test("are accepted from the origin of PUBLIC_URL", async () => {
    const token = "an operator's token, which is long enough";
    const proxied = await startTestService({
      database,
      env: { PUBLIC_URL: "https://chat.example.com", OPERATOR_TOKEN: token },
    });
    const client = proxied.client({ Origin: "https://chat.example.com" });
    const response = await signUp(client, "proxied@example.com");
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie()[0]).toMatch(/^__Secure-headgate\.session_token=.*; Secure/);
    expect(response.headers.get("Strict-Transport-Security")).toMatch(/max-age=/);
    const visitor = await proxied.client().send("POST", "/conversations", {});
    expect(visitor.headers.getSetCookie()).toEqual([expect.stringMatching(/^headgate_visitor=.*; Secure/)]);
    const operator = await client.send("POST", "/operator/api/sign-in", { token, name: "Ann" });
    expect(operator.headers.getSetCookie()).toEqual([expect.stringMatching(/^headgate_operator=.*; Secure/)]);
    expect(await kindOf(client)).toBe("account");
    await proxied.close();
  });
});

test("the secret is generated once and stored, so sessions survive a restart", async () => {
  const client = service.client();
  await signUp(client, "patient@example.com");
  const successor = await startTestService({ database });
  const returned = successor.client();
  returned.cookies.set("headgate.session_token", client.cookies.get("headgate.session_token") ?? "");
  expect(await kindOf(returned)).toBe("account");
  await successor.close();

  const changed = await startTestService({
    database,
    env: { AUTH_SECRET: "another secret, also long enough" },
  });
  const stranger = changed.client();
  stranger.cookies.set("headgate.session_token", client.cookies.get("headgate.session_token") ?? "");
  expect(await kindOf(stranger)).toBe("anonymous");
  await changed.close();
});
