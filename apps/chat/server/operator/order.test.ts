import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { openDatabase } from "../database/connect.ts";
import { deleteAccount, findUserByEmail } from "../repositories/accounts.ts";
import { listLimitChanges } from "../repositories/limit-changes.ts";
import { createAccounts } from "../services/accounts.ts";
import { auditSettings } from "../services/audit.ts";
import { createCredit } from "../services/credit.ts";
import { createCreditCodes } from "../services/credit-codes.ts";
import { convertCurrency } from "../services/currency.ts";
import { createOperatorDesk } from "../services/operator-desk.ts";
import { carryOut, type Order } from "./order.ts";

const clock = { now: () => Date.UTC(2026, 0, 1) };
const email = "ada@example.com";
const told = { by: "eve (command)", reason: "asked by phone" };
let open: Awaited<ReturnType<typeof openDatabase>>;

beforeAll(async () => {
  open = await openDatabase({ kind: "memory" });
});

afterAll(() => open.close());

function order(given: Order) {
  const { database } = open;
  const credit = createCredit(database, clock, { monthlyAllowance: 0, currency: "USD" });
  const codes = createCreditCodes(database, clock, credit);
  const accounts = createAccounts({
    database,
    secret: "a secret of thirty-two characters",
    publicUrl: null,
    linkOrigin: "http://localhost:3000",
    signUp: "open",
    mail: null,
  });
  const plans = { table: { default: "free", plans: { free: {}, pro: {} } } } as never;
  return carryOut(given, {
    database,
    clock,
    credit,
    codes,
    accounts,
    plans,
    callerLimits: {} as never,
  });
}

const log = async () =>
  (await listLimitChanges(open.database, 100)).map(({ what, of, limits, until, reason, by }) => ({
    what,
    of,
    limits,
    until: until?.getTime() ?? null,
    reason,
    by,
  }));

test("every order about money and rights is in the log, with its author and reason", async () => {
  await order({ action: "invite", email, ...told });
  await order({ action: "invite", email, ...told });
  await order({ action: "reset-link", email: "nobody@example.com", ...told });
  await order({ action: "reset-link", email, by: told.by });
  await order({ action: "plan", email, plan: "pro", ...told });
  await order({ action: "plan", email, plan: "gold", ...told });
  await order({ action: "grant", email, amount: 5_000_000, ...told });
  await order({ action: "grant", email, amount: 2_000_000_000_000, ...told });
  await order({ action: "set", email, amount: 0, ...told });
  await order({ action: "set", email: "nobody@example.com", amount: 0, ...told });
  await order({ action: "code", amount: 2_500_000, validMs: 86_400_000, ...told });
  await order({ action: "show", email });
  await convertCurrency(open.database, clock, { from: "USD", to: "GBP", rate: 790_000, ...told });
  const done = { of: email, limits: null, until: null, ...told };
  expect((await log()).reverse()).toEqual([
    { ...done, what: "invite" },
    { ...done, what: "reset-link", reason: null },
    { ...done, what: "plan", limits: "plan pro" },
    { ...done, what: "grant", limits: "5.00 USD" },
    { ...done, what: "set-credit", limits: "0.00 USD" },
    {
      ...done,
      what: "code",
      of: "anybody with the code",
      limits: "2.50 USD",
      until: clock.now() + 86_400_000,
    },
    { ...done, what: "convert", of: "all credit", limits: "USD to GBP at 0.79" },
  ]);
});

test("the console shows what answers have cost, in the service's currency", async () => {
  const { database } = open;
  const credit = createCredit(database, clock, { monthlyAllowance: 0, currency: "GBP" });
  const user = await findUserByEmail(database, email);
  const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };
  for (const [reference, cost] of [
    ["one", 250_000],
    ["two", 500_000],
  ] as const)
    await credit.settle(database, user?.id ?? "", { reference, cost, held: 0, usage, priceVersion: "1" });
  const costAt = (hours: number) =>
    createOperatorDesk({
      database,
      clock: { now: () => clock.now() + hours * 3_600_000 },
      callerLimits: {} as never,
      credit,
      codes: {} as never,
      currency: "GBP",
    }).credit.cost?.();
  expect(await costAt(0.5)).toEqual({
    held: "0.00 GBP",
    holders: 0,
    usedInHour: "0.75 GBP",
    usedInDay: "0.75 GBP",
  });
  expect(await costAt(2)).toMatchObject({ usedInHour: "0.00 GBP", usedInDay: "0.75 GBP" });
});

test("a deleted account keeps its lines, without its e-mail address", async () => {
  const user = await findUserByEmail(open.database, email);
  const before = await log();
  await deleteAccount(open.database, user?.id ?? "", `account:${user?.id}`);
  const after = await log();
  expect(after.length).toBe(before.length);
  expect(JSON.stringify(after)).not.toContain(email);
  expect(after.at(-1)).toMatchObject({ what: "invite", of: `account:${user?.id}` });
});

test("a changed setting is in the log once, including a first operator; unchanged settings are not", async () => {
  const settings = { OPERATOR_EMAILS: "ada@example.com" };
  const lines = (await log()).length;
  const start = (more: Record<string, string>) =>
    auditSettings(open.database, clock, loadConfig({ ...settings, ...more }));
  const added = async () => (await log()).slice(0, (await log()).length - lines);
  await start({});
  expect(await added()).toMatchObject([
    { what: "setting", of: "OPERATOR_EMAILS", limits: "ada@example.com", reason: "was none" },
  ]);
  await start({ RATE_LIMIT_CHAT_PER_MIN: "7" });
  await start({ RATE_LIMIT_CHAT_PER_MIN: "7" });
  expect(await added()).toMatchObject([
    {
      of: "RATE_LIMIT_CHAT_PER_MIN",
      limits: expect.stringMatching(/^7/),
      by: expect.stringMatching(/ \(start\)$/),
    },
    { of: "OPERATOR_EMAILS" },
  ]);
});
