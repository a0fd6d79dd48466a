import type { Clock } from "headgate";
import type { Database } from "../database/connect.ts";
import { badRequest, notFound } from "../http/problems.ts";
import { costOf, isPriced } from "../model/price.ts";
import type { ModelChoice } from "../model/provider.ts";
import { mostUsedForTitle, titleOf } from "../model/title.ts";
import { type ConversationRow, findConversation, giveTitle } from "../repositories/conversations.ts";
import { findFirstQuestion } from "../repositories/messages.ts";
import { textOf } from "./asked-question.ts";
import { isConversationId } from "./conversations.ts";
import { oneLine } from "./text.ts";
import type { TurnService } from "./turns.ts";

export interface TitleOptions {
  database: Database;
  clock: Clock;
  turns: Pick<TurnService, "beginTitle" | "finishTitle">;
}

export interface NamingRequest {
  owner: string | undefined;
  payer: string | undefined;
  conversationId: string;
  choice: ModelChoice;
}

export interface TitleService {
  /**
   * Generates and saves a conversation's title. An existing title is kept, so that this route, which is not limited,
   * cannot make a model work without end.
   *
   * @param choice the model, at the payer's price
   * @throws {HttpProblem} 404 for a conversation that is not the owner's, 400 for an empty one
   */
  name(request: NamingRequest): Promise<string>;
}

export function createTitles({ database, clock, turns }: TitleOptions): TitleService {
  /** The titles in progress, by conversation and its present title. Simultaneous requests share one title. */
  const beingMade = new Map<string, Promise<string>>();

  async function make(conversation: ConversationRow, payer: string | undefined, choice: ModelChoice) {
    const question = await findFirstQuestion(database, conversation.id);
    if (!question) {
      throw badRequest("This conversation is empty, so it cannot get a title yet.", [
        { path: "conversation_id", message: "should be a conversation with messages" },
      ]);
    }
    const title = await titleFor(textOf(question.parts), conversation, payer, choice);
    // Without credit, the first question stays as the title.
    if (title === undefined) return conversation.title;
    // If the conversation was renamed or its first question edited while the title was generated, keep the existing
    // title.
    const kept = await giveTitle(database, conversation, oneLine(title));
    if (kept === undefined) throw notFound("conversation");
    return kept;
  }

  async function titleFor(
    question: string,
    { id, owner }: ConversationRow,
    payer: string | undefined,
    choice: ModelChoice,
  ): Promise<string | undefined> {
    const isPaid = payer !== undefined && !choice.builtIn && isPriced(choice.price);
    if (!isPaid) return (await titleOf({ choice, clock, question })).title;
    const terms = { name: choice.name, priceVersion: choice.price.version };
    const mostCost = costOf(mostUsedForTitle, choice.price);
    if (!(await turns.beginTitle({ conversationId: id, owner, payer }, terms, mostCost))) return undefined;
    const { title, usage } = await titleOf({ choice, clock, question });
    await turns.finishTitle(id, { usage, cost: costOf(usage, choice.price) });
    return title;
  }

  return {
    async name({ owner, payer, conversationId, choice }) {
      const conversation =
        owner !== undefined && isConversationId(conversationId)
          ? await findConversation(database, owner, conversationId)
          : undefined;
      if (!conversation) throw notFound("conversation");
      if (conversation.titled) return conversation.title;
      const key = `${conversationId} ${conversation.title}`;
      const making = beingMade.get(key) ?? make(conversation, payer, choice);
      beingMade.set(key, making);
      try {
        return await making;
      } finally {
        beingMade.delete(key);
      }
    },
  };
}
