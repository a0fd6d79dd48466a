import { z } from "zod";
import type { Credit } from "../../contract.ts";
import type { FolderHolder } from "../database/folder-lock.ts";
import type { CreditOrder } from "./credit-order.ts";

const ANSWER_TIMEOUT_MS = 5_000;

const answered = z.object({
  credit: z
    .object({
      currency: z.string(),
      balance: z.number(),
      monthlyAllowance: z.number(),
      renewsAt: z.string(),
    })
    .nullable(),
});

/** Whether the process that a lock file names still runs: it answers at its door, and knows the lock's own word. */
export async function isHolderAlive(holder: FolderHolder): Promise<boolean> {
  try {
    const response = await fetch(`${holder.operator.url}/alive`, withToken(holder));
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Has the service that holds the database carry out an order.
 *
 * @returns `undefined` when there is no account with this e-mail
 * @throws {Error} with the service's own words, when it cannot
 */
export async function sendOrder(holder: FolderHolder, order: CreditOrder): Promise<Credit | undefined> {
  const response = await fetch(`${holder.operator.url}/credit`, {
    ...withToken(holder),
    method: "POST",
    body: JSON.stringify(order),
  });
  const body: unknown = await response.json();
  if (!response.ok) {
    throw new Error(
      z.object({ error: z.string() }).safeParse(body).data?.error ?? `status ${response.status}`,
    );
  }
  return answered.parse(body).credit ?? undefined;
}

function withToken(holder: FolderHolder): RequestInit {
  return {
    headers: { Authorization: `Bearer ${holder.operator.token}` },
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  };
}
