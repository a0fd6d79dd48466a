import type { AnswerMetadata, ChatMessage } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { lockConversationById } from "../repositories/conversations.ts";
import { fillAnswer } from "../repositories/messages.ts";
import {
  conversationOfTurn,
  deleteTurn,
  endTurn,
  lockLapsedTurn,
  lockRunningTurn,
  type TurnRow,
  type Used,
} from "../repositories/turns.ts";
import { noUsage } from "../usage.ts";
import type { CreditService } from "./credit.ts";
import { readAnswer } from "./journal.ts";
import { storableParts } from "./storable-parts.ts";
import { giveUpPlace, type Place } from "./stored-question.ts";

/** Ends turns: saves their answers, charges what they used and releases what they held. */
export interface TurnEndings {
  /** Ends a turn. Only the first call has an effect. */
  end(place: Place, parts: ChatMessage["parts"], metadata: AnswerMetadata, used: Used): Promise<void>;
  /**
   * Ends a turn whose process has sent no heartbeat for `leaseMs`.
   *
   * @returns whether it was ended
   */
  endLapsed(answerId: string, leaseMs: number): Promise<boolean>;
}

export function createTurnEndings(database: Database, credit: CreditService): TurnEndings {
  async function endIn(
    transaction: Database,
    row: TurnRow,
    place: Place,
    parts: ChatMessage["parts"],
    metadata: AnswerMetadata,
    used: Used,
  ): Promise<void> {
    const { conversationId, answerId, payer, held, priceVersion } = row;
    if (parts.length > 0) {
      await fillAnswer(transaction, conversationId, answerId, parts, metadata);
      await endTurn(transaction, answerId, used);
    } else {
      await giveUpPlace(transaction, place);
      await deleteTurn(transaction, answerId);
    }
    if (payer === null) return;
    const { usage, cost } = used;
    await credit.settle(transaction, payer, { reference: answerId, cost, held, usage, priceVersion });
  }

  return {
    end: (place, parts, metadata, used) =>
      database.transaction(async (transaction) => {
        await lockConversationById(transaction, place.conversationId);
        const row = await lockRunningTurn(transaction, place.answerId);
        if (row) await endIn(transaction, row, place, parts, metadata, used);
      }),

    /** Checks the heartbeat again under locks, because the process may be slow rather than dead. */
    endLapsed: (answerId, leaseMs) =>
      database.transaction(async (transaction) => {
        const conversationId = await conversationOfTurn(transaction, answerId);
        if (conversationId === undefined) return false;
        await lockConversationById(transaction, conversationId);
        const row = await lockLapsedTurn(transaction, answerId, leaseMs);
        if (!row) return false;
        const { inputTokens, cachedInputTokens, outputTokens, used: cost, model, createdAt } = row;
        const usage = { inputTokens, cachedInputTokens, outputTokens };
        const metadata: AnswerMetadata = {
          conversationId,
          model,
          createdAt: createdAt.toISOString(),
          inputTokens,
          outputTokens,
          incomplete: "failed",
        };
        const parts = storableParts(await readAnswer(transaction, answerId));
        // Without any output, nothing is charged, not even the prompt, as if the model had failed before its first
        // word.
        const used = parts.length > 0 ? { usage, cost } : { usage: noUsage, cost: 0 };
        await endIn(transaction, row, { ...row, formerAnswers: [] }, parts, metadata, used);
        return true;
      }),
  };
}
