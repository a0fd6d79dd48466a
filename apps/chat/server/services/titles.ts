import type { Clock } from "headgate";
import type { Database } from "../database/connect.ts";
import { badRequest, notFound } from "../http/problems.ts";
import { costOf } from "../model/price.ts";
import type { ModelChoice } from "../model/provider.ts";
import { titleOf } from "../model/title.ts";
import { findConversation, giveTitle } from "../repositories/conversations.ts";
import { listMessages } from "../repositories/messages.ts";
import { isConversationId } from "./conversations.ts";
import type { CreditService } from "./credit.ts";
import { oneLine } from "./text.ts";
import { textOf } from "./turns.ts";

export interface TitleOptions {
  database: Database;
  choice: ModelChoice;
  clock: Clock;
  credit: CreditService;
}

export interface TitleService {
  /**
   * Names a conversation and keeps the name. One that has a name keeps it, so that a route which is not limited cannot
   * be used to make a model work without end.
   *
   * @throws {HttpProblem} 404 for a conversation that is not the owner's, 400 for one in which nothing was said
   */
  name(owner: string | undefined, payer: string | undefined, conversationId: string): Promise<string>;
}

export function createTitles({ database, choice, clock, credit }: TitleOptions): TitleService {
  /** Two pages that ask at once get the same title, made once. */
  const beingMade = new Map<string, Promise<string>>();

  async function make(owner: string, payer: string | undefined, conversationId: string): Promise<string> {
    const messages = await listMessages(database, conversationId);
    const question = messages.find((message) => message.role === "user");
    if (!question) {
      throw badRequest("Nothing was said in this conversation yet, so it cannot be named.", [
        { path: "conversation_id", message: "should be a conversation with messages" },
      ]);
    }
    const made = await titleOf({ choice, clock, question: textOf(question.parts) });
    const title = oneLine(made.title);
    const cost = costOf(made, choice.price);
    return database.transaction(async (transaction) => {
      // Whoever renamed it while the model was thinking said what it is called.
      const kept = await giveTitle(transaction, owner, conversationId, title);
      if (payer !== undefined && cost > 0) {
        await credit.charge(transaction, payer, cost, `title ${conversationId}`);
      }
      if (kept === undefined) throw notFound("conversation");
      return kept;
    });
  }

  return {
    async name(owner, payer, conversationId) {
      const conversation =
        owner !== undefined && isConversationId(conversationId)
          ? await findConversation(database, owner, conversationId)
          : undefined;
      if (owner === undefined || !conversation) throw notFound("conversation");
      if (conversation.titled) return conversation.title;
      // A title is a nicety: whose credit is used up keeps the first question as one.
      if (payer !== undefined && (await credit.of(payer)).balance <= 0) return conversation.title;
      const making = beingMade.get(conversationId) ?? make(owner, payer, conversationId);
      beingMade.set(conversationId, making);
      try {
        return await making;
      } finally {
        beingMade.delete(conversationId);
      }
    },
  };
}
