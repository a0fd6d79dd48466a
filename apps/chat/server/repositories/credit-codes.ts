import { eq } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import { creditCodes } from "../database/schema.ts";

type CodeRow = typeof creditCodes.$inferSelect;

export async function insertCode(database: Database, row: typeof creditCodes.$inferInsert): Promise<void> {
  await database.insert(creditCodes).values(row);
}

/** Locks a code until the transaction ends, so that it is used only once. */
export async function lockCode(transaction: Database, hash: string): Promise<CodeRow | undefined> {
  const [row] = await transaction.select().from(creditCodes).where(eq(creditCodes.hash, hash)).for("update");
  return row;
}

export async function redeemCode(
  transaction: Database,
  hash: string,
  redeemedBy: string,
  redeemedAt: Date,
): Promise<void> {
  await transaction.update(creditCodes).set({ redeemedBy, redeemedAt }).where(eq(creditCodes.hash, hash));
}
