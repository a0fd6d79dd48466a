import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { and, eq } from "drizzle-orm";
import { fakeClock } from "headgate/testing";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, TEST_START_MS } from "../../testing/service.ts";
import { type OpenDatabase, openDatabase } from "../database/connect.ts";
import { creditAccounts, creditCodes, creditEntries, settings, turns, user } from "../database/schema.ts";
import { listRates } from "../model/price-list.ts";
import { noUsage } from "../usage.ts";
import { createCredit } from "./credit.ts";
import { createCreditCodes } from "./credit-codes.ts";
import { convertCurrency, keepCurrency } from "./currency.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

let postgres: PostgresServer | undefined;
afterAll(() => postgres?.remove());

describe.each(["embedded", "PostgreSQL"])("the currency of the credit on %s", (kind) => {
  let open: OpenDatabase;
  const clock = fakeClock(TEST_START_MS);

  beforeEach(async () => {
    if (kind === "PostgreSQL") postgres ??= await startPostgres();
    open = await (postgres && kind === "PostgreSQL"
      ? openDatabase({ kind: "postgres", url: postgres.url })
      : openTestDatabase());
    for (const table of [user, creditCodes, settings, turns]) await open.database.delete(table);
  });
  afterEach(() => open?.close());

  const creditIn = (currency: string) =>
    createCredit(open.database, clock, { monthlyAllowance: 1_000_000, currency });

  async function newPerson(): Promise<{ id: string; email: string }> {
    const id = crypto.randomUUID();
    const email = `${id}@example.com`;
    await open.database.insert(user).values({ id, email, name: "Ada" });
    return { id, email };
  }

  const entriesOf = (id: string, currency: string) =>
    open.database
      .select()
      .from(creditEntries)
      .where(and(eq(creditEntries.userId, id), eq(creditEntries.currency, currency)))
      .orderBy(creditEntries.id);
  const sum = (entries: { amount: number }[]) => entries.reduce((total, { amount }) => total + amount, 0);

  test("can be renamed only if there is no credit", async () => {
    await keepCurrency(open.database, "USD");
    await keepCurrency(open.database, "GBP");
    const { id } = await newPerson();
    await creditIn("GBP").of(id);
    await keepCurrency(open.database, "GBP");
    await expect(keepCurrency(open.database, "USD")).rejects.toThrow(
      "CREDIT_CURRENCY is USD, but the credit in the database is in GBP. Set CREDIT_CURRENCY=GBP to keep it, or convert every balance at a rate of yours: npm run credit -- convert GBP USD <what one GBP is in USD>.",
    );
  });

  test("is taken from the service's setting at the first start, also for older rows", async () => {
    const { id } = await newPerson();
    const [row] = await open.database
      .insert(creditAccounts)
      .values({ userId: id, allowanceLeft: 5, grantedLeft: 0, allowanceMonth: "2026-11" })
      .returning();
    expect(row?.currency).toBeNull();
    await keepCurrency(open.database, "EUR");
    const [stamped] = await open.database.select().from(creditAccounts);
    expect(stamped?.currency).toBe("EUR");
  });

  test("is converted at the given rate, and the ledger of each currency adds up", async () => {
    await keepCurrency(open.database, "USD");
    const dollars = creditIn("USD");
    const codes = createCreditCodes(open.database, clock, dollars);
    const [ada, bob, eve] = [await newPerson(), await newPerson(), await newPerson()];
    await dollars.grant(ada.email, 2_000_001);
    await dollars.of(bob.id);
    await dollars.set(eve.email, -100);
    const code = await codes.issue(10_000_000, undefined);
    const before = await entriesOf(ada.id, "USD");

    expect(
      await convertCurrency(open.database, clock, { from: "USD", to: "GBP", rate: 790_000, by: "ada" }),
    ).toBe(3);

    await keepCurrency(open.database, "GBP");
    const pounds = creditIn("GBP");
    // 3.000001 at 0.79, to the nearest micro.
    expect(await pounds.of(ada.id)).toMatchObject({ currency: "GBP", balance: 790_000 + 1_580_001 });
    expect((await pounds.of(bob.id)).balance).toBe(790_000);
    expect((await pounds.of(eve.id)).balance).toBe(-79);
    for (const { id } of [ada, bob, eve]) {
      expect(sum(await entriesOf(id, "USD"))).toBe(0);
      expect(sum(await entriesOf(id, "GBP"))).toBe((await pounds.of(id)).balance);
    }
    expect((await entriesOf(ada.id, "USD")).slice(0, before.length)).toEqual(before);
    const [into] = await entriesOf(ada.id, "GBP");
    expect(into).toMatchObject({
      kind: "conversion",
      priceVersion: expect.stringMatching(/^0\.79 GBP\/USD /),
    });

    // An unused code keeps its value.
    await createCreditCodes(open.database, clock, pounds).redeem(bob.id, code);
    expect((await pounds.of(bob.id)).balance).toBe(790_000 + 7_900_000);
    // The credit cannot be converted twice.
    await expect(
      convertCurrency(open.database, clock, { from: "USD", to: "GBP", rate: 790_000, by: "ada" }),
    ).rejects.toThrow("The credit in the database is in GBP, not in USD.");
  });

  test("is not converted during an answer, and a process that missed the conversion charges nothing", async () => {
    await keepCurrency(open.database, "USD");
    const dollars = creditIn("USD");
    const { id } = await newPerson();
    await dollars.of(id);
    const turn = {
      answerId: "a",
      conversationId: "c",
      owner: `account:${id}`,
      kind: "answer" as const,
      messageId: "m",
      opened: false,
      model: "m",
      payer: id,
      held: 10,
      priceVersion: "test",
      createdAt: new Date(clock.now()),
    };
    await open.database.insert(turns).values(turn);
    const conversion = { from: "USD", to: "GBP", rate: 790_000, by: "ada" };
    await expect(convertCurrency(open.database, clock, conversion)).rejects.toThrow(
      /^1 answer is still to be charged in USD\. Start the service once more with CREDIT_CURRENCY=USD/,
    );
    expect((await dollars.of(id)).balance).toBe(1_000_000);
    await open.database.delete(turns);
    await convertCurrency(open.database, clock, conversion);

    const changed = /changing its currency/;
    await expect(dollars.of(id)).rejects.toThrow(changed);
    await expect(open.database.transaction((within) => dollars.hold(within, id, 1))).rejects.toThrow(changed);
    const settlement = { reference: "a", cost: 5, held: 0, usage: noUsage, priceVersion: "test" };
    await expect(
      open.database.transaction((within) => dollars.settle(within, id, settlement)),
    ).rejects.toThrow(changed);
    expect((await creditIn("GBP").of(id)).balance).toBe(790_000);
  });
});

test("a service charges in pounds by default, at the kept rate that each row of its ledger names", async () => {
  const database = await openTestDatabase();
  const service = await startTestService({
    database,
    env: { MODEL_PRICE_INPUT_PER_MTOK: "1", MODEL_PRICE_OUTPUT_PER_MTOK: "4" },
  });
  try {
    const client = service.client();
    const account = { name: "Ada", email: "ada@example.com", password: "four words of my own" };
    expect((await client.send("POST", "/auth/sign-up/email", account)).status).toBe(200);
    const { chunks } = await client.ask("What is £30,000 after tax?");
    const [allowance, used] = await database.database.select().from(creditEntries).orderBy(creditEntries.id);
    expect(allowance).toMatchObject({ kind: "allowance", amount: 1_000_000, currency: "GBP" });
    const rate = listRates.GBP as { rate: number; version: string };
    expect(used).toMatchObject({
      kind: "usage",
      currency: "GBP",
      priceVersion: `set 1000000/1000000/4000000 ${rate.rate / 1e6} GBP/USD (${rate.version})`,
    });
    const dollars = (used?.inputTokens ?? 0) + 4 * (used?.outputTokens ?? 0);
    expect(-(used?.amount ?? 0)).toBe(Math.ceil((dollars * rate.rate) / 1e6));
    expect(chunks.find(({ type }) => type === "data-news")?.data).toMatchObject({
      cost: -(used?.amount ?? 0),
      credit: { currency: "GBP", balance: 1_000_000 + (used?.amount ?? 0) },
    });
  } finally {
    await service.close();
    await database.close();
  }
});

test("a service does not start with a currency other than its credit's, or without a rate for its prices", async () => {
  const database = await openTestDatabase();
  const start = (env: Record<string, string>) => startTestService({ database, env });
  const price = { MODEL_PRICE_INPUT_PER_MTOK: "1", MODEL_PRICE_OUTPUT_PER_MTOK: "4" };
  try {
    await expect(start({ ...price, CREDIT_CURRENCY: "CHF" })).rejects.toThrow(
      "CREDIT_EXCHANGE_RATE is not set but CREDIT_CURRENCY is CHF, and the prices of Headgate built-in are in USD: it should be what one USD costs in CHF, such as 0.79.",
    );
    // A free model needs no rate.
    await (await start({ CREDIT_CURRENCY: "CHF" })).close();
    const service = await start({ ...price, CREDIT_CURRENCY: "USD" });
    const client = service.client();
    const account = { name: "Ada", email: "ada@example.com", password: "four words of my own" };
    expect((await client.send("POST", "/auth/sign-up/email", account)).status).toBe(200);
    expect((await (await client("/me")).json()).credit).toMatchObject({ currency: "USD" });
    await service.close();
    await expect(start(price)).rejects.toThrow(
      "CREDIT_CURRENCY is GBP, but the credit in the database is in USD. Set CREDIT_CURRENCY=USD to keep it, or convert",
    );
  } finally {
    await database.close();
  }
});
