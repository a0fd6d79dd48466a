import { isOperatorsMistake } from "headgate-console";
import { z } from "zod";
import type { Accounts } from "../services/accounts.ts";
import type { CallerLimits } from "../services/caller-limits.ts";
import { type CreditService, GrantError } from "../services/credit.ts";
import type { CreditCodes } from "../services/credit-codes.ts";
import type { Plans } from "../services/plans.ts";
import { limitOrder, limitOutcome } from "./limit-order.ts";

const order = z.discriminatedUnion("action", [
  limitOrder,
  z.object({ action: z.literal("plan"), email: z.string(), plan: z.string() }),
  z.object({ action: z.literal("grant"), email: z.string(), amount: z.int() }),
  z.object({ action: z.literal("set"), email: z.string(), amount: z.int() }),
  z.object({ action: z.literal("code"), amount: z.int().positive(), validMs: z.int().positive().optional() }),
  z.object({ action: z.literal("show"), email: z.string() }),
  z.object({ action: z.literal("reset-link"), email: z.string() }),
  z.object({ action: z.literal("invite"), email: z.string() }),
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
  credit: CreditService;
  codes: CreditCodes;
  accounts: Pick<Accounts, "resetLink" | "invite" | "setPlan" | "find">;
  /** Absent if there are no plans. */
  plans?: Pick<Plans, "table"> | undefined;
  callerLimits: Pick<CallerLimits, "carryOut">;
}

/** @returns `undefined` for an unknown e-mail or, for an invitation, a known one */
export async function carryOut(order: Order, services: OrderServices): Promise<Outcome | undefined> {
  const { credit, codes, accounts } = services;
  if (order.action === "limit") {
    try {
      return await services.callerLimits.carryOut(order);
    } catch (error) {
      if (isOperatorsMistake(error)) return { refused: error.message };
      throw error;
    }
  }
  if (order.action === "plan") return givePlan(order, services);
  if (order.action === "code") return { code: await codes.issue(order.amount, order.validMs) };
  if (order.action === "reset-link" || order.action === "invite") {
    const link = await (order.action === "invite"
      ? accounts.invite(order.email)
      : accounts.resetLink(order.email));
    return link === undefined ? undefined : { link };
  }
  if (order.action === "grant") {
    try {
      const granted = await credit.grant(order.email, order.amount);
      return granted && { credit: granted };
    } catch (error) {
      if (error instanceof GrantError) return { refused: error.message };
      throw error;
    }
  }
  const found = await (order.action === "show"
    ? credit.show(order.email)
    : credit.set(order.email, order.amount));
  return found === undefined ? undefined : { credit: found };
}

async function givePlan(
  { email, plan }: Extract<Order, { action: "plan" }>,
  { accounts, plans }: OrderServices,
): Promise<Outcome | undefined> {
  if (plans === undefined) return { refused: "There are no plans: PLANS_FILE is not set." };
  const names = Object.keys(plans.table.plans);
  const isNamed = names.includes(plan);
  // "default" removes a plan; no plan can have this name.
  if (!isNamed && plan !== "default")
    return { refused: `There is no plan ${JSON.stringify(plan)}: the plans are ${names.join(", ")}.` };
  const isFound = await accounts.setPlan(email, isNamed ? plan : null);
  return isFound ? { plan: isNamed ? plan : plans.table.default } : undefined;
}
