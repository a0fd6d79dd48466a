import { desc, eq, lt, ne, sql } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import { processSummaries } from "../database/schema.ts";

/** How many processes' summaries are read: those that wrote last. */
const MOST_PROCESSES = 100;

export async function upsertSummary(database: Database, processId: string, summary: string): Promise<void> {
  const row = { summary, beatAt: sql`now()` };
  await database
    .insert(processSummaries)
    .values({ processId, ...row })
    .onConflictDoUpdate({ target: processSummaries.processId, set: row });
}

/** Writes a heartbeat without a new summary. @returns whether the process has a summary */
export async function touchSummary(database: Database, processId: string): Promise<boolean> {
  const rows = await database
    .update(processSummaries)
    .set({ beatAt: sql`now()` })
    .where(eq(processSummaries.processId, processId))
    .returning({ processId: processSummaries.processId });
  return rows.length > 0;
}

/** Deletes the summaries of processes without a heartbeat for this time. */
export async function deleteSummariesBefore(database: Database, ageMs: number): Promise<void> {
  await database
    .delete(processSummaries)
    .where(lt(processSummaries.beatAt, sql`now() - ${ageMs} * interval '1 millisecond'`));
}

/** Returns the other processes' summaries, the most recently written first. */
export async function listOtherSummaries(
  database: Database,
  processId: string,
): Promise<{ text: string; ageMs: number }[]> {
  return database
    .select({
      text: processSummaries.summary,
      ageMs: sql<number>`greatest(0, extract(epoch from now() - ${processSummaries.beatAt}) * 1000)::float8`,
    })
    .from(processSummaries)
    .where(ne(processSummaries.processId, processId))
    .orderBy(desc(processSummaries.beatAt))
    .limit(MOST_PROCESSES);
}
