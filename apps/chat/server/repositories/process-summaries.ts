import { desc, eq, lt, ne, sql } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import { processSummaries } from "../database/schema.ts";

/** Each process keeps one; of more than these, the ones that wrote last are read. */
const MOST_PROCESSES = 100;

export async function upsertSummary(database: Database, processId: string, summary: string): Promise<void> {
  const row = { summary, beatAt: sql`now()` };
  await database
    .insert(processSummaries)
    .values({ processId, ...row })
    .onConflictDoUpdate({ target: processSummaries.processId, set: row });
}

/** Says that the process lives, and has nothing new to say. @returns whether its summary is there */
export async function touchSummary(database: Database, processId: string): Promise<boolean> {
  const rows = await database
    .update(processSummaries)
    .set({ beatAt: sql`now()` })
    .where(eq(processSummaries.processId, processId))
    .returning({ processId: processSummaries.processId });
  return rows.length > 0;
}

/** Those of processes that have not been heard of for so long. */
export async function deleteSummariesBefore(database: Database, ageMs: number): Promise<void> {
  await database
    .delete(processSummaries)
    .where(lt(processSummaries.beatAt, sql`now() - ${ageMs} * interval '1 millisecond'`));
}

/** Of the other processes, the one that wrote last first. */
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
