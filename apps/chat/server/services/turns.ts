import type { Clock } from "headgate";
import type { AnswerMetadata, ChatMessage, Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { paymentRequired } from "../http/problems.ts";
import { listLastMessages } from "../repositories/messages.ts";
import {
  claimTurn,
  deleteEndedTurn,
  deleteEndedTurns,
  listLapsedTurns,
  lockRunningTurn,
  setHeld,
  type Used,
} from "../repositories/turns.ts";
import { noUsage } from "../usage.ts";
import {
  findKnown,
  type KnownTurn,
  lockConversationOf,
  type Question,
  stillAnswered,
} from "./asked-question.ts";
import type { CreditService } from "./credit.ts";
import { keepPlaceForAnswer, type Place, storeQuestion } from "./stored-question.ts";
import { createTurnEndings } from "./turn-endings.ts";

/** A stored question, with a reserved position for its answer and held credit. */
export interface Turn extends Place {
  kind: "new";
  payer: string | undefined;
  /** The amount of the payer's credit that is held. */
  held: Micros;
  /** The conversation for the model, with the question last. */
  history: ChatMessage[];
}

/** The model and the prices of an answer. */
export interface Terms {
  /** The model's name. */
  name: string;
  priceVersion: string;
}

export interface Naming {
  conversationId: string;
  owner: string;
  payer: string;
}

export interface TurnService {
  /**
   * Finds the turn of a question that was asked before, if its answer is running or stored. Only reads.
   *
   * @throws {HttpProblem} 422 if the same id was used with another text; 409 if the conversation has continued without
   * an answer to the question
   */
  find(question: Question): Promise<KnownTurn | undefined>;
  /**
   * Stores a question, reserves the next position for its answer and holds credit, in one transaction that excludes
   * other turns of the same conversation. The message's id is a unique key of the database: of several simultaneous
   * requests with the same id, in any process, one is answered, and the others find its turn.
   *
   * @param holdFor returns the amount to hold of the payer's credit, given the conversation for the model
   * @throws {HttpProblem} as `find`; 402 if there is not enough credit; 404 for a conversation that is not the owner's;
   *   400 for a `replaces` that is not in it; 409 if the conversation is full
   */
  begin(
    question: Question,
    terms: Terms,
    holdFor: (history: ChatMessage[]) => Promise<Micros>,
  ): Promise<Turn | KnownTurn>;
  /** Holds more of the payer's credit, or all remaining credit if there is less. Returns the additional amount held. */
  extend(turn: Pick<Turn, "answerId">, more: Micros): Promise<Micros>;
  /**
   * Saves the complete or partial answer, charges its use and releases its hold. Only the first call has an effect.
   */
  finish(turn: Turn, parts: ChatMessage["parts"], metadata: AnswerMetadata, used: Used): Promise<void>;
  /** Releases the position of an answer that never began. The question stays. */
  abandon(turn: Turn): Promise<void>;
  /**
   * Claims the generation of a conversation's title, and holds credit for it.
   *
   * @returns `false` if another request is generating it, or there is not enough credit
   */
  beginTitle(naming: Naming, terms: Terms, held: Micros): Promise<boolean>;
  /** Charges the title's use, and releases its hold. */
  finishTitle(conversationId: string, used: Used): Promise<void>;
  /**
   * Ends the turns whose process has sent no heartbeat for `leaseMs`. Charges what they had used by the last heartbeat,
   * releases the rest of what they held, and keeps their partial answers. Answers of this process are not ended.
   *
   * @returns the number of turns that were ended
   */
  sweep(leaseMs: number): Promise<number>;
}

/** The maximum number of messages that a model gets. */
const MOST_MESSAGES_TO_MODEL = 60;

/** The maximum number of lapsed turns that are ended in one sweep. */
const MOST_SWEPT_AT_ONCE = 100;

/** How long a turn is kept after its end, for readers of its last parts. */
const KEPT_AFTER_END_MS = 60_000;

/** The error if another answer has claimed the question in the meantime. */
class AlreadyClaimed extends Error {}

class CreditRefused extends Error {}

/** @param reserved the same database, with connections for answers that have begun */
export function createTurns(
  database: Database,
  clock: Clock,
  credit: CreditService,
  reserved: Database = database,
): TurnService {
  const now = () => new Date(clock.now());
  /** The answers of this process. While it is busy, its heartbeats are late, but it must not end its own answers. */
  const own = new Set<string>();
  const { end, endLapsed } = createTurnEndings(reserved, credit);

  /** Locks in the same order as `end`: the conversation, the turn, the account. */
  async function beginIn(
    transaction: Database,
    question: Question,
    terms: Terms,
    holdFor: (history: ChatMessage[]) => Promise<Micros>,
  ): Promise<Turn | KnownTurn> {
    const { owner, payer, replaces } = question;
    const conversation = await lockConversationOf(transaction, question);
    const known = await findKnown(transaction, question);
    if (known) return known;
    const stored = await storeQuestion(transaction, question, conversation, now());
    const { conversationId, messageId, formerAnswers } = stored;
    const history = fromQuestion(await listLastMessages(transaction, conversationId, MOST_MESSAGES_TO_MODEL));
    const answerId = await keepPlaceForAnswer(transaction, conversationId, now());
    const held = payer === undefined ? 0 : await holdFor(history);
    const opens = question.conversationId === undefined;
    await deleteEndedTurn(transaction, conversationId, messageId, opens ? owner : undefined);
    const isClaimed = await claimTurn(transaction, {
      answerId,
      conversationId,
      owner,
      kind: "answer",
      messageId,
      opened: opens,
      replaces: replaces ?? null,
      model: terms.name,
      payer: payer ?? null,
      held,
      priceVersion: terms.priceVersion,
      createdAt: now(),
    });
    if (!isClaimed) throw new AlreadyClaimed();
    if (payer !== undefined && !(await credit.hold(transaction, payer, held))) throw new CreditRefused();
    return { kind: "new", conversationId, answerId, payer, held, history, formerAnswers };
  }

  async function endOwn(...[place, ...answer]: Parameters<typeof end>): Promise<void> {
    try {
      await end(place, ...answer);
    } finally {
      // If the end could not be stored, the next sweep ends the turn.
      own.delete(place.answerId);
    }
  }

  return {
    find: (question) => findKnown(database, question),

    async begin(question, terms, holdFor) {
      try {
        const turn = await database.transaction((transaction) =>
          beginIn(transaction, question, terms, holdFor),
        );
        if (turn.kind === "new") own.add(turn.answerId);
        return turn;
      } catch (error) {
        if (error instanceof CreditRefused && question.payer !== undefined) {
          throw paymentRequired(await credit.of(question.payer));
        }
        if (!(error instanceof AlreadyClaimed)) throw error;
        const known = await findKnown(database, question);
        if (!known) throw stillAnswered();
        return known;
      }
    },

    extend: ({ answerId }, more) =>
      reserved.transaction(async (transaction) => {
        const row = await lockRunningTurn(transaction, answerId);
        if (!row || row.payer === null) return 0;
        const granted = await credit.holdAffordable(transaction, row.payer, more);
        await setHeld(transaction, answerId, row.held + granted);
        return granted;
      }),

    finish: endOwn,

    abandon: (turn) => endOwn(turn, [], {}, { usage: noUsage, cost: 0 }),

    async beginTitle({ conversationId, owner, payer }, { name, priceVersion }, held) {
      const id = titleTurn(conversationId);
      const claim = { answerId: id, kind: "title" as const, messageId: id, opened: false, createdAt: now() };
      try {
        await database.transaction(async (transaction) => {
          await deleteEndedTurn(transaction, conversationId, id);
          const turn = { ...claim, conversationId, owner, payer, model: name, priceVersion, held };
          if (!(await claimTurn(transaction, turn))) throw new AlreadyClaimed();
          if (!(await credit.hold(transaction, payer, held))) throw new CreditRefused();
        });
        return true;
      } catch (error) {
        if (error instanceof AlreadyClaimed || error instanceof CreditRefused) return false;
        throw error;
      }
    },

    finishTitle: (conversationId, used) =>
      end({ conversationId, answerId: titleTurn(conversationId), formerAnswers: [] }, [], {}, used),

    async sweep(leaseMs) {
      const lapsed = await listLapsedTurns(reserved, leaseMs, MOST_SWEPT_AT_ONCE);
      let swept = 0;
      for (const answerId of lapsed) {
        if (!own.has(answerId) && (await endLapsed(answerId, leaseMs))) swept += 1;
      }
      await deleteEndedTurns(reserved, KEPT_AFTER_END_MS);
      return swept;
    },
  };
}

/** Returns the id of a title's turn. It contains a space, which no message's id contains. */
function titleTurn(conversationId: string): string {
  return `title ${conversationId}`;
}

/** Removes the messages before the first question in this end of a conversation. */
function fromQuestion(end: ChatMessage[]): ChatMessage[] {
  const firstQuestion = end.findIndex((message) => message.role === "user");
  return firstQuestion > 0 ? end.slice(firstQuestion) : end;
}
