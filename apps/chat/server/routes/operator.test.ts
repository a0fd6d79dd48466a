import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestClient, type TestService, until } from "../../testing/service.ts";
import type { Environment } from "../config/variables.ts";
import type { OpenDatabase } from "../database/connect.ts";

vi.setConfig({ testTimeout: 60_000 });

const TOKEN = "a token of at least 32 characters";

let database: OpenDatabase;
let postgres: PostgresServer | undefined;
const services: TestService[] = [];
beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);
afterAll(async () => {
  await database.close();
  await postgres?.remove();
});
afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
});

async function start(env: Environment): Promise<TestService> {
  const hasOwnDatabase = env.DATABASE_URL !== undefined;
  const service = await startTestService({ ...(hasOwnDatabase ? {} : { database }), env });
  services.push(service);
  return service;
}

/** Signs in an operator's browser. */
async function operatorOf({ client, url }: TestService, name = "Ann"): Promise<TestClient> {
  const operator = client({ Origin: new URL(url).origin });
  const response = await operator.send("POST", "/operator/api/sign-in", { token: TOKEN, name });
  expect(response.status).toBe(200);
  return operator;
}

const read = async (client: TestClient, path: string) => (await client(`/operator/api/${path}`)).json();
const newUser = () => `u-${crypto.randomUUID().slice(0, 8)}`;

describe("/operator", () => {
  test("does not exist without a token or operators' addresses", async () => {
    const { client } = await start({});
    for (const path of ["/operator", "/operator/", "/operator/api/session", "/operator/api/now"])
      expect((await client()(path)).status, path).toBe(404);
  });

  test("shows nothing to other people, and does nothing for them", async () => {
    const { client, url } = await start({ OPERATOR_TOKEN: TOKEN });
    const anybody = client({ Origin: new URL(url).origin });
    expect((await anybody("/operator")).status).toBe(200);
    for (const path of ["now", "changes", "find?q=ip:203.0.113.7", "export"])
      expect((await anybody(`/operator/api/${path}`)).status, path).toBe(401);
    const block = { what: "block", of: "ip:127.0.0.1" };
    expect((await anybody.send("POST", "/operator/api/decide", block)).status).toBe(401);
    expect((await anybody.ask("hello")).response.status).toBe(200);
  });

  test("finds a refusal by its request id, and can lift the caller's limit", async () => {
    const service = await start({ OPERATOR_TOKEN: TOKEN, RATE_LIMIT_CHAT_PER_MIN: "1" });
    const user = newUser();
    const person = service.client({ "X-User-Id": user });
    await person.ask("hello");
    const { problem, response } = await person.ask("hello");
    expect([response.status, problem.request_id]).toEqual([429, response.headers.get("X-Request-Id")]);

    const operator = await operatorOf(service);
    expect(await read(operator, `find?q=${problem.request_id}`)).toMatchObject({
      refusal: { of: `user:${user}`, limit: "user-per-minute", quota: 1, waitMs: 60_000 },
      caller: { of: `user:${user}`, standing: { blocked: false } },
    });
    const order = {
      what: "override",
      of: `user:${user}`,
      limits: "30/minute",
      forMs: 86_400_000,
      reason: "a demo",
    };
    expect((await operator.send("POST", "/operator/api/decide", order)).status).toBe(200);
    expect((await person.ask("hello")).response.status).toBe(200);
    const { inForce, log } = await read(operator, "changes");
    const entry = {
      what: "override",
      of: `user:${user}`,
      limits: "30/minute",
      reason: "a demo",
      by: "Ann (token)",
    };
    expect(inForce[0]).toMatchObject(entry);
    expect(log[0]).toMatchObject(entry);
  });

  test("adds the id to a blocked caller's problem too, and shows who blocked the caller", async () => {
    const service = await start({ OPERATOR_TOKEN: TOKEN });
    const user = newUser();
    const operator = await operatorOf(service, "");
    await operator.send("POST", "/operator/api/decide", {
      what: "block",
      of: `user:${user}`,
      reason: "a script",
    });
    const { problem, response } = await service.client({ "X-User-Id": user }).ask("hello");
    expect([response.status, problem.request_id]).toEqual([403, response.headers.get("X-Request-Id")]);
    expect(await read(operator, `find?q=${problem.request_id}`)).toMatchObject({
      refusal: { reason: "blocked", waitMs: null, override: { reason: "a script", by: "token" } },
      caller: { standing: { blocked: true } },
    });
  });

  test("grants credit and issues codes, and logs the operator", async () => {
    const service = await start({ OPERATOR_TOKEN: TOKEN, CREDIT_MONTHLY_ALLOWANCE: "0" });
    const person = service.client();
    const email = `${newUser()}@example.com`;
    await person.send("POST", "/auth/sign-up/email", {
      email,
      password: "correct horse battery",
      name: "Ann",
    });
    const operator = await operatorOf(service);
    const granted = await operator.send("POST", "/operator/api/grant", {
      of: email,
      amount: "2.50",
      id: "a-grant-of-this-test",
    });
    expect(await granted.json()).toEqual({ said: `${email} has 2.50 GBP now.` });
    const { code } = await (
      await operator.send("POST", "/operator/api/code", { amount: "5", days: 7 })
    ).json();
    const redeemed = await person.send("POST", "/account/credit/codes", { code });
    expect([redeemed.status, (await redeemed.json()).balance]).toEqual([200, 7_500_000]);
    const { log, inForce } = await read(operator, "changes");
    expect(log.slice(0, 2)).toMatchObject([
      { what: "code", limits: "5.00 GBP", by: "Ann (token)" },
      { what: "grant", of: email, limits: "2.50 GBP", by: "Ann (token)" },
    ]);
    expect(JSON.stringify(log)).not.toContain(code);
    expect(inForce.some(({ what }: { what: string }) => what === "grant" || what === "code")).toBe(false);
    for (const amount of ["-1", "0", "much"])
      expect((await operator.send("POST", "/operator/api/grant", { of: email, amount })).status).toBe(422);
  });

  test("finds an account by the key of its limits", async () => {
    const service = await start({ OPERATOR_TOKEN: TOKEN });
    const person = service.client();
    const email = `${newUser()}@example.com`;
    await person.send("POST", "/auth/sign-up/email", {
      email,
      password: "correct horse battery",
      name: "Ann",
    });
    const operator = await operatorOf(service);
    const { caller } = await (await person("/me")).json();
    await operator.send("POST", "/operator/api/decide", { what: "block", of: `account:${caller.id}` });
    expect((await person.ask("hello")).response.status).toBe(403);
    expect(await read(operator, `find?q=${email}`)).toMatchObject({
      caller: { standing: { blocked: true } },
    });
    await operator.send("POST", "/operator/api/decide", { what: "end", of: email });
    expect((await person.ask("hello")).response.status).toBe(200);
    expect(
      (await operator.send("POST", "/operator/api/decide", { what: "block", of: "ip:nowhere" })).status,
    ).toBe(422);
  });
});

describe("OPERATOR_EMAILS", () => {
  const password = "correct horse battery";

  test("do not open it for somebody who has only signed up, because the address is not confirmed", async () => {
    const early = await start({});
    const email = `${newUser()}@example.com`;
    const before = await early.client().send("POST", "/auth/sign-up/email", { email, password, name: "Eve" });
    expect(before.status).toBe(200);
    await early.close();

    const service = await start({ OPERATOR_EMAILS: `ops@example.com, ${email.toUpperCase()}` });
    const eve = service.client({ Origin: new URL(service.url).origin });
    expect((await eve.send("POST", "/auth/sign-in/email", { email, password })).status).toBe(200);
    expect((await eve("/operator/api/now")).status).toBe(401);
    const more = await eve.send("POST", "/auth/sign-up/email", {
      email: "Ops@Example.com",
      password,
      name: "Eve",
    });
    expect([more.status, (await more.json()).code]).toEqual([403, "SIGN_UP_CLOSED"]);
    expect(await read(eve, "session")).toMatchObject({ operator: null, asksForToken: false });
  });

  test("open it for the owner of a confirmed address, and show the owner's name", async () => {
    const email = `${newUser()}@example.com`;
    const early = await start({});
    const { user } = await (
      await early.client().send("POST", "/auth/sign-up/email", { email, password, name: "Ann" })
    ).json();
    await early.close();
    const service = await start({ OPERATOR_EMAILS: email });
    const { eq } = await import("drizzle-orm");
    const { user: users } = await import("../database/schema.ts");
    await service.database.update(users).set({ emailVerified: true }).where(eq(users.id, user.id));
    const ann = service.client({ Origin: new URL(service.url).origin });
    await ann.send("POST", "/auth/sign-in/email", { email, password });
    expect(await read(ann, "session")).toMatchObject({ operator: { name: email } });
    expect((await ann("/operator/api/now")).status).toBe(200);
    await ann.send("POST", "/auth/sign-out", {});
    expect((await ann("/operator/api/now")).status).toBe(401);
  });
});

test("one console shows both processes of a shared PostgreSQL, and a change in one applies in the other within a second", async () => {
  postgres = await startPostgres();
  const env = {
    OPERATOR_TOKEN: TOKEN,
    DATABASE_URL: postgres.url,
    RATE_LIMIT_STORAGE_URI: postgres.url,
    RATE_LIMIT_CHAT_PER_MIN: "2",
  };
  const [one, other] = [await start(env), await start(env)] as const;
  const user = newUser();
  const here = one.client({ "X-User-Id": user });
  const there = other.client({ "X-User-Id": user });
  await here.ask("hello");
  await there.ask("hello");
  const { response, problem } = await there.ask("hello");
  expect(response.status).toBe(429);

  const operator = await operatorOf(one);
  // The counts of the other process arrive with its next summary.
  const found = await until(async () => {
    const answer = await read(operator, `find?q=${problem.request_id}`);
    return answer.refusal !== null && answer;
  });
  expect(found.refusal).toMatchObject({ of: `user:${user}`, limit: "user-per-minute" });
  const { processes, series } = await read(operator, "now");
  expect(processes.map(({ state }: { state: string }) => state).sort()).toEqual(["live", "own"]);
  expect(processes.every(({ ageMs }: { ageMs: number }) => ageMs < 10_000)).toBe(true);
  const of = (kind: string) =>
    series
      .filter(({ key }: { key: string[] }) => key[0] === "chat" && key[1] === kind)
      .flatMap(({ counts }: { counts: number[] }) => counts)
      .reduce((sum: number, count: number) => sum + count, 0);
  expect([of("admitted") + of("near"), of("refused")]).toEqual([2, 1]);

  const order = { what: "override", of: `user:${user}`, limits: "30/minute", forMs: 3_600_000 };
  expect((await operator.send("POST", "/operator/api/decide", order)).status).toBe(200);
  // A process refuses from memory for at most a second after the store refused.
  await other.clock.advance(1_000);
  expect((await there.ask("hello")).response.status).toBe(200);

  await other.close();
  services.splice(services.indexOf(other), 1);
  const after = await read(operator, `find?q=${problem.request_id}`);
  expect(after.refusal, "the counts of an ended process stay for an hour").not.toBeNull();
}, 120_000);
