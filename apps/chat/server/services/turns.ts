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
  listMessages,
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

/** A message of a request, read and checked: text alone, whatever shape it came in. */
export interface AskedMessage {
  id: string | undefined;
  role: "user" | "assistant";
  text: string;
}

export interface Question {
  owner: string;
  /** The account that pays, if one does. */
  payer: string | undefined;
  /** The last is the question. The others count for a new conversation alone; an old one's history is stored. */
  messages: [...AskedMessage[], AskedMessage];
  conversationId: string | undefined;
  replaces: string | undefined;
}

/** A question that is stored, with the place of its answer kept and its credit held. */
export interface Turn {
  kind: "new";
  conversationId: string;
  answerId: string;
  payer: string | undefined;
  /** What is held of the payer's credit. */
  held: Micros;
  /** What the model is to continue, the question last. */
  history: ChatMessage[];
  /** The answers that this turn's question had: they come back if this turn brings none. */
  formerAnswers: MessageRow[];
}

/** A question that was asked before under the same id: its answer is read, not made again. */
export interface KnownTurn {
  kind: "known";
  conversationId: string;
  answerId: string;
}

/** What an answer is charged by. */
export interface Terms {
  /** Of the model. */
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
   * The turn of a question that was asked before, if its answer runs or is stored. It reads alone.
   *
   * @throws {HttpProblem} 422 where the same id came with other words; 409 where the conversation has gone on without an
   *   answer to it
   */
  find(question: Question): Promise<KnownTurn | undefined>;
  /**
   * Stores a question, keeps the next place for its answer and holds credit for it, in one transaction that no other turn
   * of the same conversation can come between. The message's id is a unique key of the database: of several that bring the
   * same one at once, to whichever process, one is answered, and the others find its turn.
   *
   * @param holdFor what is held of the payer's credit, given what the model is to continue
   * @throws {HttpProblem} what `find` throws; 402 if there is not enough credit; 404 for a conversation that is not the
   *   owner's, 400 for a `replaces` that is not in it, 409 where there is no room for another message
   */
  begin(
    question: Question,
    terms: Terms,
    holdFor: (history: ChatMessage[]) => Promise<Micros>,
  ): Promise<Turn | KnownTurn>;
  /** Holds more of the payer's credit, or what there is of it. @returns how much was held on top */
  extend(turn: Pick<Turn, "answerId">, more: Micros): Promise<Micros>;
  /** Saves the answer, or what there is of it, charges what it used and frees what it held. Only the first end counts. */
  finish(turn: Turn, parts: ChatMessage["parts"], metadata: AnswerMetadata, used: Used): Promise<void>;
  /** Gives up the place of an answer that never began. The question stays: the person's words are not lost. */
  abandon(turn: Turn): Promise<void>;
  /**
   * Claims the naming of a conversation, and holds credit for it.
   *
   * @returns `false` if somebody else names it just now, or there is not enough credit
   */
  beginTitle(naming: Naming, terms: Terms, held: Micros): Promise<boolean>;
  /** Charges what naming used, and frees what it held. */
  finishTitle(conversationId: string, used: Used): Promise<void>;
  /**
   * Ends the turns whose process has not said for `leaseMs` that it lives: charges what they had used by its last beat, frees
   * the rest of what they held, and keeps what there is of their answers.
   *
   * @returns how many
   */
  sweep(leaseMs: number): Promise<number>;
}

/** In one conversation, the answer to come included. */
const MOST_MESSAGES = 2_000;

/** What a model is given of a long conversation, at most. */
const MOST_MESSAGES_TO_MODEL = 60;

/** How many lapsed turns are ended at once. */
const MOST_SWEPT_AT_ONCE = 100;

/** How long a turn is kept after its end, for those who are reading its last parts. */
const KEPT_AFTER_END_MS = 60_000;

/** Another answer has claimed the question since it was looked for. */
class AlreadyClaimed extends Error {}

class CreditRefused extends Error {}

export function createTurns(database: Database, clock: Clock, credit: CreditService): TurnService {
  const now = () => new Date(clock.now());

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
        // What a client says that an answer said is its own word.
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

  /** @returns the position of the question, and the answers that it had */
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
      // The first question names it, until something better does; a name that a person chose stays.
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

  /** Everything in one order, here and in `end`: the conversation, the turn, the account. */
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
    const history = recent(await listMessages(transaction, conversationId));
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

  /** Only the first end of a turn counts. */
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

  /** Once more under its locks: its process may have been slow, not dead. */
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
        return await database.transaction((transaction) => beginIn(transaction, question, terms, holdFor));
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

    finish: end,

    abandon: (turn) => end(turn, [], {}, { usage: noUsage, cost: 0 }),

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
      for (const answerId of lapsed) if (await sweepOne(answerId, leaseMs)) swept += 1;
      await deleteEndedTurns(database, KEPT_AFTER_END_MS);
      return swept;
    },
  };
}

/** With a space, which no message's id has. */
function titleTurn(conversationId: string): string {
  return `title ${conversationId}`;
}

/** Where an answer is to be. */
type Place = Pick<Turn, "conversationId" | "answerId" | "formerAnswers">;

/** The question's conversation, held until the transaction ends; `undefined` where it is to open one. */
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

/** What is stored under the question's id: in its conversation, or, where it names none, in any of its owner's. */
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

function otherWords(): HttpProblem {
  return new HttpProblem(
    422,
    "message_id_reused",
    "A message with this id was sent before, with other words. Send new words under a new id.",
  );
}

function wentOn(): HttpProblem {
  return new HttpProblem(
    409,
    "message_exists",
    "A message with this id is already part of the conversation. Reload the conversation, then send again.",
  );
}

function stillAnswered(): HttpProblem {
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
    `This conversation has ${MOST_MESSAGES.toLocaleString("en")} messages, which is as many as one holds. Start a new one.`,
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

/** The question, if it is stored: found by its id, or, where a client gives none, as what the replaced answer answered. */
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

/** Text of a message's parts, joined. */
export function textOf(parts: ChatMessage["parts"]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function lastOf(messages: Question["messages"]): AskedMessage {
  return messages[messages.length - 1] as AskedMessage;
}

/** Ids that clients chose, where they chose one and did not choose it twice. The question's own has precedence. */
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

/** The end of the conversation, beginning with something a person said. */
function recent(history: ChatMessage[]): ChatMessage[] {
  const end = history.slice(-MOST_MESSAGES_TO_MODEL);
  const firstQuestion = end.findIndex((message) => message.role === "user");
  return firstQuestion > 0 ? end.slice(firstQuestion) : end;
}
