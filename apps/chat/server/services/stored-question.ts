import { randomUUID } from "node:crypto";
import type { Database } from "../database/connect.ts";
import { badRequest, HttpProblem } from "../http/problems.ts";
import { type ConversationRow, updateConversation } from "../repositories/conversations.ts";
import {
  deleteMessage,
  deleteMessagesFrom,
  findMessage,
  insertMessages,
  lastMessage,
  type MessageRow,
  nextPosition,
} from "../repositories/messages.ts";
import { type AskedMessage, isAnswer, isSameQuestion, lastOf, type Question } from "./asked-question.ts";
import { addConversation, newConversation, placeholderTitle } from "./conversations.ts";

/** A stored question. */
export interface StoredQuestion {
  conversationId: string;
  messageId: string;
  /** The question's former answers, which a new answer replaces. */
  formerAnswers: MessageRow[];
}

/** The position of an answer, next to its question. */
export interface Place {
  conversationId: string;
  answerId: string;
  /** The former answers, which are restored if the position is given up. */
  formerAnswers: MessageRow[];
}

/** The maximum number of messages in a conversation, including the next answer. */
const MOST_MESSAGES = 2_000;

/**
 * Stores a question in its conversation, or in a new one.
 *
 * @param conversation the question's conversation, locked; `undefined` to start one
 * @throws {HttpProblem} 400 for a `replaces` that is not in the conversation; 409 if it is full
 */
export async function storeQuestion(
  transaction: Database,
  question: Question,
  conversation: ConversationRow | undefined,
  now: Date,
): Promise<StoredQuestion> {
  return conversation
    ? continueConversation(transaction, question, conversation, now)
    : startConversation(transaction, question, now);
}

async function startConversation(
  transaction: Database,
  question: Question,
  now: Date,
): Promise<StoredQuestion> {
  const asked = lastOf(question.messages);
  const conversation = newConversation(question.owner, placeholderTitle(asked.text), now.getTime());
  await addConversation(transaction, conversation);
  const ids = uniqueIds(question.messages);
  const rows = question.messages.map((message, position) =>
    toRow(conversation.id, position, message, ids[position] ?? randomUUID(), now),
  );
  await insertMessages(transaction, rows);
  return {
    conversationId: conversation.id,
    messageId: rows.at(-1)?.id ?? randomUUID(),
    formerAnswers: [],
  };
}

async function continueConversation(
  transaction: Database,
  question: Question,
  conversation: ConversationRow,
  now: Date,
): Promise<StoredQuestion> {
  const { id: conversationId } = conversation;
  const asked = lastOf(question.messages);
  const replaced = await dropReplaced(transaction, conversationId, question.replaces);
  const stored = await findStoredQuestion(transaction, conversationId, asked, replaced[0]);
  if (question.replaces !== undefined && replaced.length === 0 && !stored) {
    throw badRequest("The message to replace is not in this conversation.", [
      { path: "replaces", message: "should be the id of a message of this conversation" },
    ]);
  }
  const dropped = stored ? await deleteMessagesFrom(transaction, conversationId, stored.position + 1) : [];
  const position = await nextPosition(transaction, conversationId);
  if (position + (stored ? 1 : 2) > MOST_MESSAGES) throw conversationFull();
  const messageId = stored?.id ?? asked.id ?? randomUUID();
  if (!stored) await insertMessages(transaction, [toRow(conversationId, position, asked, messageId, now)]);
  await updateConversation(transaction, question.owner, conversationId, {
    updatedAt: now,
    // The first question is the title until one is generated. A title that a person chose stays.
    ...(position === 0 && !conversation.namedByPerson
      ? { title: placeholderTitle(asked.text), titled: false }
      : {}),
  });
  return {
    conversationId,
    messageId,
    formerAnswers: stored ? [...dropped, ...replaced].filter(isAnswer) : [],
  };
}

/** Reserves the next position for an answer. Returns the answer's id. */
export async function keepPlaceForAnswer(
  transaction: Database,
  conversationId: string,
  createdAt: Date,
): Promise<string> {
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
      createdAt,
    },
  ]);
  return answerId;
}

/** Releases the position of an answer, and restores the former answers. */
export async function giveUpPlace(transaction: Database, place: Place): Promise<void> {
  const { conversationId, answerId, formerAnswers } = place;
  await deleteMessage(transaction, conversationId, answerId);
  const [first] = formerAnswers;
  if (first && (await nextPosition(transaction, conversationId)) === first.position) {
    await insertMessages(transaction, formerAnswers);
  }
}

function toRow(
  conversationId: string,
  position: number,
  message: AskedMessage,
  id: string,
  createdAt: Date,
): MessageRow {
  return {
    conversationId,
    id,
    position,
    role: message.role,
    parts: [{ type: "text", text: message.text }],
    metadata: {
      createdAt: createdAt.toISOString(),
      // A client's answers are unverified, so mark them.
      ...(message.role === "assistant" ? { supplied: true as const } : {}),
    },
    createdAt,
  };
}

function conversationFull(): HttpProblem {
  return new HttpProblem(
    409,
    "conversation_full",
    `This conversation has ${MOST_MESSAGES.toLocaleString("en")} messages, which is the maximum. Start a new one.`,
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

/** Finds the stored question by its id or, without an id, as the question of the replaced answer. */
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
 * Returns unique ids: the client's, or new ones if it sent none or a duplicate. The question's own id takes precedence.
 */
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
