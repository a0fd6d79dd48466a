import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { fakeClock } from "headgate/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, TEST_START_MS, type TestClient, type TestService } from "../../testing/service.ts";
import { type OpenDatabase, openDatabase } from "../database/connect.ts";
import { creditCodes, user } from "../database/schema.ts";
import { carryOut } from "../operator/order.ts";
import { sumOfCreditEntries } from "../repositories/credit.ts";
import { createCredit } from "./credit.ts";
import { createCreditCodes } from "./credit-codes.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

const terms = { monthlyAllowance: 1_000_000, currency: "GBP" };
const day = 24 * 3_600_000;
let postgres: PostgresServer;

afterAll(() => postgres?.remove());

describe.each(["embedded", "PostgreSQL"])("codes on %s", (kind) => {
  let open: OpenDatabase;

  beforeAll(async () => {
    if (kind === "PostgreSQL") postgres ??= await startPostgres();
    open = await (kind === "embedded"
      ? openTestDatabase()
      : openDatabase({ kind: "postgres", url: postgres.url }));
  });

  afterAll(() => open?.close());

  function newShop() {
    const clock = fakeClock(TEST_START_MS);
    const credit = createCredit(open.database, clock, terms);
    const codes = createCreditCodes(open.database, clock, credit);
    const newPerson = async () => {
      const id = crypto.randomUUID();
      await open.database.insert(user).values({ id, email: `${id}@example.com`, name: "Ada" });
      return id;
    };
    return { clock, credit, codes, newPerson };
  }

  test("a code adds its amount once, to one account", async () => {
    const { codes, credit, newPerson } = newShop();
    const [one, other] = [await newPerson(), await newPerson()];
    const code = await codes.issue(5_000_000, undefined);
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/);
    expect((await codes.redeem(one, code)).balance).toBe(6_000_000);
    expect((await codes.redeem(one, code)).balance).toBe(6_000_000);
    await expect(codes.redeem(other, code)).rejects.toMatchObject({ status: 409, error: "code_used" });
    expect((await credit.of(other)).balance).toBe(1_000_000);
    expect(await sumOfCreditEntries(open.database, one)).toBe(6_000_000);
    expect(JSON.stringify(await open.database.select().from(creditCodes))).not.toContain(code.slice(0, 5));
  });

  test("if many accounts use one code at the same time, one account gets its amount, once", async () => {
    const { codes, credit, newPerson } = newShop();
    const people = await Promise.all(Array.from({ length: 5 }, newPerson));
    const code = await codes.issue(3_000_000, undefined);
    await Promise.allSettled([...people, ...people].map((id) => codes.redeem(id, code)));
    const balances = await Promise.all(people.map(async (id) => (await credit.of(id)).balance));
    expect(balances.sort()).toEqual([1_000_000, 1_000_000, 1_000_000, 1_000_000, 4_000_000]);
  });

  test.each([
    ["in lower case, with spaces", (code: string) => ` ${code.toLowerCase().replaceAll("-", " ")} `],
    ["without its dashes", (code: string) => code.replaceAll("-", "")],
    ["with O for 0 and l for 1", (code: string) => code.replaceAll("0", "O").replaceAll("1", "l")],
  ])("is read %s", async (_how, written) => {
    const { codes, newPerson } = newShop();
    const code = await codes.issue(2_000_000, undefined);
    expect((await codes.redeem(await newPerson(), written(code))).balance).toBe(3_000_000);
  });

  test("expires after its stated time", async () => {
    const { codes, clock, newPerson } = newShop();
    const [early, late] = [await codes.issue(1, 30 * day), await codes.issue(1, 30 * day)];
    const person = await newPerson();
    clock.advance(30 * day - 1);
    expect((await codes.redeem(person, early)).balance).toBeGreaterThan(0);
    clock.advance(1);
    await expect(codes.redeem(person, late)).rejects.toMatchObject({ status: 410, error: "code_expired" });
    await expect(codes.redeem(person, "")).rejects.toMatchObject({ status: 404, error: "code_unknown" });
  });
});

describe("POST /account/credit/codes", () => {
  let service: TestService;
  let open: OpenDatabase;

  beforeAll(async () => {
    open = await openTestDatabase();
    const env = { MODEL_PRICE_INPUT_PER_MTOK: "1", MODEL_PRICE_OUTPUT_PER_MTOK: "4" };
    service = await startTestService({ database: open, env: { ...env, RATE_LIMIT_SIGN_IN_IP_PER_MIN: "5" } });
  });

  afterAll(async () => {
    await service?.close();
    await open?.close();
  });

  const codesOf = () => {
    const credit = createCredit(open.database, service.clock, terms);
    return {
      credit,
      codes: createCreditCodes(open.database, service.clock, credit),
      database: open.database,
      clock: service.clock,
      accounts: { find: async () => undefined } as never,
      callerLimits: {} as never,
    };
  };

  test("adds credit, so that a message gets an answer instead of a 402; guesses are limited", async () => {
    const client: TestClient = service.client();
    const email = `${crypto.randomUUID()}@example.com`;
    const signedUp = { name: "Ada", email, password: "four words of my own" };
    expect((await client.send("POST", "/auth/sign-up/email", signedUp)).status).toBe(200);
    await carryOut({ action: "set", email, amount: 0, by: "ada" }, codesOf());
    const { response, problem } = await client.ask("take-home on £45,000", { id: "q1" });
    expect(response.status).toBe(402);
    expect(problem.top_up).toEqual({ kind: "code", path: "/account/credit/codes" });
    const { path } = problem.top_up as { path: string };

    const issued = await carryOut({ action: "code", amount: 5_000_000, by: "ada" }, codesOf());
    const { code } = issued as { code: string };
    const added = await client.send("POST", path, { code });
    expect([added.status, (await added.json()).balance]).toEqual([200, 5_000_000]);
    expect((await client.ask("take-home on £45,000", { id: "q1" })).response.status).toBe(200);

    const statuses: number[] = [];
    for (let guess = 0; guess < 5; guess += 1)
      statuses.push((await client.send("POST", path, { code: `GUESS-${guess}` })).status);
    expect(statuses).toEqual([404, 404, 404, 429, 429]);
  });

  test("requires a session, and reports an invalid body", async () => {
    service.clock.advance(60_000);
    const nobody = service.client();
    expect((await nobody.send("POST", "/account/credit/codes", { code: "X" })).status).toBe(401);
    const client = service.client();
    const email = `${crypto.randomUUID()}@example.com`;
    await client.send("POST", "/auth/sign-up/email", { name: "Bo", email, password: "four words of my own" });
    const wrong = await client.send("POST", "/account/credit/codes", { code: 7 });
    expect([wrong.status, (await wrong.json()).fields]).toEqual([
      400,
      [{ path: "code", message: "should be text" }],
    ]);
  });
});
