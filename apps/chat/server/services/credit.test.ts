import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { eq, sql } from "drizzle-orm";
import fc from "fast-check";
import { fakeClock } from "headgate/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Credit } from "../../contract.ts";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import {
  startTestService,
  TEST_START_MS,
  type TestClient,
  type TestService,
  until,
} from "../../testing/service.ts";
import { type OpenDatabase, openDatabase } from "../database/connect.ts";
import { turns, user } from "../database/schema.ts";
import { tokensIn } from "../model/answer.ts";
import { countCreditEntries, sumOfCreditEntries } from "../repositories/credit.ts";
import { noUsage } from "../usage.ts";
import { createCredit } from "./credit.ts";
import { createTurns, type Turn } from "./turns.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

const terms = { monthlyAllowance: 1_000_000, currency: "GBP" };
let postgres: PostgresServer;

afterAll(() => postgres?.remove());

describe.each(["embedded", "PostgreSQL"])("credit on %s", (kind) => {
  let open: OpenDatabase;

  beforeAll(async () => {
    if (kind === "PostgreSQL") postgres ??= await startPostgres();
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
    const settle = (cost: number, held: number, reference: string) =>
      open.database.transaction((transaction) =>
        credit.settle(transaction, id, { reference, cost, held, usage: noUsage, priceVersion: "test" }),
      );
    const charge = (cost: number, reference: string = crypto.randomUUID()) => settle(cost, 0, reference);
    const hold = (amount: number) =>
      open.database.transaction((transaction) => credit.hold(transaction, id, amount));
    const balance = async () => (await credit.of(id)).balance;
    return { id, email, clock, credit, charge, hold, settle, balance };
  }

  test("the allowance is granted once a month, and the rest expires", async () => {
    const { id, clock, charge, balance, credit } = await newPerson();
    expect(await credit.of(id)).toEqual({
      currency: "GBP",
      balance: 1_000_000,
      held: 0,
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

  test("the allowance is granted once in each month of the service's time zone", async () => {
    const { id, email, clock, charge } = await newPerson();
    const credit = createCredit(open.database, clock, { ...terms, timeZone: "Europe/London" });
    // June ends an hour earlier in London than in UTC.
    clock.set(Date.parse("2027-06-30T22:59:59Z"));
    expect((await credit.of(id)).renewsAt).toBe("2027-06-30T23:00:00.000Z");
    await charge(400_000);
    expect((await credit.of(id)).balance).toBe(600_000);
    clock.set(Date.parse("2027-06-30T23:00:00Z"));
    expect(await credit.of(id)).toMatchObject({ balance: 1_000_000, renewsAt: "2027-07-31T23:00:00.000Z" });
    // A service that uses UTC again is still in June, and does not grant July's allowance again.
    await charge(300_000);
    expect((await createCredit(open.database, clock, terms).of(id)).balance).toBe(700_000);
    clock.set(Date.parse("2027-07-01T00:00:00Z"));
    expect((await createCredit(open.database, clock, terms).of(id)).balance).toBe(700_000);
    expect((await credit.show(email))?.balance).toBe(700_000);
  });

  test("the allowance is spent first, and grants do not expire with the month", async () => {
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

  test("an operator can set a balance, and the next allowance is complete", async () => {
    const { email, clock, credit, balance } = await newPerson();
    expect((await credit.set(email, 0))?.balance).toBe(0);
    clock.set(Date.UTC(2026, 11, 3));
    expect(await balance()).toBe(1_000_000);
    expect((await credit.set(email, 2_500_000))?.balance).toBe(2_500_000);
    expect((await credit.set(email, -10))?.balance).toBe(-10);
    expect(await credit.show(email)).toMatchObject({ balance: -10 });
    expect(await credit.grant("nobody@example.com", 1)).toBeUndefined();
  });

  test("an answer is charged once, however often the charge is repeated", async () => {
    const { charge, balance } = await newPerson();
    await charge(100, "answer-1");
    await charge(100, "answer-1");
    expect(await balance()).toBe(999_900);
  });

  test("of many simultaneous charges none is lost, and the allowance is granted once", async () => {
    const { id, charge, balance } = await newPerson();
    await Promise.all(Array.from({ length: 20 }, (_, index) => charge(index + 1)));
    expect(await balance()).toBe(1_000_000 - 210);
    expect(await countCreditEntries(open.database, id, "allowance")).toBe(1);
    expect(await countCreditEntries(open.database, id, "usage")).toBe(20);
  });

  test("simultaneous holds never exceed the credit", async () => {
    const { hold, settle, credit, id } = await newPerson();
    const held = await Promise.all(Array.from({ length: 50 }, () => hold(300_000)));
    expect(held.filter(Boolean)).toHaveLength(3);
    expect(await credit.of(id)).toMatchObject({ balance: 1_000_000, held: 900_000 });
    await settle(250_000, 300_000, "one");
    expect(await credit.of(id)).toMatchObject({ balance: 750_000, held: 600_000 });
    expect([await hold(150_001), await hold(150_000)]).toEqual([false, true]);
  });

  test("an account that is deleted during its answer is charged nothing", async () => {
    const { hold, settle, id } = await newPerson();
    await hold(100);
    await open.database.delete(user).where(eq(user.id, id));
    await settle(100, 100, "late");
    expect(await countCreditEntries(open.database, id, "usage")).toBe(0);
  });

  test("the ledger always adds up to the balance", async () => {
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

const chunkPrice = {
  MODEL_PRICE_INPUT_PER_MTOK: "0",
  MODEL_PRICE_OUTPUT_PER_MTOK: "1000",
  // These prices give round figures.
  CREDIT_EXCHANGE_RATE: "1",
};
/** The cost of a chunk of 256 tokens at these prices. */
const CHUNK = 256_000;

async function signUp(client: TestClient, name: string): Promise<TestClient> {
  const person = { email: `${name}@example.com`, password: "correct horse battery", name };
  await client.send("POST", "/auth/sign-up/email", person);
  return client;
}

describe.each(["embedded", "PostgreSQL"])("paid messages, on %s", (kind) => {
  let database: OpenDatabase;
  let provider: OpenAiServer;
  let service: TestService;
  let client: TestClient;

  async function start(env: Record<string, string>) {
    service = await startTestService({
      database,
      answerLimits: { retries: 0 },
      env: {
        RATE_LIMIT_CHAT_PER_MIN: "1000",
        RATE_LIMIT_CHAT_IP_PER_MIN: "1000",
        RATE_LIMIT_CHAT_PER_HOUR: "1000",
        LLM_BASE_URL: provider.url,
        LLM_MODEL: "test-model",
        ...chunkPrice,
        ...env,
      },
    });
    client = await signUp(service.client(), crypto.randomUUID());
  }

  beforeAll(async () => {
    if (kind === "PostgreSQL") postgres ??= await startPostgres();
    database = await (kind === "embedded"
      ? openTestDatabase()
      : openDatabase({ kind: "postgres", url: postgres.url }));
  });

  beforeEach(async () => {
    provider = await startOpenAiServer({ text: "one two three four five six" });
  });

  afterEach(async () => {
    provider.release(Number.POSITIVE_INFINITY);
    await service.close();
    await provider.close();
  });

  afterAll(() => database.close());

  async function creditOf(as = client): Promise<Credit> {
    return (await (await as("/me")).json()).credit;
  }

  async function ledger(): Promise<Record<string, unknown>[]> {
    return (await (await client("/account/export")).json()).credit.filter(
      (entry: { kind: string }) => entry.kind === "usage",
    );
  }

  test("are answered only as far as credit goes: three of fifty simultaneous messages, with a balance above zero", async () => {
    await start({ CREDIT_MONTHLY_ALLOWANCE: "0.80" });
    provider.setMode("slow");
    let refused = 0;
    const sent = Array.from({ length: 50 }, async (_, index) => {
      const asked = await client.ask(`question ${index}`);
      if (asked.response.status === 402) refused += 1;
      return asked;
    });
    await until(async () => refused === 47 && provider.requests.length === 3);
    expect((await creditOf()).held).toBe(3 * CHUNK);
    provider.release(Number.POSITIVE_INFINITY);
    const statuses = (await Promise.all(sent)).map(({ response }) => response.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(statuses.filter((status) => status === 402)).toHaveLength(47);
    const words = Math.ceil("one two three four five six".length / 4);
    expect(await creditOf()).toMatchObject({ balance: 800_000 - 3 * words * 1_000, held: 0 });
    expect(await ledger()).toMatchObject(
      Array.from({ length: 3 }, () => ({ amount: -words * 1_000, held: CHUNK, outputTokens: words })),
    );
  });

  test("with too little credit for a first chunk, a message is a 402, and its rate limit charge is refunded", async () => {
    await start({ CREDIT_MONTHLY_ALLOWANCE: "0.255" });
    const before = (await (await client("/me")).json()).quota[0].remaining;
    const refused = await client.ask("anything");
    expect(refused.response.status).toBe(402);
    expect(refused.response.headers.get("Retry-After")).toBeNull();
    expect(refused.problem).toMatchObject({
      error: "payment_required",
      balance: 255_000,
      held: 0,
      currency: "GBP",
      monthly_allowance: 255_000,
      renews_at: "2026-12-01T00:00:00.000Z",
      detail: expect.stringContaining("less than this message may cost"),
    });
    expect((await (await client("/me")).json()).quota[0].remaining).toBe(before);
    // Nothing is stored, and the model is not called.
    expect((await (await client("/conversations")).json()).conversations).toEqual([]);
    expect(provider.requests).toEqual([]);
    // Without an account, only the limits apply.
    expect((await service.client().ask("anything")).response.status).toBe(200);
  });

  test("an answer holds credit chunk by chunk, and ends cleanly when there is no more", async () => {
    await start({ CREDIT_MONTHLY_ALLOWANCE: "0.60" });
    provider.setText("four ".repeat(2_000));
    const { response, chunks, conversationId } = await client.ask("at length");
    expect(response.status).toBe(200);
    expect(chunks.at(-1)).toEqual({ type: "finish", finishReason: "length" });
    const { messages } = await (await client(`/conversations/${conversationId}`)).json();
    expect(messages[1].metadata.incomplete).toBe("credit");
    expect(messages[1].parts[1].text.length).toBeGreaterThan(1_000);
    const { balance, held } = await creditOf();
    expect(held).toBe(0);
    // The balance may be below zero only by the words that were in transit when the model was stopped.
    expect(balance).toBeGreaterThan(-CHUNK / 8);
    expect(balance).toBeLessThanOrEqual(0);
  });

  test("a failed answer is free, and its hold is released", async () => {
    await start({ CREDIT_MONTHLY_ALLOWANCE: "1.00" });
    provider.setMode("fail-500");
    expect((await client.ask("anything")).response.status).toBe(503);
    expect(await creditOf()).toMatchObject({ balance: 1_000_000, held: 0 });
  });

  test("a crash before the first word costs nothing, although the model has read the question", async () => {
    await start({ CREDIT_MONTHLY_ALLOWANCE: "1.00", MODEL_PRICE_INPUT_PER_MTOK: "10" });
    provider.setMode("slow");
    const sent = client.send("POST", "/chat/message", {
      messages: [{ id: "q1", role: "user", content: "count" }],
    });
    const { answerId } = await until(async () => {
      const rows = await database.database.select().from(turns).where(eq(turns.messageId, "q1"));
      return rows.find(({ used, endedAt }) => used > 0 && endedAt === null);
    });
    await database.database
      .update(turns)
      .set({ beatAt: sql`now() - interval '31 seconds'` })
      .where(eq(turns.answerId, answerId));
    const swept = createTurns(
      database.database,
      service.clock,
      createCredit(database.database, service.clock, terms),
    );
    expect(await swept.sweep(30_000)).toBe(1);
    expect(await creditOf()).toMatchObject({ balance: 1_000_000, held: 0 });
    expect(await ledger()).toEqual([]);
    provider.release(Number.POSITIVE_INFINITY);
    await (await sent).text();
  });

  test("a process whose heartbeats are late does not end its own answers", async () => {
    await start({ CREDIT_MONTHLY_ALLOWANCE: "1.00" });
    const open = database.database;
    const { clock } = service;
    const credit = createCredit(open, clock, terms);
    const [mine, other] = [createTurns(open, clock, credit), createTurns(open, clock, credit)];
    const begin = async (id: string) =>
      (await mine.begin(
        {
          owner: "busy",
          payer: undefined,
          messages: [{ id, role: "user", text: "count" }],
          conversationId: undefined,
          replaces: undefined,
        },
        { name: "test-model", priceVersion: "1" },
        async () => 0,
      )) as Turn;
    const [first, second] = [await begin("q1"), await begin("q2")];
    await open.update(turns).set({ beatAt: sql`now() - interval '31 seconds'` });
    expect(await mine.sweep(30_000)).toBe(0);
    await mine.abandon(first);
    expect(await mine.sweep(30_000)).toBe(0);
    expect(await other.sweep(30_000)).toBe(1);
    await mine.abandon(second);
    expect(await other.sweep(30_000)).toBe(0);
  });

  test("after a crash the partial answer is kept and charged, and the rest of its hold released", async () => {
    await start({ CREDIT_MONTHLY_ALLOWANCE: "1.00" });
    provider.setMode("slow");
    const sent = client.send("POST", "/chat/message", {
      messages: [{ id: "q1", role: "user", content: "count" }],
    });
    provider.release(3);
    const response = await sent;
    const conversationId = response.headers.get("X-Conversation-Id") ?? "";
    await until(async () => {
      const rows = await database.database
        .select()
        .from(turns)
        .where(eq(turns.conversationId, conversationId));
      return rows[0]?.outputTokens === tokensIn("one two three".length);
    });
    // Simulate a process that has been gone for longer than the lease.
    await database.database.update(turns).set({ beatAt: sql`now() - interval '31 seconds'` });
    const other = createTurns(
      database.database,
      service.clock,
      createCredit(database.database, service.clock, terms),
    );
    expect(await other.sweep(30_000)).toBe(1);
    expect(await other.sweep(30_000)).toBe(0);
    const { messages } = await (await client(`/conversations/${conversationId}`)).json();
    expect(messages[1]).toMatchObject({ metadata: { incomplete: "failed" } });
    expect(messages[1].parts.find((part: { type: string }) => part.type === "text").text).toBe(
      "one two three",
    );
    const charged = tokensIn("one two three".length) * 1_000;
    expect(await creditOf()).toMatchObject({ balance: 1_000_000 - charged, held: 0 });
    // The slow process cannot change anything now.
    provider.release(Number.POSITIVE_INFINITY);
    await response.text();
    expect(await creditOf()).toMatchObject({ balance: 1_000_000 - charged, held: 0 });
    expect(await ledger()).toHaveLength(1);
  });
});

test("a free model needs no credit, and shows none", async () => {
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
