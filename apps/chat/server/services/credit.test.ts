import fc from "fast-check";
import { fakeClock } from "headgate/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startPostgres, type TestPostgres } from "../../testing/postgres.ts";
import { startTestService, TEST_START_MS } from "../../testing/service.ts";
import { type OpenDatabase, openDatabase } from "../database/connect.ts";
import { user } from "../database/schema.ts";
import { countCreditEntries, sumOfCreditEntries } from "../repositories/credit.ts";
import { createCredit } from "./credit.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

const terms = { monthlyAllowance: 1_000_000, currency: "USD" };
let postgres: TestPostgres;

afterAll(() => postgres?.stop());

describe.each(["embedded", "PostgreSQL"])("credit on %s", (kind) => {
  let open: OpenDatabase;

  beforeAll(async () => {
    if (kind === "PostgreSQL") postgres = await startPostgres();
    open = await (kind === "embedded"
      ? openTestDatabase()
      : openDatabase({ kind: "postgres", url: postgres.url }));
  });

  afterAll(() => open?.close());

  async function newPerson() {
    const id = crypto.randomUUID();
    const email = `${id}@example.com`;
    await open.database.insert(user).values({ id, email, name: "Ada" });
    const clock = fakeClock(TEST_START_MS);
    const credit = createCredit(open.database, clock, terms);
    const charge = (amount: number, answer: string = crypto.randomUUID()) =>
      open.database.transaction((transaction) => credit.charge(transaction, id, amount, answer));
    const balance = async () => (await credit.of(id)).balance;
    return { id, email, clock, credit, charge, balance };
  }

  test("the allowance is given once a month, and what is left of it expires", async () => {
    const { id, clock, charge, balance, credit } = await newPerson();
    expect(await credit.of(id)).toEqual({
      currency: "USD",
      balance: 1_000_000,
      monthlyAllowance: 1_000_000,
      renewsAt: "2026-12-01T00:00:00.000Z",
    });
    await charge(300_000);
    expect(await balance()).toBe(700_000);
    clock.set(Date.UTC(2026, 11, 1) - 1);
    expect(await balance()).toBe(700_000);
    clock.set(Date.UTC(2026, 11, 1));
    expect(await balance()).toBe(1_000_000);
    expect((await credit.of(id)).renewsAt).toBe("2027-01-01T00:00:00.000Z");
    expect(await countCreditEntries(open.database, id, "allowance")).toBe(2);
  });

  test("the allowance is spent first, and grants outlive the month", async () => {
    const { email, clock, credit, charge, balance } = await newPerson();
    await credit.grant(email.toUpperCase(), 5_000_000);
    await charge(1_500_000);
    expect(await balance()).toBe(4_500_000);
    clock.set(Date.UTC(2026, 11, 3));
    expect(await balance()).toBe(5_500_000);
  });

  test("the last answer may cost more than was left; the debt is carried over", async () => {
    const { clock, charge, balance } = await newPerson();
    await charge(1_200_000);
    expect(await balance()).toBe(-200_000);
    clock.set(Date.UTC(2026, 11, 3));
    expect(await balance()).toBe(800_000);
  });

  test("an operator can set a balance, and the next allowance is whole", async () => {
    const { email, clock, credit, balance } = await newPerson();
    expect((await credit.set(email, 0))?.balance).toBe(0);
    clock.set(Date.UTC(2026, 11, 3));
    expect(await balance()).toBe(1_000_000);
    expect((await credit.set(email, 2_500_000))?.balance).toBe(2_500_000);
    expect((await credit.set(email, -10))?.balance).toBe(-10);
    expect(await credit.show(email)).toMatchObject({ balance: -10 });
    expect(await credit.grant("nobody@example.com", 1)).toBeUndefined();
  });

  test("an answer is charged once, however often its charge is tried", async () => {
    const { charge, balance } = await newPerson();
    await charge(100, "answer-1");
    await charge(100, "answer-1");
    expect(await balance()).toBe(999_900);
  });

  test("of many charges at once none is lost, and the allowance is given once", async () => {
    const { id, charge, balance } = await newPerson();
    await Promise.all(Array.from({ length: 20 }, (_, index) => charge(index + 1)));
    expect(await balance()).toBe(1_000_000 - 210);
    expect(await countCreditEntries(open.database, id, "allowance")).toBe(1);
    expect(await countCreditEntries(open.database, id, "usage")).toBe(20);
  });

  test("whatever happens, the ledger adds up to the balance", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("charge" as const), amount: fc.integer({ min: 1, max: 2_000_000 }) }),
      fc.record({
        kind: fc.constant("grant" as const),
        amount: fc.integer({ min: -500_000, max: 3_000_000 }),
      }),
      fc.record({ kind: fc.constant("set" as const), amount: fc.integer({ min: -500_000, max: 3_000_000 }) }),
      fc.record({ kind: fc.constant("wait" as const), amount: fc.integer({ min: 1, max: 40 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { id, email, clock, credit, charge, balance } = await newPerson();
        for (const { kind, amount } of steps) {
          if (kind === "charge") await charge(amount);
          else if (kind === "wait") clock.advance(amount * 86_400_000);
          else await credit[kind](email, amount);
        }
        const left = await balance();
        expect(await sumOfCreditEntries(open.database, id)).toBe(left);
        expect(Number.isSafeInteger(left)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});

test("with no credit left a message is a 402 that gives the rate limit's charge back", async () => {
  const service = await startTestService({
    env: {
      RATE_LIMIT_CHAT_PER_MIN: "5",
      CREDIT_MONTHLY_ALLOWANCE: "0.0001",
      MODEL_PRICE_INPUT_PER_MTOK: "1",
      MODEL_PRICE_OUTPUT_PER_MTOK: "4",
    },
  });
  const client = service.client();
  const person = { email: "spent@example.com", password: "correct horse battery", name: "Spent" };
  await client.send("POST", "/auth/sign-up/email", person);

  // 0.0001 is less than one answer costs: the first is given all the same, and ends below zero.
  const first = await client.ask("take-home on £45,000");
  expect(first.response.status).toBe(200);
  const refused = await client.ask("and in Scotland?", { conversation_id: first.conversationId });
  expect(refused.response.status).toBe(402);
  expect(refused.response.headers.get("Retry-After")).toBeNull();
  const me = await (await client("/me")).json();
  expect(refused.problem).toMatchObject({
    status: 402,
    error: "payment_required",
    balance: me.credit.balance,
    currency: "USD",
    monthly_allowance: 100,
    renews_at: "2026-12-01T00:00:00.000Z",
  });
  expect(me.credit.balance).toBeLessThan(0);
  expect(me.quota[0]).toMatchObject({ name: "user-per-minute", remaining: 4 });
  const { messages } = await (await client(`/conversations/${first.conversationId}`)).json();
  expect(messages).toHaveLength(2);

  // Without an account there is nothing to charge: the limits alone hold.
  expect((await service.client().ask("take-home on £45,000")).response.status).toBe(200);
  await service.close();
});

test("a model that costs nothing asks for no credit, and shows none", async () => {
  const service = await startTestService({ env: { CREDIT_MONTHLY_ALLOWANCE: "0" } });
  const client = service.client();
  await client.send("POST", "/auth/sign-up/email", {
    email: "free@example.com",
    password: "correct horse battery",
    name: "Free",
  });
  expect((await client.ask("take-home on £45,000")).response.status).toBe(200);
  expect((await (await client("/me")).json()).credit).toBeNull();
  await service.close();
});
