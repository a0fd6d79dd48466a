import type { StopRequest, StopResponse } from "../../../contract.ts";
import { api } from "../service/api.ts";
import type { TurnUnderWay } from "./turn-under-way.ts";

/** How long a stopped answer may take to end before this page stops reading, in milliseconds. */
const stopMs = 2_000;

/** The time between two attempts to stop an answer, which may not have begun yet, in milliseconds. */
const stopAgainMs = 250;

/**
 * Asks the service to end this answer, and repeats the request until it is confirmed, because the answer may not have
 * begun yet.
 *
 * @param isUnderWay returns whether the turn is still in progress
 */
export async function askToStop(
  own: TurnUnderWay,
  currentId: () => string | undefined,
  isUnderWay: () => boolean,
): Promise<void> {
  const overdue = setTimeout(() => own.abort.abort(), stopMs);
  while (isUnderWay() && !own.abort.signal.aborted) {
    const conversationId = currentId();
    const request: StopRequest = {
      message_id: own.messageId,
      ...(conversationId === undefined ? {} : { conversation_id: conversationId }),
    };
    const isHeard = await api<StopResponse>("/chat/stop", { method: "POST", body: request }).then(
      ({ stopped }) => stopped,
      () => false,
    );
    if (isHeard) return;
    await new Promise((resolve) => setTimeout(resolve, stopAgainMs));
  }
  clearTimeout(overdue);
}
