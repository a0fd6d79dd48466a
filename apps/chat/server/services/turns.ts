import { randomUUID } from "node:crypto";
import type { Clock } from "headgate";
import type { AnswerMetadata, ChatMessage, Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { badRequest, HttpProblem, notFound } from "../http/problems.ts";
import { lockConversation, lockConversationById, updateConversation } from "../repositories/conversations.ts";
import {
  deleteMessage,
  deleteMessagesFrom,
  fillAnswer,
  findMessage,
  insertMessages,
  isQuestionAfter,
  lastMessage,
  listMessages,
  type MessageRow,
  nextPosition,
} from "../repositories/messages.ts";
import { addConversation, isConversationId, newConversation, placeholderTitle } from "./conversations.ts";
import type { CreditService } from "./credit.ts";

/** A message of a request, read and checked: text alone, whatever shape it came in. */
export interface AskedMessage {
  id: string | undefined;
  role: "user" | "assistant";
  text: string;
}

export interface Question {
  owner: string;
  /** The account that pays, if one does. */
  payer: string | undefined;
  /** The last is the question. The others count for a new conversation alone; an old one's history is stored. */
  messages: [...AskedMessage[], AskedMessage];
  conversationId: string | undefined;
  replaces: string | undefined;
}

/** A question that is stored, with the place of its answer kept. */
export interface Turn {
  conversationId: string;
  answerId: string;
  payer: string | undefined;
  /** What the model is to continue, the question last. */
  history: ChatMessage[];
  /** The answers that this turn's question had: they come back if this turn brings none. */
  formerAnswers: MessageRow[];
}

export interface TurnService {
  /**
   * Stores a question and keeps the next place for its answer, in one transaction that no other turn of the same
   * conversation can come between. A question that is stored already (sent again after a failure, under the same
   * id) is not stored twice.
   *
   * @throws {HttpProblem} 404 for a conversation that is not the owner's, 400 for a `replaces` that is not in it,
   *   409 for a question that was answered before the conversation went on, or where there is no room for another
   */
  begin(question: Question): Promise<Turn>;
  /** Saves the answer, or what there is of it, and charges it. */
  finish(turn: Turn, parts: ChatMessage["parts"], metadata: AnswerMetadata, cost: Micros): Promise<void>;
  /** Gives up the place of an answer that never began. The question stays: the person's words are not lost. */
  abandon(turn: Turn): Promise<void>;
}

/** In one conversation, the answer to come included. */
const MOST_MESSAGES = 2_000;

/** What a model is given of a long conversation, at most. */
const MOST_MESSAGES_TO_MODEL = 60;

export function createTurns(database: Database, clock: Clock, credit: CreditService): TurnService {
  const now = () => new Date(clock.now());

  function toRow(conversationId: string, position: number, message: AskedMessage, id: string): MessageRow {
    const createdAt = now();
    return {
      conversationId,
      id,
      position,
      role: message.role,
      parts: [{ type: "text", text: message.text }],
      metadata: {
        createdAt: createdAt.toISOString(),
        // What a client says that an answer said is its own word.
        ...(message.role === "assistant" ? { supplied: true as const } : {}),
      },
      createdAt,
    };
  }

  async function startConversation(transaction: Database, question: Question): Promise<string> {
    const asked = lastOf(question.messages);
    const conversation = newConversation(question.owner, placeholderTitle(asked.text), clock.now());
    await addConversation(transaction, conversation);
    const ids = uniqueIds(question.messages);
    const rows = question.messages.map((message, position) =>
      toRow(conversation.id, position, message, ids[position] ?? randomUUID()),
    );
    await insertMessages(transaction, rows);
    return conversation.id;
  }

  async function continueConversation(
    transaction: Database,
    question: Question,
    conversationId: string,
  ): Promise<MessageRow[]> {
    const conversation = isConversationId(conversationId)
      ? await lockConversation(transaction, question.owner, conversationId)
      : undefined;
    if (!conversation) throw notFound("conversation");
    const asked = lastOf(question.messages);
    const replaced = await dropReplaced(transaction, conversationId, question.replaces);
    const stored = await findStoredQuestion(transaction, conversationId, asked, replaced[0]);
    if (question.replaces !== undefined && replaced.length === 0 && !stored) {
      throw badRequest("The message to replace is not in this conversation.", [
        { path: "replaces", message: "should be the id of a message of this conversation" },
      ]);
    }
    const dropped = stored ? await clearForNewAnswer(transaction, stored, asked) : [];
    const position = await nextPosition(transaction, conversationId);
    if (position + (stored ? 1 : 2) > MOST_MESSAGES) throw conversationFull();
    if (!stored) {
      await insertMessages(transaction, [toRow(conversationId, position, asked, asked.id ?? randomUUID())]);
    }
    await updateConversation(transaction, question.owner, conversationId, {
      updatedAt: now(),
      // The first question names it, until something better does; a name that a person chose stays.
      ...(position === 0 && !conversation.namedByPerson
        ? { title: placeholderTitle(asked.text), titled: false }
        : {}),
    });
    return stored ? [...dropped, ...replaced].filter(isAnswer) : [];
  }

  async function keepPlaceForAnswer(transaction: Database, conversationId: string): Promise<string> {
    const answerId = randomUUID();
    const position = await nextPosition(transaction, conversationId);
    await insertMessages(transaction, [
      {
        conversationId,
        id: answerId,
        position,
        role: "assistant",
        parts: [],
        metadata: {},
        createdAt: now(),
      },
    ]);
    return answerId;
  }

  async function giveUpPlace(transaction: Database, turn: Turn): Promise<void> {
    const [first] = turn.formerAnswers;
    if (first) await lockConversationById(transaction, turn.conversationId);
    await deleteMessage(transaction, turn.conversationId, turn.answerId);
    if (first && (await nextPosition(transaction, turn.conversationId)) === first.position) {
      await insertMessages(transaction, turn.formerAnswers);
    }
  }

  return {
    begin: (question) =>
      database.transaction(async (transaction) => {
        const { conversationId: known, payer } = question;
        const conversationId = known ?? (await startConversation(transaction, question));
        const formerAnswers =
          known === undefined ? [] : await continueConversation(transaction, question, known);
        const history = recent(await listMessages(transaction, conversationId));
        const answerId = await keepPlaceForAnswer(transaction, conversationId);
        return { conversationId, answerId, payer, history, formerAnswers };
      }),

    finish: (turn, parts, metadata, cost) =>
      database.transaction(async (transaction) => {
        if (parts.length > 0) {
          await fillAnswer(transaction, turn.conversationId, turn.answerId, parts, metadata);
        } else {
          await giveUpPlace(transaction, turn);
        }
        if (turn.payer !== undefined && cost > 0) {
          await credit.charge(transaction, turn.payer, cost, turn.answerId);
        }
      }),

    abandon: (turn) => database.transaction((transaction) => giveUpPlace(transaction, turn)),
  };
}

function conversationFull(): HttpProblem {
  return new HttpProblem(
    409,
    "conversation_full",
    `This conversation has ${MOST_MESSAGES.toLocaleString("en")} messages, which is as many as one holds. Start a new one.`,
  );
}

async function dropReplaced(
  transaction: Database,
  conversationId: string,
  replaces: string | undefined,
): Promise<MessageRow[]> {
  const replaced =
    replaces === undefined ? undefined : await findMessage(transaction, conversationId, replaces);
  return replaced ? deleteMessagesFrom(transaction, conversationId, replaced.position) : [];
}

/** The question, if it is stored: found by its id, or, where a client gives none, as what the replaced answer answered. */
async function findStoredQuestion(
  transaction: Database,
  conversationId: string,
  asked: AskedMessage,
  replaced: MessageRow | undefined,
): Promise<MessageRow | undefined> {
  if (asked.id !== undefined) return findMessage(transaction, conversationId, asked.id);
  if (replaced?.role !== "assistant") return undefined;
  const last = await lastMessage(transaction, conversationId);
  return last && isSameQuestion(last, asked) ? last : undefined;
}

/**
 * A stored question is asked again: its answer failed, or never reached the person. The answer it has is dropped for
 * the one to come; but nothing is dropped of a conversation that has gone on since.
 */
async function clearForNewAnswer(
  transaction: Database,
  stored: MessageRow,
  asked: AskedMessage,
): Promise<MessageRow[]> {
  const { conversationId, position } = stored;
  if (!isSameQuestion(stored, asked) || (await isQuestionAfter(transaction, conversationId, position))) {
    throw new HttpProblem(
      409,
      "message_exists",
      "A message with this id is already part of the conversation. Reload the conversation, then send again.",
    );
  }
  return deleteMessagesFrom(transaction, conversationId, position + 1);
}

function isSameQuestion(stored: MessageRow, asked: AskedMessage): boolean {
  return stored.role === "user" && textOf(stored.parts) === asked.text;
}

function isAnswer(message: MessageRow): boolean {
  return message.role === "assistant" && message.parts.length > 0;
}

/** Text of a message's parts, joined. */
export function textOf(parts: ChatMessage["parts"]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function lastOf(messages: Question["messages"]): AskedMessage {
  return messages[messages.length - 1] as AskedMessage;
}

/** Ids that clients chose, where they chose one and did not choose it twice. The question's own has precedence. */
function uniqueIds(messages: AskedMessage[]): string[] {
  const taken = new Set<string>();
  return messages
    .toReversed()
    .map(({ id }) => {
      const unique = id === undefined || taken.has(id) ? randomUUID() : id;
      taken.add(unique);
      return unique;
    })
    .toReversed();
}

/** The end of the conversation, beginning with something a person said. */
function recent(history: ChatMessage[]): ChatMessage[] {
  const end = history.slice(-MOST_MESSAGES_TO_MODEL);
  const firstQuestion = end.findIndex((message) => message.role === "user");
  return firstQuestion > 0 ? end.slice(firstQuestion) : end;
}
