import { randomUUID } from "node:crypto";
import type { Clock } from "headgate";
import type { AnswerMetadata, ChatMessage, Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { badRequest, HttpProblem, notFound, paymentRequired } from "../http/problems.ts";
import {
  type ConversationRow,
  findConversation,
  lockConversation,
  lockConversationById,
  updateConversation,
} from "../repositories/conversations.ts";
import {
  deleteMessage,
  deleteMessagesFrom,
  fillAnswer,
  findMessage,
  findMessageAt,
  findQuestionOf,
  insertMessages,
  isQuestionAfter,
  lastMessage,
  listLastMessages,
  type MessageRow,
  nextPosition,
} from "../repositories/messages.ts";
import {
  claimTurn,
  conversationOfTurn,
  deleteEndedTurn,
  deleteEndedTurns,
  deleteTurn,
  endTurn,
  findRunningTurn,
  listLapsedTurns,
  lockLapsedTurn,
  lockRunningTurn,
  setHeld,
  type TurnRow,
  type Used,
} from "../repositories/turns.ts";
import { noUsage } from "../usage.ts";
import { addConversation, isConversationId, newConversation, placeholderTitle } from "./conversations.ts";
import type { CreditService } from "./credit.ts";
import { readAnswer } from "./journal.ts";
import { storableParts } from "./storable-parts.ts";

/** A checked message of a request, as text, whatever its form was. */
export interface AskedMessage {
  id: string | undefined;
  role: "user" | "assistant";
  text: string;
}

export interface Question {
  owner: string;
  /** The account that pays, if any. */
  payer: string | undefined;
  /**
   * The last message is the question. The others are only used for a new conversation, because an existing one's
   * history is stored.
   */
  messages: [...AskedMessage[], AskedMessage];
  conversationId: string | undefined;
  replaces: string | undefined;
}

/** A stored question, with a reserved position for its answer and held credit. */
export interface Turn {
  kind: "new";
  conversationId: string;
  answerId: string;
  payer: string | undefined;
  /** The amount of the payer's credit that is held. */
  held: Micros;
  /** The conversation for the model, with the question last. */
  history: ChatMessage[];
  /** The question's former answers, which are restored if this turn has none. */
  formerAnswers: MessageRow[];
}

/** A question that was asked before under the same id. Its existing answer is read. */
export interface KnownTurn {
  kind: "known";
  conversationId: string;
  answerId: string;
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
   * an answer to it
   */
  find(question: Question): Promise<KnownTurn | undefined>;
  /**
   * Stores a question, reserves the next position for its answer and holds credit, in one transaction that excludes
   * other turns of the same conversation. The message's id is a unique key of the database: of several simultaneous
   * requests with the same id, in any process, one is answered, and the others find its turn.
   *
   * @param holdFor returns the amount to hold of the payer's credit, given the conversation for the model
   * @throws {HttpProblem} what `find` throws; 402 if there is not enough credit; 404 for a conversation that is not the
   * owner's; 400 for a `replaces` that is not in it; 409 if the conversation is full
   */
  begin(
    question: Question,
    terms: Terms,
    holdFor: (history: ChatMessage[]) => Promise<Micros>,
  ): Promise<Turn | KnownTurn>;
  /** Holds more of the payer's credit, or the rest if there is less. @returns the additional amount held */
  extend(turn: Pick<Turn, "answerId">, more: Micros): Promise<Micros>;
  /**
   * Saves the complete or partial answer, charges what it used and releases what it held. Only the first call has an
   * effect.
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
  /** Charges what the title used, and releases what it held. */
  finishTitle(conversationId: string, used: Used): Promise<void>;
  /**
   * Ends the turns whose process has sent no heartbeat for `leaseMs`. Charges what they had used by the last heartbeat,
   * releases the rest of what they held, and keeps their partial answers. Turns of this process are left alone.
   *
   * @returns the number of turns that were ended
   */
  sweep(leaseMs: number): Promise<number>;
}

/** The maximum number of messages in a conversation, including the next answer. */
const MOST_MESSAGES = 2_000;

/** The maximum number of messages that a model gets. */
const MOST_MESSAGES_TO_MODEL = 60;

/** The maximum number of lapsed turns that are ended at once. */
const MOST_SWEPT_AT_ONCE = 100;

/** How long a turn is kept after its end, for readers of its last parts. */
const KEPT_AFTER_END_MS = 60_000;

/** Another answer has claimed the question meanwhile. */
class AlreadyClaimed extends Error {}

class CreditRefused extends Error {}

export function createTurns(database: Database, clock: Clock, credit: CreditService): TurnService {
  const now = () => new Date(clock.now());
  /** The answers of this process. It sends its heartbeats late while it is busy, and must not end its own answers. */
  const own = new Set<string>();

  function toRow(conversationId: string, position: number, message: AskedMessage, id: string): MessageRow {
    const createdAt = now();
    return {
      conversationId,
      id,
      position,
      role: message.role,
      parts: [{ type: "text", text: message.text }],
      metadata: {
        createdAt: createdAt.toISOString(),
        // A client's answers are unverified, so mark them.
        ...(message.role === "assistant" ? { supplied: true as const } : {}),
      },
      createdAt,
    };
  }

  async function startConversation(transaction: Database, question: Question) {
    const asked = lastOf(question.messages);
    const conversation = newConversation(question.owner, placeholderTitle(asked.text), clock.now());
    await addConversation(transaction, conversation);
    const ids = uniqueIds(question.messages);
    const rows = question.messages.map((message, position) =>
      toRow(conversation.id, position, message, ids[position] ?? randomUUID()),
    );
    await insertMessages(transaction, rows);
    return { conversationId: conversation.id, messageId: rows.at(-1)?.id ?? randomUUID() };
  }

  /** @returns the position of the question, and its former answers */
  async function continueConversation(
    transaction: Database,
    question: Question,
    conversation: ConversationRow,
  ) {
    const { id: conversationId } = conversation;
    const asked = lastOf(question.messages);
    const replaced = await dropReplaced(transaction, conversationId, question.replaces);
    const stored = await findStoredQuestion(transaction, conversationId, asked, replaced[0]);
    if (question.replaces !== undefined && replaced.length === 0 && !stored) {
      throw badRequest("The message to replace is not in this conversation.", [
        { path: "replaces", message: "should be the id of a message of this conversation" },
      ]);
    }
    const dropped = stored ? await deleteMessagesFrom(transaction, conversationId, stored.position + 1) : [];
    const position = await nextPosition(transaction, conversationId);
    if (position + (stored ? 1 : 2) > MOST_MESSAGES) throw conversationFull();
    const messageId = stored?.id ?? asked.id ?? randomUUID();
    if (!stored) await insertMessages(transaction, [toRow(conversationId, position, asked, messageId)]);
    await updateConversation(transaction, question.owner, conversationId, {
      updatedAt: now(),
      // The first question is the title until one is generated. A title that a person chose stays.
      ...(position === 0 && !conversation.namedByPerson
        ? { title: placeholderTitle(asked.text), titled: false }
        : {}),
    });
    return { messageId, formerAnswers: stored ? [...dropped, ...replaced].filter(isAnswer) : [] };
  }

  async function keepPlaceForAnswer(transaction: Database, conversationId: string): Promise<string> {
    const answerId = randomUUID();
    const position = await nextPosition(transaction, conversationId);
    await insertMessages(transaction, [
      {
        conversationId,
        id: answerId,
        position,
        role: "assistant",
        parts: [],
        metadata: {},
        createdAt: now(),
      },
    ]);
    return answerId;
  }

  async function giveUpPlace(transaction: Database, turn: Place): Promise<void> {
    const { conversationId, answerId, formerAnswers } = turn;
    await deleteMessage(transaction, conversationId, answerId);
    const [first] = formerAnswers;
    if (first && (await nextPosition(transaction, conversationId)) === first.position) {
      await insertMessages(transaction, formerAnswers);
    }
  }

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
    const { conversationId, messageId, formerAnswers } = conversation
      ? {
          conversationId: conversation.id,
          ...(await continueConversation(transaction, question, conversation)),
        }
      : { ...(await startConversation(transaction, question)), formerAnswers: [] };
    const history = fromQuestion(await listLastMessages(transaction, conversationId, MOST_MESSAGES_TO_MODEL));
    const answerId = await keepPlaceForAnswer(transaction, conversationId);
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

  /** Ends a turn. Only the first call has an effect. */
  function end(
    place: Place,
    parts: ChatMessage["parts"],
    metadata: AnswerMetadata,
    used: Used,
  ): Promise<void> {
    return database.transaction(async (transaction) => {
      await lockConversationById(transaction, place.conversationId);
      const row = await lockRunningTurn(transaction, place.answerId);
      if (row) await endIn(transaction, row, place, parts, metadata, used);
    });
  }

  async function endOwn(...[place, ...answer]: Parameters<typeof end>): Promise<void> {
    try {
      await end(place, ...answer);
    } finally {
      // If it could not be stored, the next sweep ends it.
      own.delete(place.answerId);
    }
  }

  async function endIn(
    transaction: Database,
    row: TurnRow,
    place: Place,
    parts: ChatMessage["parts"],
    metadata: AnswerMetadata,
    used: Used,
  ): Promise<void> {
    const { conversationId, answerId, payer, held, priceVersion } = row;
    if (parts.length > 0) {
      await fillAnswer(transaction, conversationId, answerId, parts, metadata);
      await endTurn(transaction, answerId, used);
    } else {
      await giveUpPlace(transaction, place);
      await deleteTurn(transaction, answerId);
    }
    if (payer === null) return;
    const { usage, cost } = used;
    await credit.settle(transaction, payer, { reference: answerId, cost, held, usage, priceVersion });
  }

  /** Checks again under locks, because the process may have been slow, not dead. */
  function sweepOne(answerId: string, leaseMs: number): Promise<boolean> {
    return database.transaction(async (transaction) => {
      const conversationId = await conversationOfTurn(transaction, answerId);
      if (conversationId === undefined) return false;
      await lockConversationById(transaction, conversationId);
      const row = await lockLapsedTurn(transaction, answerId, leaseMs);
      if (!row) return false;
      const { inputTokens, cachedInputTokens, outputTokens, used: cost, model, createdAt } = row;
      const usage = { inputTokens, cachedInputTokens, outputTokens };
      const metadata: AnswerMetadata = {
        conversationId,
        model,
        createdAt: createdAt.toISOString(),
        inputTokens,
        outputTokens,
        incomplete: "failed",
      };
      const parts = storableParts(await readAnswer(transaction, answerId));
      // Of what brought nothing, not even the prompt is charged: as where a model fails before its first word.
      const used = parts.length > 0 ? { usage, cost } : { usage: noUsage, cost: 0 };
      await endIn(transaction, row, { ...row, formerAnswers: [] }, parts, metadata, used);
      return true;
    });
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
      database.transaction(async (transaction) => {
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
      const lapsed = await listLapsedTurns(database, leaseMs, MOST_SWEPT_AT_ONCE);
      let swept = 0;
      for (const answerId of lapsed) {
        if (!own.has(answerId) && (await sweepOne(answerId, leaseMs))) swept += 1;
      }
      await deleteEndedTurns(database, KEPT_AFTER_END_MS);
      return swept;
    },
  };
}

/** Returns the id of a title's turn. It contains a space, which no message's id contains. */
function titleTurn(conversationId: string): string {
  return `title ${conversationId}`;
}

/** The position of an answer. */
type Place = Pick<Turn, "conversationId" | "answerId" | "formerAnswers">;

/** Locks the question's conversation until the transaction ends; `undefined` if the question opens a new one. */
async function lockConversationOf(
  transaction: Database,
  question: Question,
): Promise<ConversationRow | undefined> {
  const { owner, conversationId } = question;
  if (conversationId === undefined) {
    const asked = await findAsked(transaction, question);
    return asked && lockConversation(transaction, owner, asked.conversationId);
  }
  const conversation = isConversationId(conversationId)
    ? await lockConversation(transaction, owner, conversationId)
    : undefined;
  if (!conversation) throw notFound("conversation");
  return conversation;
}

/** Finds the message with the question's id in its conversation or, without one, in any conversation of its owner. */
async function findAsked(database: Database, question: Question): Promise<MessageRow | undefined> {
  const { owner, conversationId } = question;
  const { id } = lastOf(question.messages);
  if (id === undefined) return undefined;
  if (conversationId === undefined) return findQuestionOf(database, owner, id);
  if (!isConversationId(conversationId)) return undefined;
  const isOwn = await findConversation(database, owner, conversationId);
  return isOwn && findMessage(database, conversationId, id);
}

async function findKnown(database: Database, question: Question): Promise<KnownTurn | undefined> {
  const stored = await findAsked(database, question);
  if (!stored) return undefined;
  const { conversationId, position } = stored;
  const { replaces } = question;
  const running = await findRunningTurn(database, conversationId, stored.id);
  const replaced = replaces === undefined ? undefined : await findMessage(database, conversationId, replaces);
  if (!isSameQuestion(stored, lastOf(question.messages))) {
    if (!running && replaced && replaced.position <= position) return undefined;
    throw otherWords();
  }
  if (running) return known(running.conversationId, running.answerId);
  if (replaced) return undefined;
  const next = await findMessageAt(database, conversationId, position + 1);
  if (next && isAnswer(next)) return known(conversationId, next.id);
  if (await isQuestionAfter(database, conversationId, position)) throw wentOn();
  return undefined;
}

function known(conversationId: string, answerId: string): KnownTurn {
  return { kind: "known", conversationId, answerId };
}

export function otherWords(): HttpProblem {
  return new HttpProblem(
    422,
    "message_id_reused",
    "A message with this id was sent before, with another text. Use a new id for a new text.",
  );
}

function wentOn(): HttpProblem {
  return new HttpProblem(
    409,
    "message_exists",
    "A message with this id is already part of the conversation. Reload the conversation, then send again.",
  );
}

export function stillAnswered(): HttpProblem {
  return new HttpProblem(
    409,
    "message_running",
    "This message is still being answered. Stop that answer, or wait until it has ended.",
  );
}

function conversationFull(): HttpProblem {
  return new HttpProblem(
    409,
    "conversation_full",
    `This conversation has ${MOST_MESSAGES.toLocaleString("en")} messages, which is the maximum. Start a new one.`,
  );
}

async function dropReplaced(
  transaction: Database,
  conversationId: string,
  replaces: string | undefined,
): Promise<MessageRow[]> {
  const replaced =
    replaces === undefined ? undefined : await findMessage(transaction, conversationId, replaces);
  return replaced ? deleteMessagesFrom(transaction, conversationId, replaced.position) : [];
}

/** Finds the stored question by its id or, without an id, as the question of the replaced answer. */
async function findStoredQuestion(
  transaction: Database,
  conversationId: string,
  asked: AskedMessage,
  replaced: MessageRow | undefined,
): Promise<MessageRow | undefined> {
  if (asked.id !== undefined) return findMessage(transaction, conversationId, asked.id);
  if (replaced?.role !== "assistant") return undefined;
  const last = await lastMessage(transaction, conversationId);
  return last && isSameQuestion(last, asked) ? last : undefined;
}

function isSameQuestion(stored: MessageRow, asked: AskedMessage): boolean {
  return stored.role === "user" && textOf(stored.parts) === asked.text;
}

function isAnswer(message: MessageRow): boolean {
  return message.role === "assistant" && message.parts.length > 0;
}

/** Returns the joined text of a message's parts. */
export function textOf(parts: ChatMessage["parts"]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function lastOf(messages: Question["messages"]): AskedMessage {
  return messages[messages.length - 1] as AskedMessage;
}

/**
 * Returns unique ids: the client's, or new ones if it sent none or a duplicate. The question's own id has precedence.
 */
function uniqueIds(messages: AskedMessage[]): string[] {
  const taken = new Set<string>();
  return messages
    .toReversed()
    .map(({ id }) => {
      const unique = id === undefined || taken.has(id) ? randomUUID() : id;
      taken.add(unique);
      return unique;
    })
    .toReversed();
}

/** Returns the end of a conversation from its first question on. */
function fromQuestion(end: ChatMessage[]): ChatMessage[] {
  const firstQuestion = end.findIndex((message) => message.role === "user");
  return firstQuestion > 0 ? end.slice(firstQuestion) : end;
}
