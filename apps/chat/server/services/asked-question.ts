import type { ChatMessage } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { HttpProblem, notFound } from "../http/problems.ts";
import { type ConversationRow, findConversation, lockConversation } from "../repositories/conversations.ts";
import {
  findMessage,
  findMessageAt,
  findQuestionOf,
  isQuestionAfter,
  type MessageRow,
} from "../repositories/messages.ts";
import { findRunningTurn } from "../repositories/turns.ts";
import { isConversationId } from "./conversations.ts";

/** A checked message of a request, as text. */
export interface AskedMessage {
  id: string | undefined;
  role: "user" | "assistant";
  text: string;
}

export interface Question {
  owner: string;
  /** The account that pays, if any. */
  payer: string | undefined;
  /**
   * The messages, of which the last is the question. The others are used only for a new conversation: an existing
   * conversation has its history stored.
   */
  messages: [...AskedMessage[], AskedMessage];
  conversationId: string | undefined;
  replaces: string | undefined;
}

/** The turn of a question that was asked before under the same id. The response is its existing answer. */
export interface KnownTurn {
  kind: "known";
  conversationId: string;
  answerId: string;
}

/**
 * Locks the question's conversation until the transaction ends; returns `undefined` if the question opens a new
 * conversation.
 */
export async function lockConversationOf(
  transaction: Database,
  question: Question,
): Promise<ConversationRow | undefined> {
  const { owner, conversationId } = question;
  if (conversationId === undefined) {
    const asked = await findAsked(transaction, question);
    return asked && lockConversation(transaction, owner, asked.conversationId);
  }
  const conversation = isConversationId(conversationId)
    ? await lockConversation(transaction, owner, conversationId)
    : undefined;
  if (!conversation) throw notFound("conversation");
  return conversation;
}

/** Finds the message with the question's id in its conversation or, without one, in any conversation of its owner. */
async function findAsked(database: Database, question: Question): Promise<MessageRow | undefined> {
  const { owner, conversationId } = question;
  const { id } = lastOf(question.messages);
  if (id === undefined) return undefined;
  if (conversationId === undefined) return findQuestionOf(database, owner, id);
  if (!isConversationId(conversationId)) return undefined;
  const isOwn = await findConversation(database, owner, conversationId);
  return isOwn && findMessage(database, conversationId, id);
}

/**
 * Finds the turn of a question that was asked before, if its answer is running or stored. Only reads.
 *
 * @throws {HttpProblem} 422 if the same id was used with another text; 409 if the conversation has continued without an
 * answer to it
 */
export async function findKnown(database: Database, question: Question): Promise<KnownTurn | undefined> {
  const stored = await findAsked(database, question);
  if (!stored) return undefined;
  const { conversationId, position } = stored;
  const { replaces } = question;
  const running = await findRunningTurn(database, conversationId, stored.id);
  const replaced = replaces === undefined ? undefined : await findMessage(database, conversationId, replaces);
  if (!isSameQuestion(stored, lastOf(question.messages))) {
    if (!running && replaced && replaced.position <= position) return undefined;
    throw otherWords();
  }
  if (running) return known(running.conversationId, running.answerId);
  if (replaced) return undefined;
  const next = await findMessageAt(database, conversationId, position + 1);
  if (next && isAnswer(next)) return known(conversationId, next.id);
  if (await isQuestionAfter(database, conversationId, position)) throw wentOn();
  return undefined;
}

function known(conversationId: string, answerId: string): KnownTurn {
  return { kind: "known", conversationId, answerId };
}

export function otherWords(): HttpProblem {
  return new HttpProblem(
    422,
    "message_id_reused",
    "A message with this id was sent before, with another text. Use a new id for a new text.",
  );
}

function wentOn(): HttpProblem {
  return new HttpProblem(
    409,
    "message_exists",
    "A message with this id is already part of the conversation. Reload the conversation, then send again.",
  );
}

export function stillAnswered(): HttpProblem {
  return new HttpProblem(
    409,
    "message_running",
    "This message is still being answered. Stop that answer, or wait until it has ended.",
  );
}

export function isSameQuestion(stored: MessageRow, asked: AskedMessage): boolean {
  return stored.role === "user" && textOf(stored.parts) === asked.text;
}

export function isAnswer(message: MessageRow): boolean {
  return message.role === "assistant" && message.parts.length > 0;
}

/** Returns the joined text of a message's parts. */
export function textOf(parts: ChatMessage["parts"]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

export function lastOf(messages: Question["messages"]): AskedMessage {
  return messages[messages.length - 1] as AskedMessage;
}
