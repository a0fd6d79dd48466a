import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fakeClock } from "headgate/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import type { AnswerMetadata, AnswerNews, Me } from "../../contract.ts";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import {
  type Chunk,
  promptModel,
  startTestService,
  TEST_START_MS,
  type TestClient,
  type TestService,
  until,
} from "../../testing/service.ts";
import { runAccountCommand } from "../commands/account.ts";
import { runLimitCommand } from "../commands/limit.ts";
import { type OpenDatabase, openDatabase } from "../database/connect.ts";
import { limitChanges } from "../database/schema.ts";
import { findUserByEmail, listCreditEntries, updatePlan } from "../repositories/accounts.ts";
import { type Service, startService } from "../start.ts";
import { plansFile, readPlans } from "./plans.ts";

vi.setConfig({ testTimeout: 60_000 });

const PLANS = {
  default: "free",
  anonymous: "visitor",
  plans: {
    visitor: { limits: "1/minute" },
    free: { limits: "2/minute", monthlyAllowance: "2.00" },
    pro: { limits: "4/minute; 100/day", monthlyAllowance: "20.00" },
    usual: {},
    closed: { limits: "blocked" },
  },
};

const folder = mkdtempSync(path.join(tmpdir(), "headgate-plans-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
/** Writes a new plans file with this content, and returns its path. */
function fileOf(content: unknown): string {
  files += 1;
  const file = path.join(folder, `plans-${files}.json`);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

let database: OpenDatabase;
let service: TestService | undefined;
beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);
afterAll(() => database.close());
afterEach(() => service?.close());

async function start(file: string, env: Record<string, string> = {}): Promise<TestService> {
  service = await startTestService({ database, env: { PLANS_FILE: file, ...env } });
  return service;
}

async function signedUp(client: TestClient, more = {}): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  const account = { name: "Ada", email, password: "four words of my own", ...more };
  expect((await client.send("POST", "/auth/sign-up/email", account)).status).toBe(200);
  return email;
}

const meOf = async (client: TestClient): Promise<Me> => (await client("/me")).json();

async function answeredOf(client: TestClient, times: number): Promise<number> {
  let answered = 0;
  for (let n = 0; n < times; n += 1) {
    const { response } = await client.ask("What is £30,000 after tax?");
    if (response.status === 200) answered += 1;
  }
  return answered;
}

async function setPlan(email: string, plan: string | null): Promise<void> {
  const user = await findUserByEmail(database.database, email);
  await updatePlan(database.database, user?.id ?? "", plan);
}

describe("PLANS_FILE", () => {
  test("gives each caller the limits of their plan, and /me shows the plan", async () => {
    const { client } = await start(fileOf(PLANS));
    const visitor = client();
    expect((await meOf(visitor)).plan).toBe("visitor");
    expect(await answeredOf(visitor, 3)).toBe(1);
    const header = client({ "X-User-Id": `u-${crypto.randomUUID()}` });
    expect(await answeredOf(header, 3)).toBe(1);
    const ada = client();
    const email = await signedUp(ada);
    expect((await meOf(ada)).plan).toBe("free");
    expect(await answeredOf(ada, 1)).toBe(1);
    await setPlan(email, "pro");
    const me = await meOf(ada);
    expect([me.plan, me.quota.map(({ name, remaining }) => [name, remaining])]).toEqual([
      "pro",
      [
        ["user-per-minute", 3],
        ["user-per-day", 99],
        ["ip-per-minute", expect.any(Number)],
      ],
    ]);
    expect(await answeredOf(ada, 5)).toBe(3);
    await setPlan(email, "closed");
    const { response, problem } = await ada.ask("What is £30,000 after tax?");
    expect([response.status, problem.error]).toEqual([403, "Blocked"]);
    // A plan that the file does not define becomes the default plan.
    await setPlan(email, "gold");
    expect((await meOf(ada)).plan).toBe("free");
  });

  test("callers cannot choose their own plan", async () => {
    const { client } = await start(fileOf(PLANS));
    const ada = client();
    const email = `${crypto.randomUUID()}@example.com`;
    const account = { name: "Ada", email, password: "four words of my own", plan: "pro" };
    const response = await ada.send("POST", "/auth/sign-up/email", account);
    if (response.status !== 200) await signedUp(ada);
    expect((await meOf(ada)).plan).toBe("free");
    await ada.send("POST", "/auth/update-user", { plan: "pro" });
    expect((await meOf(ada)).plan).toBe("free");
  });

  test("a plan without limits uses those of the environment", async () => {
    const file = fileOf({ default: "usual", plans: PLANS.plans });
    const { client } = await start(file, { RATE_LIMIT_CHAT_PER_MIN: "7", RATE_LIMIT_CHAT_PER_HOUR: "70" });
    const { quota, plan } = await meOf(client());
    expect([plan, quota.slice(0, 2).map((limit) => limit.quota)]).toEqual(["usual", [7, 70]]);
  });

  test("gives accounts the allowance of their plan, from the next month on", async () => {
    const { client, clock } = await start(fileOf(PLANS), {
      MODEL_PRICE_INPUT_PER_MTOK: "1",
      MODEL_PRICE_OUTPUT_PER_MTOK: "4",
    });
    const ada = client();
    const email = await signedUp(ada);
    expect((await meOf(ada)).credit).toMatchObject({ balance: 2_000_000, monthlyAllowance: 2_000_000 });
    await setPlan(email, "pro");
    expect((await meOf(ada)).credit).toMatchObject({ balance: 2_000_000, monthlyAllowance: 20_000_000 });
    clock.advance(31 * 86_400_000);
    expect((await meOf(ada)).credit).toMatchObject({ balance: 20_000_000, monthlyAllowance: 20_000_000 });
    await setPlan(email, "closed");
    expect((await meOf(ada)).credit).toMatchObject({ monthlyAllowance: 1_000_000 });
    for (const unknown of ["gold", "constructor", "__proto__"]) {
      await setPlan(email, unknown);
      expect(await meOf(ada)).toMatchObject({ plan: "free", credit: { monthlyAllowance: 2_000_000 } });
    }
  });

  test("that has changed is in force without a restart, and an invalid one changes nothing", async () => {
    const file = fileOf(PLANS);
    const { client } = await start(file);
    const ada = client();
    await signedUp(ada);
    expect(await answeredOf(ada, 3)).toBe(2);
    const limitOf = async () => (await meOf(ada)).quota[0]?.quota;

    writeFileSync(
      file,
      JSON.stringify({ ...PLANS, plans: { ...PLANS.plans, free: { limits: "3/minute" } } }),
    );
    await until(async () => (await limitOf()) === 3);
    expect(await answeredOf(ada, 3)).toBe(1);

    writeFileSync(file, '{ "default": "free", "plans": { "free": { "limits": "many" } } }');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await limitOf()).toBe(3);
    rmSync(file);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await limitOf()).toBe(3);

    // Replace the file like editors and deployments do.
    const next = fileOf({ ...PLANS, plans: { ...PLANS.plans, free: { limits: "6/minute" } } });
    renameSync(next, file);
    await until(async () => (await limitOf()) === 6);
    expect(await answeredOf(ada, 9)).toBe(3);
  });

  test.each<[content: unknown, says: RegExp]>([
    ["{", /cannot be used: it is not JSON/],
    ["[]", /the file: /],
    [{ plans: {} }, /default: /],
    [{ default: "free", plans: {} }, /default: there is no plan "free"/],
    [{ ...PLANS, anonymous: "guest" }, /anonymous: there is no plan "guest"; the plans are visitor, free/],
    [{ ...PLANS, defaults: "free" }, /the file: .*defaults/],
    [{ default: "a", plans: { a: { limits: "5/minut" } } }, /plans\.a\.limits: .*5\/minut/],
    [{ default: "a", plans: { a: { limits: "5 widgets/minute" } } }, /plans\.a\.limits: counts widgets/],
    [{ default: "a", plans: { a: { limits: 5 } } }, /plans\.a\.limits: /],
    [{ default: "a", plans: { a: { limit: "5/minute" } } }, /plans\.a: .*limit/],
    [
      { default: "a", plans: { a: { monthlyAllowance: "-1" } } },
      /plans\.a\.monthlyAllowance: should be an amount/,
    ],
    [{ default: "a", plans: { a: { limits: "5/minute; 5/minute" } } }, /twice/],
    [{ default: "a", plans: { "": {} } }, /./],
    [{ default: "default", plans: { default: {} } }, /default: is a name that no plan can have/],
    ['{ "default": "a", "plans": { "a": {}, "__proto__": { "limits": "9/minut" } } }', /__proto__/],
    [
      {
        default: "a",
        plans: { a: { limits: Array.from({ length: 21 }, (_, n) => `${n + 5}/${n + 1} hours`).join("; ") } },
      },
      /has 21 limits, and 20 at most/,
    ],
    ["x".repeat(1_048_577), /1048577 bytes, and 1048576 at most/],
  ])("%j prevents the start, and the message names the mistake", async (content, says) => {
    const file = fileOf(content);
    await expect(start(file)).rejects.toThrow(says);
    await expect(start(file)).rejects.toThrow(/PLANS_FILE/);
    service = undefined;
  });

  test("may begin with a byte order mark, and may not be a folder", async () => {
    const { client } = await start(fileOf(`\uFEFF${JSON.stringify(PLANS)}`));
    expect((await meOf(client())).plan).toBe("visitor");
    await service?.close();
    service = undefined;
    await expect(start(folder)).rejects.toThrow(/it is not a file/);
  });

  test("that does not exist prevents the start", async () => {
    await expect(start("/nowhere/plans.json")).rejects.toThrow(
      /PLANS_FILE: \/nowhere\/plans\.json cannot be used: ENOENT/,
    );
    service = undefined;
  });

  test("has the published schema, which the example satisfies", () => {
    const at = (file: string) => readFileSync(new URL(`../../../../${file}`, import.meta.url), "utf8");
    expect(JSON.parse(at("deploy/plans.schema.json"))).toEqual(z.toJSONSchema(plansFile, { io: "input" }));
    expect(Object.keys(readPlans(at("deploy/plans.example.json")).plans)).toContain("pro");
  });
});

describe("the models of a plan", () => {
  const MODELS = {
    default: "free",
    anonymous: "visitor",
    plans: {
      visitor: { models: ["small"] },
      free: { models: ["small", "large"], priceFactor: "1.5" },
      own: { prices: { large: { input: "3", output: "7" } }, priceFactor: "9" },
      staff: { priceFactor: "0" },
    },
  };

  async function startWith(file: string, env: Record<string, string> = {}): Promise<TestService> {
    const clock = fakeClock(TEST_START_MS);
    const choice = promptModel(clock);
    const price = { inputPerMillion: 1_000_000, cachedInputPerMillion: 100_000, outputPerMillion: 4_000_000 };
    service = await startTestService({
      database,
      clock,
      model: [
        { ...choice, name: "small", price: { ...price, version: "small" } },
        { ...choice, name: "large", price: { ...price, version: "large" } },
      ],
      env: { PLANS_FILE: file, CREDIT_EXCHANGE_RATE: "1", ...env },
    });
    return service;
  }

  const modelOf = (chunks: Chunk[]) =>
    chunks
      .map(({ messageMetadata }) => (messageMetadata as AnswerMetadata | undefined)?.model)
      .find((name) => name !== undefined);

  async function ledgerOf(email: string) {
    const user = await findUserByEmail(database.database, email);
    const rows = await listCreditEntries(database.database, user?.id ?? "");
    return rows.filter(({ kind }) => kind === "usage");
  }

  const QUESTION = "What is £30,000 after tax?";

  test("can be named by a message; another model is refused before anything is spent", async () => {
    const { client } = await startWith(fileOf(MODELS));
    const visitor = client();
    const before = await meOf(visitor);
    expect([before.model.name, before.models]).toEqual(["small", ["small"]]);
    for (const model of ["large", "none", "__proto__"]) {
      const { response, problem } = await visitor.ask(QUESTION, { model });
      expect([response.status, problem.error, problem.model, problem.models]).toEqual([
        403,
        "model_not_allowed",
        model,
        ["small"],
      ]);
      expect(problem.detail).toContain("The one that you can use is small.");
    }
    expect((await meOf(visitor)).quota).toEqual(before.quota);
    expect((await (await visitor("/conversations")).json()).conversations).toEqual([]);
    expect(modelOf((await visitor.ask(QUESTION)).chunks)).toBe("small");
    expect(modelOf((await visitor.ask(QUESTION, { model: "small" })).chunks)).toBe("small");

    const ada = client();
    await signedUp(ada);
    const { models, credit } = await meOf(ada);
    expect(models).toEqual(["small", "large"]);
    const refused = await ada.ask(QUESTION, { model: "none" });
    expect([refused.response.status, refused.problem.detail]).toEqual([
      403,
      'The model "none" can\'t be used here. You can use small, large.',
    ]);
    expect((await meOf(ada)).credit).toEqual(credit);
    expect(modelOf((await ada.ask(QUESTION, { model: "large" })).chunks)).toBe("large");
    expect((await ada.ask(QUESTION, { model: 7 })).response.status).toBe(400);
  });

  test("have the plan's prices, which the ledger names", async () => {
    const { client } = await startWith(fileOf(MODELS));
    const ada = client();
    const email = await signedUp(ada);
    const rate = (
      { amount, inputTokens, outputTokens }: Awaited<ReturnType<typeof ledgerOf>>[number],
      input: number,
      output: number,
    ) => -amount - Math.ceil((inputTokens ?? 0) * input + (outputTokens ?? 0) * output);

    await ada.ask(QUESTION, { model: "large" });
    await setPlan(email, "own");
    await ada.ask(QUESTION, { model: "large" });
    await ada.ask(QUESTION, { model: "small" });
    const [dearer, own, factor] = await ledgerOf(email);
    if (!dearer || !own || !factor) throw new Error("An answer was not charged.");
    expect([dearer.priceVersion, rate(dearer, 1.5, 6)]).toEqual(["large 1 GBP/USD x1.5", 0]);
    expect([own.priceVersion, rate(own, 3, 7)]).toEqual(["plan own 3000000/3000000/7000000", 0]);
    expect([factor.priceVersion, rate(factor, 9, 36)]).toEqual(["small 1 GBP/USD x9", 0]);

    await setPlan(email, "staff");
    expect((await meOf(ada)).credit).toBeNull();
    expect((await ada.ask(QUESTION)).response.status).toBe(200);
    expect(await ledgerOf(email)).toHaveLength(3);
  });

  test("change when the file changes", async () => {
    const file = fileOf(MODELS);
    const { client } = await startWith(file);
    const ada = client();
    await signedUp(ada);
    expect((await ada.ask(QUESTION, { model: "large" })).response.status).toBe(200);
    writeFileSync(
      file,
      JSON.stringify({ ...MODELS, plans: { ...MODELS.plans, free: { models: ["small"] } } }),
    );
    await until(async () => (await meOf(ada)).models.length === 1);
    expect((await ada.ask(QUESTION, { model: "large" })).problem.error).toBe("model_not_allowed");
  });

  test("have prices that are converted at a rate, which the ledger names", async () => {
    const converted = await openTestDatabase();
    try {
      const clock = fakeClock(TEST_START_MS);
      const price = { inputPerMillion: 1_000_000, cachedInputPerMillion: 0, outputPerMillion: 4_000_000 };
      service = await startTestService({
        database: converted,
        clock,
        model: { ...promptModel(clock), name: "small", price: { ...price, version: "small" } },
        env: {
          PLANS_FILE: fileOf({
            default: "a",
            plans: { a: { priceFactor: "1.25", monthlyAllowance: "3.00" } },
          }),
          CREDIT_CURRENCY: "GBP",
          CREDIT_EXCHANGE_RATE: "0.8",
        },
      });
      const ada = service.client();
      const email = await signedUp(ada);
      expect((await meOf(ada)).credit).toMatchObject({ currency: "GBP", balance: 3_000_000 });
      const { chunks } = await ada.ask(QUESTION);
      const news = chunks.find(({ type }) => type === "data-news")?.data as AnswerNews;
      const user = await findUserByEmail(converted.database, email);
      const [allowance, used] = await listCreditEntries(converted.database, user?.id ?? "");
      expect([allowance?.currency, used?.currency, used?.priceVersion]).toEqual([
        "GBP",
        "GBP",
        "small 0.8 GBP/USD x1.25",
      ]);
      // 0.8 times 1.25 is 1, so the price in pounds equals the list price in dollars.
      expect(used?.amount).toBe(-((used?.inputTokens ?? 0) + 4 * (used?.outputTokens ?? 0)));
      expect([news.cost, news.credit?.currency, news.credit?.balance]).toEqual([
        -(used?.amount ?? 0),
        "GBP",
        3_000_000 + (used?.amount ?? 0),
      ]);
    } finally {
      await service?.close();
      service = undefined;
      await converted.close();
    }
  });

  test.each<[content: object, says: RegExp]>([
    [{ models: [] }, /plans\.a\.models: /],
    [{ models: ["small", "small"] }, /plans\.a\.models: names "small" twice/],
    [{ models: ["huge"] }, /plans\.a\.models: the service has no model "huge"; it has small, large/],
    [{ prices: { huge: { input: "1", output: "1" } } }, /plans\.a\.prices: the service has no model "huge"/],
    [{ prices: { small: { input: "1" } } }, /plans\.a\.prices\.small\.output: /],
    [{ prices: { small: { input: "1", output: "free" } } }, /output: should be what a million tokens cost/],
    [{ priceFactor: "-1" }, /plans\.a\.priceFactor: should be a number/],
    [{ priceFactor: 2 }, /plans\.a\.priceFactor: /],
    [{ priceFactor: "1000.1" }, /plans\.a\.priceFactor: should be 1000 at most/],
  ])("%j prevents the start, and the message names the mistake", async (plan, says) => {
    await expect(startWith(fileOf({ default: "a", plans: { a: plan } }))).rejects.toThrow(says);
    service = undefined;
  });
});

describe("the operator's commands", () => {
  test("give plans and limits, block and end, while the service runs", async () => {
    const where = mkdtempSync(path.join(tmpdir(), "headgate-commands-"));
    const env = {
      DATABASE_URL: `pglite://${where}`,
      PORT: "0",
      LOG_LEVEL: "silent",
      PLANS_FILE: fileOf(PLANS),
      RATE_LIMIT_CHAT_GLOBAL: "12/minute",
    };
    let running: Service | undefined;
    try {
      running = await startService({ env });
      const { url } = running;
      const email = `${crypto.randomUUID()}@example.com`;
      const signUp = await fetch(`${url}/auth/sign-up/email`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Origin: url },
        body: JSON.stringify({ name: "Ada", email, password: "four words of my own" }),
      });
      const cookie = signUp.headers
        .getSetCookie()
        .map((one) => one.split(";")[0])
        .join("; ");
      const ask = async (headers: Record<string, string>) => {
        const response = await fetch(`${url}/chat/message`, {
          method: "POST",
          headers: { "Content-Type": "application/json", ...headers },
          body: JSON.stringify({ messages: [{ role: "user", content: "What is £30,000 after tax?" }] }),
        });
        await response.text();
        return response.status;
      };

      expect(await runAccountCommand(["plan", email, "pro"], env)).toBe(`${email} has the plan pro.`);
      expect(await runLimitCommand(["show", email], env)).toMatch(
        /plan pro\n {2}user-per-minute: 4 of 4 left/,
      );
      await expect(runAccountCommand(["plan", email, "gold"], env)).rejects.toThrow(
        /no plan "gold": the plans are visitor, free, pro/,
      );
      await expect(runAccountCommand(["plan", "nobody@example.com", "pro"], env)).rejects.toThrow(
        /no account/,
      );
      expect(await runAccountCommand(["plan", email, "default"], env)).toBe(`${email} has the plan free.`);

      expect([await ask({ cookie }), await ask({ cookie }), await ask({ cookie })]).toEqual([200, 200, 429]);
      expect(await runLimitCommand(["override", email, "3/minute", "24h", "launch day"], env)).toMatch(
        /user-per-minute: 1 of 3 left.*\n {2}in force in user: 3\/minute, until .*, launch day, by /s,
      );
      expect([await ask({ cookie }), await ask({ cookie })]).toEqual([200, 429]);
      expect(await runLimitCommand(["reset", email], env)).toMatch(/3 of 3 left/);
      expect(await runLimitCommand(["block", email], env)).toMatch(
        /: blocked\n.*blocked, until an operator ends it, by /s,
      );
      expect(await ask({ cookie })).toBe(403);
      expect(await runLimitCommand(["end", email], env)).toMatch(/2 of 2 left/);
      expect(await ask({ cookie })).toBe(200);

      expect(await runLimitCommand(["block", "ip:127.0.0.1", "30m", "a script"], env)).toMatch(/blocked/);
      expect([await ask({ cookie }), await ask({ "X-User-Id": "7" })]).toEqual([429, 429]);
      await runLimitCommand(["end", "ip:127.0.0.1"], env);
      await runLimitCommand(["block", "user:7", "1d"], env);
      expect([await ask({ "X-User-Id": "7" }), await ask({ "X-User-Id": "8" })]).toEqual([429, 200]);

      // An address, its visitors, and the partition of all callers are separate.
      expect(await runLimitCommand(["show", "visitor:127.0.0.1"], env)).toMatch(
        /user-per-minute: 1 of 1 left$/,
      );
      expect(await runLimitCommand(["override", "visitor:127.0.0.1", "9/minute", "1h"], env)).toMatch(
        /9 of 9 left/,
      );
      expect(await ask({})).toBe(200);
      const spent = 12 - 9;
      await runLimitCommand(["reset", "user:8"], env);
      const left = await (await fetch(`${url}/me`)).json();
      expect(
        left.quota.find(({ layer }: { layer: string }) => layer === "global").remaining,
      ).toBeLessThanOrEqual(spent + 3);
      expect(await runLimitCommand(["block", "user:9", "1h", "up\u001b[2J\ndown"], env)).toMatch(
        /up\uFFFD\[2J\uFFFDdown/,
      );

      // Block a prefix of ids. A caller's own override takes precedence.
      expect(await runLimitCommand(["block", "user:acme-*", "1d", "a trial"], env)).toMatch(
        /^user:acme-\*: blocked\n {2}in force in user: blocked, until \S+, a trial, by /,
      );
      expect(await ask({ "X-User-Id": "acme-1" })).toBe(429);
      expect(await runLimitCommand(["show", "user:acmes"], env)).not.toMatch(/blocked/);
      expect(await runLimitCommand(["override", "user:acme-1", "7/minute"], env)).toMatch(/7 of 7 left/);
      expect(await runLimitCommand(["end", "user:acme-1"], env)).toMatch(/user:acme-1, .*: blocked/);
      await runLimitCommand(["override", "ip:198.51.*", "3/minute"], env);
      expect(await runLimitCommand(["show", "ip:198.51.100.7"], env)).toMatch(/3 of 3 left/);
      expect(await runLimitCommand(["end", "ip:198.51.*"], env)).toBe("ip:198.51.*");
      expect(await runLimitCommand(["show", "ip:198.51.100.7"], env)).not.toMatch(/3 of 3 left/);

      for (const [words, says] of [
        [["reset", "user:acme-*"], /Only a single caller can be reset; user:acme-\* names several/],
        [["block", "ip:*"], /"ip:\*" is not a valid prefix: before the \*/],
        [["block", "user:*"], /"user:\*" is not a valid prefix/],
        [["override", email, "5/minut"], /5\/minut/],
        [["override", email, "5 widgets/minute"], /widgets/],
        [["block", email, "soon"], /"soon" is not a time: it should be minutes, hours or days, such as 30m/],
        [["block", "ada"], /"ada" is not a caller/],
        [["block", "ip:zzz"], /"ip:zzz" is not an address/],
        [["block", "user:a b"], /"user:a b" is not a caller/],
        [["show", "nobody@example.com"], /no account with the e-mail nobody@example.com/],
        [["shut", email], /Usage/],
        [["show"], /Usage/],
        [["end", email, "a reason", "now"], /Usage/],
      ] as const)
        await expect(runLimitCommand(words, env)).rejects.toThrow(says);

      // Overrides survive the process, but its counts do not.
      await runLimitCommand(["override", email, "9/minute", "1d", "kept"], env);
      await runLimitCommand(["block", "user:10"], env);
      await runLimitCommand(["end", "user:10"], env);
      const inForce = await runLimitCommand(["list"], env);
      expect(inForce.split("\n").map((line) => line.replace(/^\S+ +/, "").replace(/[:,].*$/, ""))).toEqual([
        `override ${email}`,
        "block user",
        "block user",
        "override visitor",
        "block user",
      ]);
      // The account's export contains the override. The log keeps it without the e-mail address.
      const kept = await (await fetch(`${url}/account/export`, { headers: { cookie } })).json();
      expect(kept.limits.at(-1)).toMatchObject({ what: "override", limits: "9/minute", reason: "kept" });
      await running.close();
      // An invalid stored change does not prevent the others.
      const opened = await openDatabase({ kind: "embedded", folder: where });
      await opened.database.insert(limitChanges).values({
        partition: "user user:11",
        of: "user:11",
        what: "override",
        limits: "5 widgets/minute",
        at: new Date(),
      });
      await opened.close();
      running = await startService({ env });
      expect(await runLimitCommand(["show", email], env)).toMatch(
        /9 of 9 left\n.*9\/minute, until .*, kept, by /,
      );
      expect(await runLimitCommand(["show", "user:7"], env)).toMatch(/blocked/);
      expect(await runLimitCommand(["show", "user:acme-2"], env)).toMatch(/blocked, until \S+, a trial, by/);
      expect(await runLimitCommand(["show", "user:10"], env)).not.toMatch(/blocked/);
      expect(await runLimitCommand(["list"], env)).toContain(inForce);
      const log = await runLimitCommand(["log"], env);
      expect(log).toMatch(
        /^\S+ {2}override user:11.*\n\S+ {2}end user:10: by \S+ \(command\)\n\S+ {2}block user:10: by \S+ \(command\)\n\S+ {2}override \S+: 9\/minute, until \S+, kept, by/,
      );
      const gone = await fetch(`${running.url}/account/delete`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Origin: running.url, cookie },
        body: JSON.stringify({ password: "four words of my own" }),
      });
      expect(gone.status).toBeLessThan(300);
      expect(await runLimitCommand(["log"], env)).not.toContain(email);
    } finally {
      await running?.close();
    }
    // The counts ended with the process.
    await expect(runLimitCommand(["show", "user:7"], env)).rejects.toThrow(
      /RATE_LIMIT_STORAGE_URI is memory:\/\//,
    );
    rmSync(where, { recursive: true, force: true });
  });
});
