import { z } from "zod";
import type { Accounts } from "../services/accounts.ts";
import type { CreditService } from "../services/credit.ts";
import type { CreditCodes } from "../services/credit-codes.ts";

const order = z.discriminatedUnion("action", [
  z.object({ action: z.literal("grant"), email: z.string(), amount: z.int() }),
  z.object({ action: z.literal("set"), email: z.string(), amount: z.int() }),
  z.object({ action: z.literal("code"), amount: z.int().positive(), validMs: z.int().positive().optional() }),
  z.object({ action: z.literal("show"), email: z.string() }),
  z.object({ action: z.literal("reset-link"), email: z.string() }),
  z.object({ action: z.literal("invite"), email: z.string() }),
]);

/** What an operator wants done to an account, or a code that any account can use. Amounts are integer micros. */
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
]);

/** How the account stands afterwards, or the link for its owner, or the code. */
export type Outcome = z.output<typeof outcome>;

/** @returns `undefined` for what is no order */
export function readOrder(value: unknown): Order | undefined {
  return order.safeParse(value).data;
}

/** @returns `undefined` for what is no outcome */
export function readOutcome(value: unknown): Outcome | undefined {
  return outcome.safeParse(value).data;
}

export interface OrderServices {
  credit: CreditService;
  codes: CreditCodes;
  accounts: Pick<Accounts, "resetLink" | "invite">;
}

/** @returns `undefined` when nobody has this e-mail, or, for an invitation, when somebody has it */
export async function carryOut(
  order: Order,
  { credit, codes, accounts }: OrderServices,
): Promise<Outcome | undefined> {
  if (order.action === "code") return { code: await codes.issue(order.amount, order.validMs) };
  if (order.action === "reset-link" || order.action === "invite") {
    const link = await (order.action === "invite"
      ? accounts.invite(order.email)
      : accounts.resetLink(order.email));
    return link === undefined ? undefined : { link };
  }
  const found = await (order.action === "show"
    ? credit.show(order.email)
    : credit[order.action](order.email, order.amount));
  return found === undefined ? undefined : { credit: found };
}
