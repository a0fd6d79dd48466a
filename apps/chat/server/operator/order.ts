import type { Clock } from "headgate";
import { isOperatorsMistake } from "headgate-console";
import { z } from "zod";
import type { Credit } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { formatMicros } from "../money.ts";
import type { Accounts } from "../services/accounts.ts";
import { anybodyWithCode, writeAuditLine } from "../services/audit.ts";
import type { CallerLimits } from "../services/caller-limits.ts";
import { type CreditService, GrantError } from "../services/credit.ts";
import type { CreditCodes } from "../services/credit-codes.ts";
import type { Plans } from "../services/plans.ts";
import { attributed, limitOrder, limitOutcome } from "./limit-order.ts";

const order = z.discriminatedUnion("action", [
  limitOrder,
  z.object({ action: z.literal("plan"), email: z.string(), plan: z.string(), ...attributed }),
  z.object({ action: z.literal("grant"), email: z.string(), amount: z.int(), ...attributed }),
  z.object({ action: z.literal("set"), email: z.string(), amount: z.int(), ...attributed }),
  z.object({
    action: z.literal("code"),
    amount: z.int().positive(),
    validMs: z.int().positive().optional(),
    ...attributed,
  }),
  z.object({ action: z.literal("show"), email: z.string() }),
  z.object({ action: z.literal("reset-link"), email: z.string(), ...attributed }),
  z.object({ action: z.literal("invite"), email: z.string(), ...attributed }),
]);

/** An operator's order about an account, a caller or a top-up code. Amounts are in integer micros. */
export type Order = z.output<typeof order>;

const outcome = z.union([
  z.object({
    credit: z.object({
      currency: z.string(),
      balance: z.number(),
      monthlyAllowance: z.number(),
      renewsAt: z.string(),
    }),
  }),
  z.object({ link: z.string() }),
  z.object({ code: z.string() }),
  z.object({ plan: z.string() }),
  limitOutcome,
  z.object({ refused: z.string() }),
]);

/** The state of the account or the caller afterwards, the link for its owner, or the code; or why the order failed. */
export type Outcome = z.output<typeof outcome>;

/** @returns `undefined` if the value is not an order */
export function readOrder(value: unknown): Order | undefined {
  return order.safeParse(value).data;
}

/** @returns `undefined` if the value is not an outcome */
export function readOutcome(value: unknown): Outcome | undefined {
  return outcome.safeParse(value).data;
}

export interface OrderServices {
  database: Database;
  clock: Clock;
  credit: CreditService;
  codes: CreditCodes;
  accounts: Pick<Accounts, "resetLink" | "invite" | "setPlan" | "find">;
  /** Absent if there are no plans. */
  plans?: Pick<Plans, "table"> | undefined;
  callerLimits: Pick<CallerLimits, "carryOut">;
}

/**
 * Carries out an order, and writes it into the log of actions.
 *
 * @returns `undefined` for an unknown e-mail or, for an invitation, a known one
 */
export async function carryOut(order: Order, services: OrderServices): Promise<Outcome | undefined> {
  const { credit, codes } = services;
  if (order.action === "limit") {
    try {
      return await services.callerLimits.carryOut(order);
    } catch (error) {
      if (isOperatorsMistake(error)) return { refused: error.message };
      throw error;
    }
  }
  if (order.action === "plan") return givePlan(order, services);
  if (order.action === "reset-link" || order.action === "invite") return issueLink(order, services);
  if (order.action === "show") return asOutcome(await credit.show(order.email));
  const record = await recordOf(order, services);
  if (order.action === "code") return { code: await codes.issue(order.amount, order.validMs, record) };
  if (order.action === "set") return asOutcome(await credit.set(order.email, order.amount, record));
  try {
    return asOutcome(await credit.grant(order.email, order.amount, { record }));
  } catch (error) {
    if (error instanceof GrantError) return { refused: error.message };
    throw error;
  }
}

function asOutcome(credit: Credit | undefined): Outcome | undefined {
  return credit && { credit };
}

/** Writes an order about money, in the transaction that carries it out. */
async function recordOf(
  order: Extract<Order, { action: "code" | "set" | "grant" }>,
  { accounts, clock, credit }: OrderServices,
): Promise<(transaction: Database) => Promise<void>> {
  const { amount, by, reason } = order;
  const limits = formatMicros(amount, credit.currency);
  if (order.action === "code") {
    const until = order.validMs === undefined ? null : new Date(clock.now() + order.validMs);
    const line = { of: anybodyWithCode, what: "code", limits, until, by, reason } as const;
    return (transaction) => writeAuditLine(transaction, clock, line);
  }
  const what = order.action === "set" ? "set-credit" : "grant";
  const line = { ...(await accountIn(order.email, accounts)), what, limits, by, reason } as const;
  return (transaction) => writeAuditLine(transaction, clock, line);
}

/** The account that a line of the log is about. */
async function accountIn(email: string, accounts: OrderServices["accounts"]) {
  return { of: email, userId: (await accounts.find(email))?.id ?? null };
}

async function issueLink(
  { action, email, by, reason }: Extract<Order, { action: "reset-link" | "invite" }>,
  { accounts, database, clock }: OrderServices,
): Promise<Outcome | undefined> {
  const link = await (action === "invite" ? accounts.invite(email) : accounts.resetLink(email));
  if (link === undefined) return undefined;
  const account = await accountIn(email, accounts);
  // Before anybody has the link. If this fails, nobody gets it.
  await writeAuditLine(database, clock, { ...account, what: action, limits: null, by, reason });
  return { link };
}

async function givePlan(
  { email, plan, by, reason }: Extract<Order, { action: "plan" }>,
  { accounts, plans, clock }: OrderServices,
): Promise<Outcome | undefined> {
  if (plans === undefined) return { refused: "There are no plans: PLANS_FILE is not set." };
  const names = Object.keys(plans.table.plans);
  const isNamed = names.includes(plan);
  // "default" removes a plan; no plan can have this name.
  if (!isNamed && plan !== "default")
    return { refused: `There is no plan ${JSON.stringify(plan)}: the plans are ${names.join(", ")}.` };
  const account = await accountIn(email, accounts);
  const line = { ...account, what: "plan", limits: `plan ${plan}`, by, reason } as const;
  const isFound = await accounts.setPlan(email, isNamed ? plan : null, (transaction) =>
    writeAuditLine(transaction, clock, line),
  );
  return isFound ? { plan: isNamed ? plan : plans.table.default } : undefined;
}
