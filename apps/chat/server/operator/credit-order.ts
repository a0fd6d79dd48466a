import { z } from "zod";
import type { Credit } from "../../contract.ts";
import type { CreditService } from "../services/credit.ts";

const order = z.discriminatedUnion("action", [
  z.object({ action: z.literal("grant"), email: z.string(), amount: z.int() }),
  z.object({ action: z.literal("set"), email: z.string(), amount: z.int() }),
  z.object({ action: z.literal("show"), email: z.string() }),
]);

/** What an operator wants done to somebody's credit. Amounts are integer micros. */
export type CreditOrder = z.output<typeof order>;

/** @returns `undefined` for what is no order */
export function readCreditOrder(value: unknown): CreditOrder | undefined {
  return order.safeParse(value).data;
}

/** @returns how the account stands afterwards; `undefined` when nobody has this e-mail */
export function carryOut(order: CreditOrder, credit: CreditService): Promise<Credit | undefined> {
  if (order.action === "show") return credit.show(order.email);
  return credit[order.action](order.email, order.amount);
}
