import { z } from "zod";
import type { Database } from "../database/connect.ts";
import { notFound } from "../http/problems.ts";
import { findConversation } from "../repositories/conversations.ts";
import { findRunningTurnIn, requestStop, type StopTarget } from "../repositories/turns.ts";
import type { KnownTurn } from "./asked-question.ts";
import { isConversationId } from "./conversations.ts";
import type { Journal } from "./journal.ts";
import { readableId } from "./message-request.ts";

/** The body of `POST /chat/stop`. */
export const stopRequest = z
  .object(
    { conversation_id: readableId.nullish(), message_id: readableId.nullish() },
    { error: "should be an object with conversation_id, message_id or both" },
  )
  .refine(({ conversation_id, message_id }) => conversation_id || message_id, {
    error: "should name a conversation_id, a message_id or both",
  });

export interface StoppingService {
  /**
   * Ends running answers of this process or another. Their parts so far are kept and charged.
   *
   * @returns how many answers were ended
   * @throws {HttpProblem} 404 for a conversation that is not the owner's
   */
  stop(owner: string | undefined, target: z.output<typeof stopRequest>): Promise<number>;
  /**
   * Returns the newest running answer of a conversation.
   *
   * @throws {HttpProblem} 404 for a conversation that is not the owner's
   */
  running(owner: string | undefined, conversationId: string): Promise<KnownTurn | undefined>;
}

export function createStopping(database: Database, journal: Pick<Journal, "stop">): StoppingService {
  async function assertOwn(owner: string | undefined, conversationId: string): Promise<void> {
    const isOwn =
      owner !== undefined &&
      isConversationId(conversationId) &&
      (await findConversation(database, owner, conversationId));
    if (!isOwn) throw notFound("conversation");
  }

  async function targetOf(
    owner: string | undefined,
    { conversation_id: conversationId, message_id: messageId }: z.output<typeof stopRequest>,
  ): Promise<StopTarget | undefined> {
    if (conversationId) {
      await assertOwn(owner, conversationId);
      return { conversationId, messageId: messageId ?? undefined };
    }
    return owner !== undefined && messageId ? { owner, openingMessageId: messageId } : undefined;
  }

  return {
    async stop(owner, asked) {
      const target = await targetOf(owner, asked);
      const stopped = target ? await requestStop(database, target) : [];
      for (const answerId of stopped) journal.stop(answerId);
      return stopped.length;
    },

    async running(owner, conversationId) {
      await assertOwn(owner, conversationId);
      const turn = await findRunningTurnIn(database, conversationId);
      return turn && { kind: "known", conversationId, answerId: turn.answerId };
    },
  };
}
