import { desc, eq, inArray } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import { limitChanges } from "../database/schema.ts";

export type LimitChangeRow = typeof limitChanges.$inferSelect;

export async function insertLimitChange(
  database: Database,
  row: typeof limitChanges.$inferInsert,
): Promise<void> {
  await database.insert(limitChanges).values(row);
}

/** Returns the last block, override or end for each partition. */
export async function listLastLimitChanges(database: Database): Promise<LimitChangeRow[]> {
  return database
    .selectDistinctOn([limitChanges.partition])
    .from(limitChanges)
    .where(inArray(limitChanges.what, ["block", "override", "end"]))
    .orderBy(limitChanges.partition, desc(limitChanges.id));
}

/** Returns the changes for one account. */
export async function listLimitChangesOf(database: Database, userId: string) {
  const { what, limits, until, reason, at } = limitChanges;
  return database
    .select({ what, limits, until, reason, at })
    .from(limitChanges)
    .where(eq(limitChanges.userId, userId))
    .orderBy(limitChanges.id);
}

/** Returns the changes, the newest first. */
export async function listLimitChanges(database: Database, most: number): Promise<LimitChangeRow[]> {
  return database.select().from(limitChanges).orderBy(desc(limitChanges.id)).limit(most);
}
