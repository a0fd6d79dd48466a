import {
  and,
  asc,
  desc,
  eq,
  inArray,
  isNotNull,
  isNull,
  lt,
  notExists,
  notInArray,
  or,
  sql,
} from "drizzle-orm";
import type { Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { answerParts, messages, turns } from "../database/schema.ts";
import type { Usage } from "../usage.ts";

export type TurnRow = typeof turns.$inferSelect;
export type NewTurn = typeof turns.$inferInsert;

/** What an answer has used so far. */
export interface Used {
  usage: Usage;
  cost: Micros;
}

/** Claims a question for this answer. @returns `false` if another answer has it */
export async function claimTurn(transaction: Database, turn: NewTurn): Promise<boolean> {
  const claimed = await transaction
    .insert(turns)
    .values(turn)
    .onConflictDoNothing()
    .returning({ answerId: turns.answerId });
  return claimed.length > 0;
}

/** Locks a running turn until the transaction ends. @returns `undefined` if the turn has ended */
export async function lockRunningTurn(transaction: Database, answerId: string): Promise<TurnRow | undefined> {
  const [row] = await transaction
    .select()
    .from(turns)
    .where(and(eq(turns.answerId, answerId), isNull(turns.endedAt)))
    .for("update");
  return row;
}

/** Like `lockRunningTurn`, for a turn whose process has sent no heartbeat for `leaseMs`. */
export async function lockLapsedTurn(
  transaction: Database,
  answerId: string,
  leaseMs: number,
): Promise<TurnRow | undefined> {
  const [row] = await transaction
    .select()
    .from(turns)
    .where(and(eq(turns.answerId, answerId), isNull(turns.endedAt), lt(turns.beatAt, msAgo(leaseMs))))
    .for("update");
  return row;
}

export async function findRunningTurn(
  database: Database,
  conversationId: string,
  messageId: string,
): Promise<TurnRow | undefined> {
  const [row] = await database
    .select()
    .from(turns)
    .where(
      and(eq(turns.conversationId, conversationId), eq(turns.messageId, messageId), isNull(turns.endedAt)),
    );
  return row;
}

export async function conversationOfTurn(database: Database, answerId: string): Promise<string | undefined> {
  const [row] = await database
    .select({ conversationId: turns.conversationId })
    .from(turns)
    .where(eq(turns.answerId, answerId));
  return row?.conversationId;
}

export async function setHeld(transaction: Database, answerId: string, held: Micros): Promise<void> {
  await transaction.update(turns).set({ held }).where(eq(turns.answerId, answerId));
}

/** Marks a turn as ended. It is deleted a minute later. */
export async function endTurn(transaction: Database, answerId: string, { usage, cost }: Used): Promise<void> {
  await transaction
    .update(turns)
    .set({ ...usage, used: cost, held: 0, endedAt: sql`now()` })
    .where(eq(turns.answerId, answerId));
}

export async function deleteTurn(transaction: Database, answerId: string): Promise<void> {
  await transaction.delete(turns).where(eq(turns.answerId, answerId));
}

/**
 * Deletes an ended turn, so that its question can have another answer.
 *
 * @param opener the owner, if the question opens a conversation. Then also deletes the turn of an earlier conversation
 * that this question opened, if the conversation or the question no longer exists
 */
export async function deleteEndedTurn(
  transaction: Database,
  conversationId: string,
  messageId: string,
  opener?: string,
): Promise<void> {
  const question = transaction
    .select({ id: messages.id })
    .from(messages)
    .where(and(eq(messages.conversationId, turns.conversationId), eq(messages.id, turns.messageId)));
  const isInTheWay = or(
    eq(turns.conversationId, conversationId),
    opener === undefined ? undefined : and(eq(turns.owner, opener), turns.opened, notExists(question)),
  );
  await transaction
    .delete(turns)
    .where(and(eq(turns.messageId, messageId), isNotNull(turns.endedAt), isInTheWay));
}

/** Returns the answer ids of turns whose process has sent no heartbeat for `leaseMs`, the oldest heartbeat first. */
export async function listLapsedTurns(database: Database, leaseMs: number, most: number): Promise<string[]> {
  const rows = await database
    .select({ answerId: turns.answerId })
    .from(turns)
    .where(and(isNull(turns.endedAt), lt(turns.beatAt, msAgo(leaseMs))))
    .orderBy(asc(turns.beatAt))
    .limit(most);
  return rows.map(({ answerId }) => answerId);
}

/** Deletes the ended turns of an owner, with their parts. */
export async function deleteEndedTurnsOf(transaction: Database, owner: string): Promise<void> {
  const ended = await transaction
    .delete(turns)
    .where(and(eq(turns.owner, owner), isNotNull(turns.endedAt)))
    .returning({ answerId: turns.answerId });
  const answerIds = ended.map(({ answerId }) => answerId);
  await transaction.delete(answerParts).where(inArray(answerParts.answerId, answerIds));
}

/** Deletes turns that ended this long ago, with their parts. */
export async function deleteEndedTurns(database: Database, endedForMs: number): Promise<void> {
  await database.delete(turns).where(lt(turns.endedAt, msAgo(endedForMs)));
  await database
    .delete(answerParts)
    .where(notInArray(answerParts.answerId, database.select({ answerId: turns.answerId }).from(turns)));
}

/** Returns the state of a turn; `undefined` if it was deleted. */
export async function stateOfTurn(
  database: Database,
  answerId: string,
  leaseMs: number,
): Promise<"running" | "lapsed" | "ended" | undefined> {
  const [row] = await database
    .select({
      state: sql<"running" | "lapsed" | "ended">`case when ${turns.endedAt} is not null then 'ended'
        when ${turns.beatAt} < ${msAgo(leaseMs)} then 'lapsed' else 'running' end`,
    })
    .from(turns)
    .where(eq(turns.answerId, answerId));
  return row?.state;
}

/** Returns the newest running answer of a conversation. */
export async function findRunningTurnIn(
  database: Database,
  conversationId: string,
): Promise<TurnRow | undefined> {
  const [row] = await database
    .select()
    .from(turns)
    .where(and(eq(turns.conversationId, conversationId), eq(turns.kind, "answer"), isNull(turns.endedAt)))
    .orderBy(desc(turns.createdAt))
    .limit(1);
  return row;
}

/** Which answers to stop: those in a conversation, to one of its messages, to a message that opened one, or of an owner. */
export type StopTarget =
  | { conversationId: string; messageId: string | undefined }
  | { owner: string; openingMessageId: string | undefined };

/** @returns the answers to stop. Other processes see the request with their next heartbeat */
export async function requestStop(database: Database, target: StopTarget): Promise<string[]> {
  const isMeant =
    "owner" in target
      ? and(
          eq(turns.owner, target.owner),
          target.openingMessageId === undefined
            ? undefined
            : and(eq(turns.messageId, target.openingMessageId), turns.opened),
        )
      : and(
          eq(turns.conversationId, target.conversationId),
          target.messageId === undefined ? undefined : eq(turns.messageId, target.messageId),
        );
  const rows = await database
    .update(turns)
    .set({ stopRequested: true })
    .where(and(isMeant, eq(turns.kind, "answer"), isNull(turns.endedAt)))
    .returning({ answerId: turns.answerId });
  return rows.map(({ answerId }) => answerId);
}

/** An earlier time, by the database's clock. */
function msAgo(ms: number) {
  return sql`now() - ${ms} * interval '1 millisecond'`;
}
