import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "headgate";
import type {
  AnswerMetadata,
  ChatMessage,
  Conversation,
  ConversationPage,
  ConversationWithMessages,
  SharedConversation,
} from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { badRequest, clientWentAway, HttpProblem, notFound } from "../http/problems.ts";
import {
  type ConversationRow,
  changeOwner,
  countConversations,
  deleteConversation,
  findConversation,
  findSharedConversation,
  insertConversation,
  listConversations,
  lockOwner,
  shareConversation,
  updateConversation,
} from "../repositories/conversations.ts";
import { countMessages } from "../repositories/messages.ts";
import { requestStop } from "../repositories/turns.ts";
import { type History, MESSAGES_AT_ONCE, openObject } from "./history.ts";
import { createLine, LeftTheLine } from "./line.ts";
import { oneLine } from "./text.ts";

/** The maximum number of conversations for one owner. */
const MOST_CONVERSATIONS = 1_000;
const UNTITLED = "New conversation";
const LONGEST_PLACEHOLDER = 80;
/** 256 bits, so that a token cannot be guessed. */
const SHARE_TOKEN_BYTES = 32;

export interface ListRequest {
  limit: number;
  /** The cursor of the previous page. */
  cursor: string | undefined;
  /** Lists only conversations that contain this text. */
  search: string | undefined;
}

/** An open conversation that is read piece by piece. */
export interface Reading {
  /** The number of pieces, which is what reading it costs. */
  pieces: number;
  json: AsyncGenerator<string>;
}

/** Manages an owner's conversations. Methods throw the same 404 for another owner's id and for an unknown id. */
export interface ConversationService {
  /** @param left aborts if the caller leaves; a search that has not begun is then dropped */
  list(owner: string | undefined, request: ListRequest, left: AbortSignal): Promise<ConversationPage>;
  create(owner: string, title: string | undefined): Promise<ConversationWithMessages>;
  /** Opens a conversation to read it as a `ConversationWithMessages`. */
  get(owner: string | undefined, id: string): Promise<Reading>;
  rename(owner: string | undefined, id: string, title: string): Promise<Conversation>;
  remove(owner: string | undefined, id: string): Promise<void>;
  /** Shares a conversation. Sharing again returns the same link; sharing after unsharing returns a new link. */
  share(owner: string | undefined, id: string): Promise<Conversation>;
  unshare(owner: string | undefined, id: string): Promise<Conversation>;
  /** Opens a shared conversation to read it as a `SharedConversation`. */
  shared(token: string): Promise<Reading>;
  /** Moves conversations from one owner to another, up to the maximum. Returns how many were moved. */
  adopt(from: string, to: string): Promise<number>;
}

export function createConversations(database: Database, clock: Clock, history: History): ConversationService {
  // Runs one search at a time. A search reads all messages of its owner, so the database must get to other work between
  // two searches.
  const searches = createLine(1);

  /** Runs `look` if the caller can own conversations and the id is valid. Throws a 404 if not, or if `look` finds nothing. */
  async function owned<Found>(
    owner: string | undefined,
    id: string,
    look: (owner: string) => Promise<Found | undefined>,
  ): Promise<Found> {
    const found = owner !== undefined && isConversationId(id) ? await look(owner) : undefined;
    if (found === undefined) throw notFound("conversation");
    return found;
  }

  async function change(
    owner: string | undefined,
    id: string,
    values: Parameters<typeof updateConversation>[3],
  ): Promise<Conversation> {
    return toConversation(await owned(owner, id, (known) => updateConversation(database, known, id, values)));
  }

  async function reading(
    { id }: ConversationRow,
    head: object,
    show?: (message: ChatMessage) => ChatMessage,
  ): Promise<Reading> {
    const pieces = Math.max(1, Math.ceil((await countMessages(database, id)) / MESSAGES_AT_ONCE));
    async function* json() {
      let before = `${openObject(head)},"messages":`;
      for await (const messages of history.json(id, show)) {
        yield before + messages;
        before = "";
      }
      yield "}";
    }
    return { pieces, json: json() };
  }

  return {
    async list(owner, { limit, cursor, search }, left) {
      const after = cursor === undefined ? undefined : readCursor(cursor);
      if (owner === undefined) return { conversations: [], nextCursor: null };
      const read = () => listConversations(database, owner, { limit: limit + 1, after, search });
      const rows = search === undefined ? await read() : await searches.run(read, left).catch(leftTheLine);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        conversations: page.map(toConversation),
        nextCursor: rows.length > limit && last ? writeCursor(last) : null,
      };
    },

    async create(owner, title) {
      const row = newConversation(owner, title ?? UNTITLED, clock.now(), title !== undefined);
      await database.transaction((transaction) => addConversation(transaction, row));
      return { ...toConversation(row), messages: [] };
    },

    async get(owner, id) {
      const row = await owned(owner, id, (known) => findConversation(database, known, id));
      return reading(row, toConversation(row));
    },

    rename: (owner, id, title) => change(owner, id, { title, titled: true, namedByPerson: true }),

    async remove(owner, id) {
      await owned(owner, id, async (known) => (await deleteConversation(database, known, id)) || undefined);
      // Stop the conversation's answers in progress, because nobody can read them now.
      await requestStop(database, { conversationId: id, messageId: undefined });
    },

    async share(owner, id) {
      const token = randomBytes(SHARE_TOKEN_BYTES).toString("base64url");
      return toConversation(await owned(owner, id, (known) => shareConversation(database, known, id, token)));
    },

    unshare: (owner, id) => change(owner, id, { shareToken: null }),

    async shared(token) {
      const row = /^[\w-]{43}$/.test(token) ? await findSharedConversation(database, token) : undefined;
      if (!row) throw notFound("shared conversation");
      const head = { title: row.title, createdAt: row.createdAt.toISOString() };
      return reading(row, head satisfies Omit<SharedConversation, "messages">, (message) => ({
        ...message,
        metadata: forReaders(message.metadata ?? {}),
      }));
    },

    adopt: (from, to) =>
      database.transaction(async (transaction) => {
        await lockOwner(transaction, to);
        const room = MOST_CONVERSATIONS - (await countConversations(transaction, to));
        return room > 0 ? changeOwner(transaction, from, to, room) : 0;
      }),
  };
}

function leftTheLine(error: unknown): never {
  throw error instanceof LeftTheLine ? clientWentAway("The client left before the search.") : error;
}

/**
 * Adds a conversation.
 *
 * @throws {HttpProblem} 409 if its owner has the maximum number of conversations
 */
export async function addConversation(transaction: Database, row: ConversationRow): Promise<void> {
  await lockOwner(transaction, row.owner);
  if ((await countConversations(transaction, row.owner)) >= MOST_CONVERSATIONS) {
    throw new HttpProblem(
      409,
      "too_many_conversations",
      `You have ${MOST_CONVERSATIONS.toLocaleString("en")} conversations, which is the maximum. Delete some, then try again.`,
    );
  }
  await insertConversation(transaction, row);
}

/** Whether a text has the form of a conversation's id, which only this service generates. */
export function isConversationId(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

export function newConversation(
  owner: string,
  title: string,
  nowMs: number,
  namedByPerson = false,
): ConversationRow {
  const now = new Date(nowMs);
  return {
    id: randomUUID(),
    owner,
    title,
    titled: namedByPerson,
    namedByPerson,
    shareToken: null,
    createdAt: now,
    updatedAt: now,
  };
}

/** Returns the provisional title of a conversation: its first question, on one line. */
export function placeholderTitle(question: string): string {
  const line = oneLine(question);
  // Cut between code points, so that no character is cut in two.
  const characters = [...line];
  return characters.length <= LONGEST_PLACEHOLDER
    ? line
    : `${characters
        .slice(0, LONGEST_PLACEHOLDER - 1)
        .join("")
        .trimEnd()}…`;
}

export function toConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    title: row.title,
    titled: row.titled,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    sharePath: row.shareToken === null ? null : `/share/${row.shareToken}`,
  };
}

/** Removes the conversation's id and the cost from metadata for other readers. */
function forReaders({ model, createdAt, incomplete, supplied }: AnswerMetadata): AnswerMetadata {
  return {
    ...(model === undefined ? {} : { model }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(incomplete === undefined ? {} : { incomplete }),
    ...(supplied === undefined ? {} : { supplied }),
  };
}

function writeCursor(row: ConversationRow): string {
  return Buffer.from(`${row.updatedAt.getTime()} ${row.id}`).toString("base64url");
}

/** The end of the year 9999. Later years have five digits, which databases and programs write differently. */
const LATEST_MS = Date.UTC(9999, 11, 31);

function readCursor(cursor: string): Pick<ConversationRow, "updatedAt" | "id"> {
  const [time = "", id = ""] = Buffer.from(cursor, "base64url").toString().split(" ");
  if (!/^\d{1,15}$/.test(time) || Number(time) > LATEST_MS || !isConversationId(id)) {
    throw badRequest("Invalid cursor.", [
      { path: "cursor", message: "should be the nextCursor of the previous page" },
    ]);
  }
  return { updatedAt: new Date(Number(time)), id };
}
