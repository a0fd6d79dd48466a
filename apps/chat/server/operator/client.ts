import { z } from "zod";
import type { FolderHolder } from "../database/folder-lock.ts";
import { StartError } from "../start-error.ts";
import { type Order, type Outcome, readOutcome } from "./order.ts";

const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Sends an order to the service that holds the database.
 *
 * @returns what {@link carryOut} returns
 * @throws {StartError} with the service's message if it fails, or if it cannot be reached
 */
export async function sendOrder(holder: FolderHolder, order: Order): Promise<Outcome | undefined> {
  const response = await ask(holder, order);
  const body: unknown = await response.json();
  if (response.ok) return readOutcome(body);
  const told = z.object({ error: z.string() }).safeParse(body).data?.error;
  throw new StartError(told ?? `The service answered ${response.status}.`);
}

async function ask({ pid, hostname, operator }: FolderHolder, order: Order): Promise<Response> {
  try {
    return await fetch(`${operator.url}/order`, {
      method: "POST",
      headers: { Authorization: `Bearer ${operator.token}` },
      body: JSON.stringify(order),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
  } catch {
    throw new StartError(
      `The database is in use by process ${pid} on ${hostname}, which this command cannot reach. ` +
        "Run the command where the service runs, such as in its container.",
    );
  }
}
