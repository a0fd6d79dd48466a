import { and, count, eq, gt, isNotNull, isNull, sql } from "drizzle-orm";
import type { Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { creditAccounts, creditEntries, turns, user } from "../database/schema.ts";

export type CreditRow = typeof creditAccounts.$inferSelect;
export type CreditEntry = typeof creditEntries.$inferInsert;

export async function findCredit(database: Database, userId: string): Promise<CreditRow | undefined> {
  const [row] = await database.select().from(creditAccounts).where(eq(creditAccounts.userId, userId));
  return row;
}

/** Opens an account's credit unless it is already open. */
export async function openCredit(transaction: Database, row: CreditRow): Promise<void> {
  await transaction.insert(creditAccounts).values(row).onConflictDoNothing();
}

/** Locks the row until the transaction ends, so that no charge is lost between reading and writing. */
export async function lockCredit(transaction: Database, userId: string): Promise<CreditRow> {
  const [row] = await transaction
    .select()
    .from(creditAccounts)
    .where(eq(creditAccounts.userId, userId))
    .for("update");
  if (!row) throw new Error("Credit was not opened before it was locked.");
  return row;
}

export async function updateCredit(transaction: Database, row: CreditRow): Promise<void> {
  await transaction.update(creditAccounts).set(row).where(eq(creditAccounts.userId, row.userId));
}

/** Holds credit if this amount of the currency is available. @returns whether the credit was held */
export async function holdCredit(
  transaction: Database,
  userId: string,
  amount: Micros,
  currency: string,
): Promise<boolean> {
  const { allowanceLeft, grantedLeft, held } = creditAccounts;
  const holding = await transaction
    .update(creditAccounts)
    .set({ held: sql`${held} + ${amount}` })
    .where(
      and(
        eq(creditAccounts.userId, userId),
        sql`coalesce(${creditAccounts.currency}, ${currency}) = ${currency}`,
        sql`${allowanceLeft} + ${grantedLeft} - ${held} >= ${amount}`,
      ),
    )
    .returning({ userId: creditAccounts.userId });
  return holding.length > 0;
}

/** Returns what answers in progress hold of all accounts' credit. */
export async function sumOfHolds(database: Database): Promise<{ held: Micros; holders: number }> {
  const [row] = await database
    .select({ held: sql`coalesce(sum(${turns.held}), 0)`.mapWith(Number), holders: count() })
    .from(turns)
    .where(and(isNull(turns.endedAt), isNotNull(turns.payer), gt(turns.held, 0)));
  return row ?? { held: 0, holders: 0 };
}

/** Returns what answers have cost all accounts since a time, in one currency. */
export async function sumOfUsage(database: Database, since: Date, currency: string): Promise<Micros> {
  const [row] = await database
    .select({ used: sql`coalesce(-sum(${creditEntries.amount}), 0)`.mapWith(Number) })
    .from(creditEntries)
    .where(
      and(
        gt(creditEntries.createdAt, since),
        eq(creditEntries.kind, "usage"),
        sql`coalesce(${creditEntries.currency}, ${currency}) = ${currency}`,
      ),
    );
  return row?.used ?? 0;
}

export async function isUser(database: Database, userId: string): Promise<boolean> {
  return (await database.$count(user, eq(user.id, userId))) > 0;
}

/** @returns `false` if the same entry already exists */
export async function insertCreditEntry(transaction: Database, entry: CreditEntry): Promise<boolean> {
  const entered = await transaction
    .insert(creditEntries)
    .values(entry)
    .onConflictDoNothing()
    .returning({ id: creditEntries.id });
  return entered.length > 0;
}

/** Returns the entry for a reference, if it exists. */
export async function findCreditEntry(
  transaction: Database,
  userId: string,
  kind: CreditEntry["kind"],
  reference: string,
): Promise<{ amount: Micros } | undefined> {
  const [row] = await transaction
    .select({ amount: creditEntries.amount })
    .from(creditEntries)
    .where(
      and(
        eq(creditEntries.userId, userId),
        eq(creditEntries.kind, kind),
        eq(creditEntries.reference, reference),
      ),
    );
  return row;
}

export async function sumOfCreditEntries(database: Database, userId: string): Promise<Micros> {
  const rows = await database
    .select({ amount: creditEntries.amount })
    .from(creditEntries)
    .where(eq(creditEntries.userId, userId));
  return rows.reduce((sum, row) => sum + row.amount, 0);
}

export async function countCreditEntries(
  database: Database,
  userId: string,
  kind: CreditEntry["kind"],
): Promise<number> {
  return database.$count(creditEntries, and(eq(creditEntries.userId, userId), eq(creditEntries.kind, kind)));
}

export async function isEmailConfirmed(database: Database, userId: string): Promise<boolean> {
  const [row] = await database
    .select({ confirmed: user.emailVerified })
    .from(user)
    .where(eq(user.id, userId));
  return row?.confirmed ?? false;
}

/** @param email in upper or lower case; accounts store lower case */
export async function findUserIdByEmail(database: Database, email: string): Promise<string | undefined> {
  const [row] = await database
    .select({ id: user.id })
    .from(user)
    .where(eq(user.email, email.trim().toLowerCase()));
  return row?.id;
}
