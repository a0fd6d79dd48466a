import { and, desc, eq, ilike, inArray, lt, or, sql } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import { conversations, messages } from "../database/schema.ts";

export type ConversationRow = typeof conversations.$inferSelect;

export async function insertConversation(database: Database, row: ConversationRow): Promise<void> {
  await database.insert(conversations).values(row);
}

/** @returns `undefined` if it does not exist or belongs to somebody else */
export async function findConversation(
  database: Database,
  owner: string,
  id: string,
): Promise<ConversationRow | undefined> {
  const [row] = await database.select().from(conversations).where(ownedBy(owner, id));
  return row;
}

/** Like `findConversation`, but locks the row until the transaction ends, so that turns run one after another. */
export async function lockConversation(
  transaction: Database,
  owner: string,
  id: string,
): Promise<ConversationRow | undefined> {
  const [row] = await transaction.select().from(conversations).where(ownedBy(owner, id)).for("update");
  return row;
}

/** Locks a conversation at the end of a turn, whose owner was checked at its beginning. */
export async function lockConversationById(transaction: Database, id: string): Promise<void> {
  await transaction
    .select({ id: conversations.id })
    .from(conversations)
    .where(eq(conversations.id, id))
    .for("update");
}

export interface ListRequest {
  limit: number;
  /** The last conversation of the previous page. */
  after: Pick<ConversationRow, "updatedAt" | "id"> | undefined;
  /** Returns only conversations with this literal text in the title or a message. */
  search: string | undefined;
}

/** Returns conversations, newest first. */
export async function listConversations(
  database: Database,
  owner: string,
  { limit, after, search }: ListRequest,
): Promise<ConversationRow[]> {
  const older = after
    ? or(
        lt(conversations.updatedAt, after.updatedAt),
        and(eq(conversations.updatedAt, after.updatedAt), lt(conversations.id, after.id)),
      )
    : undefined;
  return database
    .select()
    .from(conversations)
    .where(and(eq(conversations.owner, owner), older, search === undefined ? undefined : mentions(search)))
    .orderBy(desc(conversations.updatedAt), desc(conversations.id))
    .limit(limit);
}

function mentions(words: string) {
  const pattern = `%${words.replace(/[\\%_]/g, "\\$&")}%`;
  return or(
    ilike(conversations.title, pattern),
    sql`exists (select 1 from ${messages}, jsonb_array_elements(${messages.parts}) as part
      where ${messages.conversationId} = ${conversations.id} and part ->> 'text' ilike ${pattern})`,
  );
}

export async function updateConversation(
  database: Database,
  owner: string,
  id: string,
  change: Partial<Pick<ConversationRow, "title" | "titled" | "namedByPerson" | "shareToken" | "updatedAt">>,
): Promise<ConversationRow | undefined> {
  const [row] = await database.update(conversations).set(change).where(ownedBy(owner, id)).returning();
  return row;
}

/**
 * Sets the title unless there is one, or the placeholder has changed, because the first question was edited meanwhile.
 *
 * @returns the resulting title; `undefined` if the conversation is gone
 */
export async function giveTitle(
  database: Database,
  { owner, id, title: placeholder }: Pick<ConversationRow, "owner" | "id" | "title">,
  title: string,
): Promise<string | undefined> {
  const isWanted = sql`not ${conversations.titled} and ${conversations.title} = ${placeholder}`;
  const [row] = await database
    .update(conversations)
    .set({
      title: sql`case when ${isWanted} then ${title} else ${conversations.title} end`,
      titled: sql`${conversations.titled} or ${isWanted}`,
    })
    .where(ownedBy(owner, id))
    .returning({ title: conversations.title });
  return row?.title;
}

/** Shares a conversation under this token unless it has one, so that two simultaneous calls get the same token. */
export async function shareConversation(
  database: Database,
  owner: string,
  id: string,
  shareToken: string,
): Promise<ConversationRow | undefined> {
  const [row] = await database
    .update(conversations)
    .set({ shareToken: sql`coalesce(${conversations.shareToken}, ${shareToken})` })
    .where(ownedBy(owner, id))
    .returning();
  return row;
}

/** @returns whether the conversation existed */
export async function deleteConversation(database: Database, owner: string, id: string): Promise<boolean> {
  const rows = await database
    .delete(conversations)
    .where(ownedBy(owner, id))
    .returning({ id: conversations.id });
  return rows.length > 0;
}

export async function findSharedConversation(
  database: Database,
  shareToken: string,
): Promise<ConversationRow | undefined> {
  const [row] = await database.select().from(conversations).where(eq(conversations.shareToken, shareToken));
  return row;
}

export async function countConversations(database: Database, owner: string): Promise<number> {
  return database.$count(conversations, eq(conversations.owner, owner));
}

/** Locks an owner's list of conversations until the transaction ends, so that a count stays valid. */
export async function lockOwner(transaction: Database, owner: string): Promise<void> {
  await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended(${owner}, 0))`);
}

/** Moves the newest conversations of one owner to another, at most this many. @returns how many were moved */
export async function changeOwner(
  transaction: Database,
  from: string,
  to: string,
  most: number,
): Promise<number> {
  const newest = transaction
    .select({ id: conversations.id })
    .from(conversations)
    .where(eq(conversations.owner, from))
    .orderBy(desc(conversations.updatedAt), desc(conversations.id))
    .limit(most);
  const rows = await transaction
    .update(conversations)
    .set({ owner: to })
    .where(inArray(conversations.id, newest))
    .returning({ id: conversations.id });
  return rows.length;
}

function ownedBy(owner: string, id: string) {
  return and(eq(conversations.id, id), eq(conversations.owner, owner));
}
