import { and, desc, eq, ilike, lt, or, sql } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import { conversations, messages } from "../database/schema.ts";

export type ConversationRow = typeof conversations.$inferSelect;

export async function insertConversation(database: Database, row: ConversationRow): Promise<void> {
  await database.insert(conversations).values(row);
}

/** @returns `undefined` for one that does not exist and for somebody else's alike */
export async function findConversation(
  database: Database,
  owner: string,
  id: string,
): Promise<ConversationRow | undefined> {
  const [row] = await database.select().from(conversations).where(ownedBy(owner, id));
  return row;
}

/** As `findConversation`, and holds the row until the transaction ends: what follows is one turn after another. */
export async function lockConversation(
  transaction: Database,
  owner: string,
  id: string,
): Promise<ConversationRow | undefined> {
  const [row] = await transaction.select().from(conversations).where(ownedBy(owner, id)).for("update");
  return row;
}

/** For the end of a turn whose owner was checked at its beginning. */
export async function lockConversationById(transaction: Database, id: string): Promise<void> {
  await transaction
    .select({ id: conversations.id })
    .from(conversations)
    .where(eq(conversations.id, id))
    .for("update");
}

export interface ListRequest {
  limit: number;
  /** The last of the page before. */
  after: Pick<ConversationRow, "updatedAt" | "id"> | undefined;
  /** Only those with these words, as they are, in their title or in what was said. */
  search: string | undefined;
}

/** Newest first. */
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

/** Shares it under this token unless it has one: of two at once, both get the same. */
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

/** @returns whether there was one */
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

/** @returns how many changed hands */
export async function changeOwner(database: Database, from: string, to: string): Promise<number> {
  const rows = await database
    .update(conversations)
    .set({ owner: to })
    .where(eq(conversations.owner, from))
    .returning({ id: conversations.id });
  return rows.length;
}

function ownedBy(owner: string, id: string) {
  return and(eq(conversations.id, id), eq(conversations.owner, owner));
}
