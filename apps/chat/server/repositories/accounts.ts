import { and, desc, eq, gt, ne } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import {
  conversations,
  creditEntries,
  limitChanges,
  session,
  user,
  verification,
} from "../database/schema.ts";
import { deleteEndedTurnsOf } from "./turns.ts";

export type SessionRow = Pick<
  typeof session.$inferSelect,
  "id" | "createdAt" | "updatedAt" | "expiresAt" | "userAgent"
>;
export type UserRow = typeof user.$inferSelect;

export async function findUser(database: Database, id: string): Promise<UserRow | undefined> {
  const [row] = await database.select().from(user).where(eq(user.id, id));
  return row;
}

/** @param email in any case; accounts store it in lower case */
export async function findUserByEmail(database: Database, email: string): Promise<UserRow | undefined> {
  const [row] = await database.select().from(user).where(eq(user.email, email.trim().toLowerCase()));
  return row;
}

/** @returns `undefined` for an unknown account, `null` for an account without a plan */
export async function findPlan(database: Database, id: string): Promise<string | null | undefined> {
  const [row] = await database.select({ plan: user.plan }).from(user).where(eq(user.id, id));
  return row?.plan;
}

export async function updatePlan(database: Database, id: string, plan: string | null): Promise<void> {
  await database.update(user).set({ plan }).where(eq(user.id, id));
}

/** Returns the unexpired sessions without their tokens, the most recently used first. */
export async function listSessions(database: Database, userId: string, now: Date): Promise<SessionRow[]> {
  return database
    .select({
      id: session.id,
      createdAt: session.createdAt,
      updatedAt: session.updatedAt,
      expiresAt: session.expiresAt,
      userAgent: session.userAgent,
    })
    .from(session)
    .where(and(eq(session.userId, userId), gt(session.expiresAt, now)))
    .orderBy(desc(session.updatedAt), desc(session.id));
}

/** @returns whether the session existed */
export async function deleteSession(database: Database, userId: string, id: string): Promise<boolean> {
  const rows = await database
    .delete(session)
    .where(and(eq(session.userId, userId), eq(session.id, id)))
    .returning({ id: session.id });
  return rows.length > 0;
}

export async function deleteOtherSessions(database: Database, userId: string, kept: string): Promise<void> {
  await database.delete(session).where(and(eq(session.userId, userId), ne(session.id, kept)));
}

/** Deletes an account with everything that belongs to it. The log of operators' actions keeps only the account's id. */
export async function deleteAccount(database: Database, userId: string, owner: string): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction.delete(conversations).where(eq(conversations.owner, owner));
    await deleteEndedTurnsOf(transaction, owner);
    // Links to choose a password.
    await transaction.delete(verification).where(eq(verification.value, userId));
    await transaction
      .update(limitChanges)
      .set({ of: `account:${userId}` })
      .where(eq(limitChanges.userId, userId));
    await transaction.delete(user).where(eq(user.id, userId));
  });
}

export async function listCreditEntries(database: Database, userId: string) {
  return database
    .select({
      kind: creditEntries.kind,
      amount: creditEntries.amount,
      balanceAfter: creditEntries.balanceAfter,
      currency: creditEntries.currency,
      reference: creditEntries.reference,
      held: creditEntries.held,
      inputTokens: creditEntries.inputTokens,
      cachedInputTokens: creditEntries.cachedInputTokens,
      outputTokens: creditEntries.outputTokens,
      priceVersion: creditEntries.priceVersion,
      createdAt: creditEntries.createdAt,
    })
    .from(creditEntries)
    .where(eq(creditEntries.userId, userId))
    .orderBy(creditEntries.id);
}
