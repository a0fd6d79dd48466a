import { and, asc, eq, gte, inArray, lt, or, sql } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import { answerParts, turns } from "../database/schema.ts";
import type { Used } from "./turns.ts";

export type PartsRow = typeof answerParts.$inferSelect;

/** The heartbeat of an answer in progress. */
export interface Beat extends Used {
  answerId: string;
}

export async function insertParts(database: Database, rows: PartsRow[]): Promise<void> {
  if (rows.length > 0) await database.insert(answerParts).values(rows).onConflictDoNothing();
}

/** Deletes the parts of each answer before a position. */
export async function deletePartsBefore(
  database: Database,
  bounds: readonly { answerId: string; position: number }[],
): Promise<void> {
  const isBefore = bounds.map(({ answerId, position }) =>
    and(eq(answerParts.answerId, answerId), lt(answerParts.position, position)),
  );
  if (isBefore.length > 0) await database.delete(answerParts).where(or(...isBefore));
}

/** Returns the parts from a position on, in order. */
export async function listParts(database: Database, answerId: string, from: number): Promise<PartsRow[]> {
  return database
    .select()
    .from(answerParts)
    .where(and(eq(answerParts.answerId, answerId), gte(answerParts.position, from)))
    .orderBy(asc(answerParts.position));
}

/**
 * Writes heartbeats of this process's answers, with what they have used.
 *
 * @returns the answers that were asked to stop, and those that another process has ended
 */
export async function beat(database: Database, beats: readonly Beat[]): Promise<Set<string>> {
  const values = sql.join(
    beats.map(
      ({ answerId, cost, usage }) =>
        sql`(${answerId}::text, ${cost}::bigint, ${usage.inputTokens}::int, ${usage.cachedInputTokens}::int, ${usage.outputTokens}::int)`,
    ),
    sql`, `,
  );
  await database.execute(sql`
    update ${turns} set beat_at = now(), used = beats.used, input_tokens = beats.input,
      cached_input_tokens = beats.cached, output_tokens = beats.output
    from (values ${values}) as beats (answer_id, used, input, cached, output)
    where ${turns.answerId} = beats.answer_id and ${turns.endedAt} is null`);
  const going = await database
    .select({ answerId: turns.answerId })
    .from(turns)
    .where(
      and(
        inArray(
          turns.answerId,
          beats.map(({ answerId }) => answerId),
        ),
        eq(turns.stopRequested, false),
        sql`${turns.endedAt} is null`,
      ),
    );
  const isGoing = new Set(going.map(({ answerId }) => answerId));
  return new Set(beats.map(({ answerId }) => answerId).filter((answerId) => !isGoing.has(answerId)));
}
