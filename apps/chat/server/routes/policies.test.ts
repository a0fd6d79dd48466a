import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { eq } from "drizzle-orm";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestClient, type TestService, until } from "../../testing/service.ts";
import { runLimitCommand } from "../commands/limit.ts";
import type { Environment } from "../config/variables.ts";
import type { OpenDatabase } from "../database/connect.ts";
import { creditCodes, creditEntries, policySteps } from "../database/schema.ts";
import type { ServiceOptions } from "../start.ts";

vi.setConfig({ testTimeout: 60_000 });

const TOKEN = "a token of at least 32 characters";
const LIMITS = {
  OPERATOR_TOKEN: TOKEN,
  RATE_LIMIT_CHAT_PER_MIN: "2",
  RATE_LIMIT_CHAT_PER_HOUR: "60",
  RATE_LIMIT_CHAT_CONCURRENT: "2",
};

let database: OpenDatabase;
let folder: string;
const services: TestService[] = [];
beforeAll(async () => {
  database = await openTestDatabase();
  folder = mkdtempSync(path.join(tmpdir(), "headgate-policies-"));
}, DATABASE_START_MS);
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
  await database.database.delete(policySteps);
});

async function start(env: Environment = {}, more: Partial<ServiceOptions> = {}): Promise<TestService> {
  const hasOwnDatabase = env.DATABASE_URL !== undefined;
  const service = await startTestService({
    ...(hasOwnDatabase ? {} : { database }),
    env: { ...LIMITS, ...env },
    ...more,
  });
  services.push(service);
  return service;
}

async function stop(service: TestService): Promise<void> {
  services.splice(services.indexOf(service), 1);
  await service.close();
}

/** Signs in an operator's browser. */
async function operatorOf({ client, url }: TestService, name = "Ann"): Promise<TestClient> {
  const operator = client({ Origin: new URL(url).origin });
  await operator.send("POST", "/operator/api/sign-in", { token: TOKEN, name });
  return operator;
}

const read = async (client: TestClient, place: string) => (await client(`/operator/api/${place}`)).json();
async function chatOf(operator: TestClient) {
  const { limiters } = await read(operator, "policies");
  return limiters.find(({ limiter }: { limiter: string }) => limiter === "chat");
}
const textOf = (perMinute: number) =>
  JSON.stringify({
    layers: [
      { name: "user", limits: `${perMinute}/minute; 60/hour; 2 concurrent` },
      { name: "ip", limits: "10000/minute" },
    ],
  });
const change = (operator: TestClient, what: string, order: object) =>
  operator.send("POST", `/operator/api/policy/${what}`, { limiter: "chat", ...order });
const newUser = () => `u-${crypto.randomUUID().slice(0, 8)}`;

describe("a policy set at run time", () => {
  test("takes precedence over the environment, survives a restart, and keeps counts", async () => {
    const first = await start();
    const operator = await operatorOf(first);
    const user = newUser();
    const person = first.client({ "X-User-Id": user });
    for (let n = 0; n < 2; n += 1) await person.ask("hello");
    expect((await person.ask("hello")).response.status).toBe(429);

    const { hash: from } = await chatOf(operator);
    const made = await change(operator, "live", { from, text: textOf(3), reason: "more for all" });
    expect(made.status).toBe(200);
    const statuses = [await person.ask("hello"), await person.ask("hello")];
    expect(statuses.map(({ response }) => response.status)).toEqual([200, 429]);
    const { hash } = await chatOf(operator);
    await stop(first);

    // Another value in the environment has no effect.
    const second = await start({ RATE_LIMIT_CHAT_PER_MIN: "1" });
    const another = second.client({ "X-User-Id": newUser() });
    for (let n = 0; n < 3; n += 1) expect((await another.ask("hello")).response.status).toBe(200);
    expect((await another.ask("hello")).response.status).toBe(429);
    const again = await operatorOf(second, "Ben");
    expect(await chatOf(again)).toMatchObject({ hash, set: { by: "Ann (token)", reason: "more for all" } });
    expect((await change(again, "roll-back", { from: hash, reason: "too many" })).status).toBe(200);
    expect(await chatOf(again)).toMatchObject({ set: null });
    expect((await another.ask("hello")).response.status).toBe(429);
    await second.clock.advance(60_000);
    expect((await another.ask("hello")).response.status).toBe(200);
    expect((await another.ask("hello")).response.status).toBe(429);
    const { log } = await read(again, "changes");
    expect(log.slice(0, 3)).toMatchObject([
      { what: "setting", of: "RATE_LIMIT_CHAT_PER_MIN" },
      { what: "roll-back", of: "chat", before: hash, reason: "too many", by: "Ben (token)" },
      { what: "live", of: "chat", before: from, after: hash, reason: "more for all", by: "Ann (token)" },
    ]);
  });

  test("may use only the service's units and keys, and cannot change the console's own limiter", async () => {
    const operator = await operatorOf(await start());
    const { hash: from } = await chatOf(operator);
    for (const [text, message] of [
      ['{ "layers": [{ "name": "user", "limits": "5 words/minute" }] }', /No request uses words/],
      ['{ "layers": [{ "name": "org", "limits": "5/minute" }] }', /keys has "user", "ip", "global"/],
    ] as const) {
      const response = await change(operator, "live", { from, text, reason: "x" });
      expect([response.status, (await response.json()).detail]).toEqual([
        422,
        expect.stringMatching(message),
      ]);
    }
    const guard = await change(operator, "live", {
      limiter: "operator",
      from,
      text: '{ "layers": [{ "name": "operator-ip", "limits": "unlimited" }] }',
      reason: "x",
    });
    expect((await guard.json()).detail).toMatch(/operator cannot be changed here/);
    const bodies = (await read(operator, "policies")).limiters.find(
      ({ limiter }: { limiter: string }) => limiter === "bodies",
    );
    const changed = await change(operator, "live", {
      limiter: "bodies",
      from: bodies.hash,
      text: '{ "layers": [{ "name": "bodies-ip", "limits": "9000/minute" }] }',
      reason: "x",
    });
    expect(changed.status).toBe(200);
  });

  test("takes precedence over the plans file, whose changes are logged once for all processes", async () => {
    const file = path.join(folder, "plans.json");
    const write = (limits: string) =>
      writeFileSync(file, JSON.stringify({ default: "free", plans: { free: { limits }, pro: {} } }));
    write("2/minute");
    const lines: string[] = [];
    const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
    const env = { PLANS_FILE: file };
    const service = await start(env, { log });
    await start(env);
    const operator = await operatorOf(service);
    const { hash: from } = await chatOf(operator);
    const text = '{ "layers": [{ "name": "user", "plans": { "free": "3/minute" }, "defaultPlan": "free" }] }';
    const checked = await (await change(operator, "check", { text })).json();
    expect(checked.check.warnings).toEqual([
      expect.stringContaining('"ip" is in force but not in this policy'),
      expect.stringContaining('no plan "pro"'),
    ]);
    expect((await change(operator, "live", { from, text, reason: "x" })).status).toBe(200);
    const { hash } = await chatOf(operator);
    write("4/minute");
    const logged = () =>
      read(operator, "changes").then(({ log }) =>
        log.filter(({ what }: { what: string }) => what === "plans"),
      );
    const changes = await until(async () => {
      const found = await logged();
      return found.length > 1 && found;
    });
    expect(changes).toMatchObject([
      { what: "plans", of: "PLANS_FILE", before: changes[1].after, reason: "plans free, pro" },
      { what: "plans", before: null },
    ]);
    await until(async () => lines.some((line) => line.includes("an operator's policy replaces them")));
    expect((await chatOf(operator)).hash).toBe(hash);
    await change(operator, "roll-back", { from: hash, reason: "x" });
    expect(JSON.stringify((await chatOf(operator)).layers)).toContain("4/minute");
    // The other process read the same file, and logged no second change.
    expect(await logged()).toHaveLength(2);
  });
});

describe("trying a policy on the decision log", () => {
  test("reports what would have changed", async () => {
    const where = path.join(folder, "decisions");
    const service = await start({ DECISION_LOG: where });
    const operator = await operatorOf(service);
    expect((await read(operator, "policies")).canReplay).toBe(true);
    const early = await change(operator, "replay", { text: textOf(1) });
    expect([early.status, (await early.json()).detail]).toEqual([
      422,
      expect.stringMatching(/has no decisions in this log/),
    ]);
    const person = service.client({ "X-User-Id": newUser() });
    for (let n = 0; n < 3; n += 1) await person.ask("hello");
    const response = await change(operator, "replay", { text: textOf(1), lastMs: 3_600_000 });
    expect([response.status, await response.json()]).toMatchObject([
      200,
      {
        decisions: 3,
        callers: 1,
        logged: { admitted: { decisions: 2 }, refused: { decisions: 1 } },
        newlyRefused: { decisions: 1, callers: 1 },
        newlyAdmitted: { decisions: 0 },
        byLimit: [{ limit: "user-per-minute", refused: 2, newlyRefused: 1 }],
        waits: { median: 60_000 },
      },
    ]);
    await service.clock.advance(7_200_000);
    const late = await change(operator, "replay", { text: textOf(1), lastMs: 3_600_000 });
    expect((await late.json()).detail).toBe("No decision of chat is as recent as that.");
    const unknown = await change(operator, "replay", {
      text: '{ "layers": [{ "name": "global", "limits": "5/minute" }] }',
    });
    expect((await unknown.json()).detail).toMatch(/callers only for "user", "ip"/);
  });

  test("is not offered without a log", async () => {
    const operator = await operatorOf(await start());
    expect((await read(operator, "policies")).canReplay).toBe(false);
    expect((await (await change(operator, "replay", { text: textOf(1) })).json()).detail).toMatch(
      /No decision log is kept/,
    );
  });
});

describe("two processes on one Redis and one PostgreSQL", () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  }, 120_000);
  afterAll(async () => {
    await redis.remove();
    await postgres.remove();
  });

  test("have the same policy within two seconds, the same shadow with summed figures, and keep both through a restart", async () => {
    const env = { DATABASE_URL: postgres.url, RATE_LIMIT_STORAGE_URI: redis.url };
    const [one, other] = [await start(env), await start(env)] as const;
    const [ann, ben] = [await operatorOf(one, "Ann"), await operatorOf(other, "Ben")];
    const { hash: from } = await chatOf(ann);

    const shadowed = await change(ann, "shadow", { from, text: textOf(1) });
    expect(shadowed.status).toBe(200);
    const { shadow } = await chatOf(ann);
    // Each process reports the shadow in its summary.
    await until(async () => (await chatOf(ann)).shadow.totals.processes === 2);
    const user = newUser();
    for (const service of [one, other]) await service.client({ "X-User-Id": user }).ask("hello");
    const totals = await until(async () => {
      const { totals } = (await chatOf(ann)).shadow;
      return totals.decisions === 2 && totals;
    });
    // The shadow's counts are shared, so the second request would be refused.
    expect(totals).toMatchObject({ newlyRefused: 1, stillRefused: 0, undecided: 0 });

    const changedAt = performance.now();
    expect((await change(ann, "live", { from, text: textOf(3), reason: "a test" })).status).toBe(200);
    const { hash } = await chatOf(ann);
    const hashOf = async (operator: TestClient) => {
      const { policies } = await read(operator, "now");
      return policies.find(({ limiter }: { limiter: string }) => limiter === "chat").hash;
    };
    // `now` does not read the database: it shows the policy in force in the process.
    await until(async () => (await hashOf(ben)) === hash);
    expect(performance.now() - changedAt).toBeLessThan(2_000);
    const there = other.client({ "X-User-Id": user });
    expect((await there.ask("hello")).response.status).toBe(200);
    expect((await there.ask("hello")).response.status).toBe(429);

    // The operator's command, a separate process, uses the policy too.
    expect(await runLimitCommand(["show", `user:${user}`], { ...LIMITS, ...env })).toMatch(/0 of 3/);

    const late = await change(ben, "live", { from, text: textOf(9), reason: "another" });
    expect([late.status, (await late.json()).detail]).toEqual([
      409,
      expect.stringContaining(`${hash} is now in force`),
    ]);
    await stop(other);
    const third = await start(env);
    const cleo = await operatorOf(third, "Cleo");
    expect(await hashOf(cleo)).toBe(hash);
    expect((await third.client({ "X-User-Id": user }).ask("hello")).response.status).toBe(429);
    expect((await chatOf(cleo)).shadow).toMatchObject({ hash: shadow.hash, by: "Ann (token)" });
  }, 120_000);
});

test("wrong tokens are logged once a minute, without the tokens", async () => {
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  const service = await start({}, { log });
  const guess = () =>
    service
      .client({ Origin: new URL(service.url).origin })
      .send("POST", "/operator/api/sign-in", { token: "a guess that is wrong", name: "Eve" });
  const warnings = () => lines.filter((line) => line.includes("a wrong operator token was given"));
  for (let n = 0; n < 3; n += 1) expect((await guess()).status).toBe(401);
  expect(warnings()).toHaveLength(1);
  await service.clock.advance(60_000);
  await guess();
  expect(warnings().map((line) => JSON.parse(line).attempts)).toEqual([1, 3]);
  expect(lines.join("")).not.toContain("a guess that is wrong");
});

test("credit is granted, and a code issued, only if the log of actions can be written", async () => {
  const service = await start({ CREDIT_MONTHLY_ALLOWANCE: "0" });
  const email = `${newUser()}@example.com`;
  const person = service.client();
  const password = "correct horse battery";
  await person.send("POST", "/auth/sign-up/email", { email, password, name: "Ann" });
  const operator = await operatorOf(service);
  const grant = { of: email, amount: "2.50", id: "a-grant-without-a-log" };
  const given = async () => [
    await database.database.$count(creditCodes),
    await database.database.$count(creditEntries, eq(creditEntries.kind, "grant")),
  ];
  const before = await given();
  await database.database.execute("alter table limit_changes rename to limit_changes_away");
  try {
    expect((await operator.send("POST", "/operator/api/grant", grant)).status).toBe(500);
    expect((await operator.send("POST", "/operator/api/code", { amount: "5" })).status).toBe(500);
  } finally {
    await database.database.execute("alter table limit_changes_away rename to limit_changes");
  }
  expect(await given()).toEqual(before);
  // If the order is sent again, the grant is made and logged.
  const again = await operator.send("POST", "/operator/api/grant", grant);
  expect(await again.json()).toEqual({ said: `${email} has 2.50 GBP now.` });
  expect((await read(operator, "changes")).log[0]).toMatchObject({ what: "grant", of: email });
});

test("a grant that is sent twice is made once, and an account's credit is bounded", async () => {
  const service = await start({ CREDIT_MONTHLY_ALLOWANCE: "0" });
  const email = `${newUser()}@example.com`;
  const password = "correct horse battery";
  await service.client().send("POST", "/auth/sign-up/email", { email, password, name: "Ann" });
  const operator = await operatorOf(service);
  const grant = (amount: string, id: string) =>
    operator.send("POST", "/operator/api/grant", { of: email, amount, id });
  const id = "one-form-one-grant";
  const answers = await Promise.all([grant("2.50", id), grant("2.50", id)]);
  for (const answer of answers) expect(await answer.json()).toEqual({ said: `${email} has 2.50 GBP now.` });
  const grants = async () =>
    (await read(operator, "changes")).log.filter(({ of }: { of: string }) => of === email);
  expect(await grants()).toHaveLength(1);
  const other = await grant("3", id);
  expect([other.status, (await other.json()).detail]).toEqual([
    422,
    "This grant of 2.50 GBP was already made.",
  ]);
  const large = await grant("999999", "another-form-here");
  expect([large.status, (await large.json()).detail]).toEqual([
    422,
    "An account may have at most 1000000.00 GBP of granted credit. This one has 2.50 GBP.",
  ]);
  expect((await operator.send("POST", "/operator/api/grant", { of: email, amount: "1" })).status).toBe(422);
  expect(await grants()).toHaveLength(1);
});
