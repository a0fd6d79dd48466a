import { and, isNotNull, isNull, sql } from "drizzle-orm";
import type { Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { creditAccounts, creditCodes, creditEntries, turns } from "../database/schema.ts";

/** Whether the database has any amount of credit. */
export async function isCreditKept(transaction: Database): Promise<boolean> {
  const [account] = await transaction.select({ of: creditAccounts.userId }).from(creditAccounts).limit(1);
  const [code] = await transaction.select({ of: creditCodes.hash }).from(creditCodes).limit(1);
  return account !== undefined || code !== undefined;
}

/** Sets the currency of rows that are older than the currency columns. */
export async function stampCurrency(transaction: Database, currency: string): Promise<void> {
  for (const table of [creditAccounts, creditEntries, creditCodes])
    await transaction.update(table).set({ currency }).where(isNull(table.currency));
}

/** Counts paid answers that have not ended. */
export async function countPaidTurns(transaction: Database): Promise<number> {
  return transaction.$count(turns, and(isNull(turns.endedAt), isNotNull(turns.payer)));
}

export interface Conversion {
  from: string;
  to: string;
  /** The value of one unit of `from` in `to`, in micros. */
  rate: Micros;
  /** Names the conversion in the ledger. */
  reference: string;
  at: Date;
}

/**
 * Converts every balance and every unused code, rounded to the nearest micro. The ledger gets two rows for each
 * account: the whole amount out of the old currency, and its value into the new one.
 *
 * @returns the number of accounts
 */
export async function convertCredit(transaction: Database, conversion: Conversion): Promise<number> {
  const { from, to, rate, reference, at } = conversion;
  const { userId, allowanceLeft, grantedLeft } = creditAccounts;
  const worth = (amount: unknown) => sql`round(${amount} * ${rate}::numeric / 1000000)::bigint`;
  const balance = sql`(${allowanceLeft} + ${grantedLeft})`;
  const after = sql`(${worth(allowanceLeft)} + ${worth(grantedLeft)})`;
  const row = (amount: unknown, balanceAfter: unknown, name: string, currency: string) => sql`
    select ${userId}, 'conversion', ${amount}, ${balanceAfter}, ${name}::text, ${currency}::text, ${reference}::text,
      ${at.toISOString()}::timestamptz
    from ${creditAccounts} where ${balance} <> 0`;
  const columns = sql`user_id, kind, amount, balance_after, reference, currency, price_version, created_at`;
  await transaction.execute(
    sql`insert into ${creditEntries} (${columns}) ${row(sql`-${balance}`, sql`0`, `${reference} out`, from)}`,
  );
  await transaction.execute(
    sql`insert into ${creditEntries} (${columns}) ${row(after, after, `${reference} in`, to)}`,
  );
  const converted = await transaction
    .update(creditAccounts)
    .set({ allowanceLeft: worth(allowanceLeft), grantedLeft: worth(grantedLeft), currency: to })
    .returning({ of: userId });
  await transaction
    .update(creditCodes)
    .set({ amount: worth(creditCodes.amount), currency: to })
    .where(isNull(creditCodes.redeemedAt));
  return converted.length;
}
