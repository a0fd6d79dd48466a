import { and, asc, desc, eq, getTableColumns, gt, gte, sql } from "drizzle-orm";
import type { AnswerMetadata, ChatMessage } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { conversations, messages } from "../database/schema.ts";

export type MessageRow = typeof messages.$inferSelect;

/** The messages of a conversation without answers in progress. */
function shownIn(conversationId: string) {
  return and(eq(messages.conversationId, conversationId), sql`jsonb_array_length(${messages.parts}) > 0`);
}

const toMessage = ({ id, role, parts, metadata }: MessageRow): ChatMessage => ({ id, role, parts, metadata });

/**
 * Returns messages in order, without answers in progress.
 *
 * @param after the position of the last one that was read before
 * @returns the position of the last one; `undefined` if no more follow
 */
export async function listMessages(
  database: Database,
  conversationId: string,
  { after, most }: { after: number; most: number },
): Promise<{ messages: ChatMessage[]; last: number | undefined }> {
  const rows = await database
    .select()
    .from(messages)
    .where(and(shownIn(conversationId), gt(messages.position, after)))
    .orderBy(asc(messages.position))
    .limit(most);
  return { messages: rows.map(toMessage), last: rows.length < most ? undefined : rows.at(-1)?.position };
}

/** Returns the last messages in order, without answers in progress. */
export async function listLastMessages(
  database: Database,
  conversationId: string,
  most: number,
): Promise<ChatMessage[]> {
  const rows = await database
    .select()
    .from(messages)
    .where(shownIn(conversationId))
    .orderBy(desc(messages.position))
    .limit(most);
  return rows.reverse().map(toMessage);
}

export async function findFirstQuestion(
  database: Database,
  conversationId: string,
): Promise<ChatMessage | undefined> {
  const [row] = await database
    .select()
    .from(messages)
    .where(and(shownIn(conversationId), eq(messages.role, "user")))
    .orderBy(asc(messages.position))
    .limit(1);
  return row && toMessage(row);
}

export async function countMessages(database: Database, conversationId: string): Promise<number> {
  return database.$count(messages, eq(messages.conversationId, conversationId));
}

export async function insertMessages(database: Database, rows: MessageRow[]): Promise<void> {
  if (rows.length > 0) await database.insert(messages).values(rows);
}

export async function findMessage(
  database: Database,
  conversationId: string,
  id: string,
): Promise<MessageRow | undefined> {
  const [row] = await database
    .select()
    .from(messages)
    .where(and(eq(messages.conversationId, conversationId), eq(messages.id, id)));
  return row;
}

export async function findMessageAt(
  database: Database,
  conversationId: string,
  position: number,
): Promise<MessageRow | undefined> {
  const [row] = await database
    .select()
    .from(messages)
    .where(and(eq(messages.conversationId, conversationId), eq(messages.position, position)));
  return row;
}

/** Returns the newest question with this id, in any conversation of this owner. */
export async function findQuestionOf(
  database: Database,
  owner: string,
  id: string,
): Promise<MessageRow | undefined> {
  const [row] = await database
    .select(getTableColumns(messages))
    .from(messages)
    .innerJoin(conversations, eq(conversations.id, messages.conversationId))
    .where(and(eq(messages.id, id), eq(messages.role, "user"), eq(conversations.owner, owner)))
    .orderBy(desc(messages.createdAt), desc(messages.position))
    .limit(1);
  return row;
}

export async function lastMessage(
  database: Database,
  conversationId: string,
): Promise<MessageRow | undefined> {
  const [row] = await database
    .select()
    .from(messages)
    .where(eq(messages.conversationId, conversationId))
    .orderBy(desc(messages.position))
    .limit(1);
  return row;
}

/** Whether there is a question after this position. */
export async function isQuestionAfter(
  database: Database,
  conversationId: string,
  position: number,
): Promise<boolean> {
  const isLater = gte(messages.position, position + 1);
  const count = await database.$count(
    messages,
    and(eq(messages.conversationId, conversationId), isLater, eq(messages.role, "user")),
  );
  return count > 0;
}

/** Returns the position after the last message; 0 in an empty conversation. */
export async function nextPosition(database: Database, conversationId: string): Promise<number> {
  const last = await lastMessage(database, conversationId);
  return last ? last.position + 1 : 0;
}

/** Deletes the messages from a position on. @returns the deleted messages, in order */
export async function deleteMessagesFrom(
  database: Database,
  conversationId: string,
  position: number,
): Promise<MessageRow[]> {
  const dropped = await database
    .delete(messages)
    .where(and(eq(messages.conversationId, conversationId), gte(messages.position, position)))
    .returning();
  return dropped.sort((a, b) => a.position - b.position);
}

/** Stores an answer at its reserved position. Does nothing if the position was released. */
export async function fillAnswer(
  database: Database,
  conversationId: string,
  id: string,
  parts: ChatMessage["parts"],
  metadata: AnswerMetadata,
): Promise<void> {
  await database
    .update(messages)
    .set({ parts, metadata })
    .where(and(eq(messages.conversationId, conversationId), eq(messages.id, id)));
}

export async function deleteMessage(database: Database, conversationId: string, id: string): Promise<void> {
  await database
    .delete(messages)
    .where(and(eq(messages.conversationId, conversationId), eq(messages.id, id)));
}
