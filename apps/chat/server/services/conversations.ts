import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "headgate";
import type {
  AnswerMetadata,
  Conversation,
  ConversationPage,
  ConversationWithMessages,
  SharedConversation,
} from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { badRequest, HttpProblem, notFound } from "../http/problems.ts";
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
import { listMessages } from "../repositories/messages.ts";
import { requestStop } from "../repositories/turns.ts";
import { oneLine } from "./text.ts";

/** Of one owner. */
const MOST_CONVERSATIONS = 1_000;
const UNTITLED = "New conversation";
const LONGEST_PLACEHOLDER = 80;
/** 256 bits: nobody guesses one. */
const SHARE_TOKEN_BYTES = 32;

export interface ListRequest {
  limit: number;
  /** Of the page before. */
  cursor: string | undefined;
  /** Only conversations in which these words appear. */
  search: string | undefined;
}

/** What is asked with an id that is not the owner's is answered as if there were none: 404. */
export interface ConversationService {
  list(owner: string | undefined, request: ListRequest): Promise<ConversationPage>;
  create(owner: string, title: string | undefined): Promise<ConversationWithMessages>;
  get(owner: string | undefined, id: string): Promise<ConversationWithMessages>;
  rename(owner: string | undefined, id: string, title: string): Promise<Conversation>;
  remove(owner: string | undefined, id: string): Promise<void>;
  /** Sharing again gives the same link; after unsharing, another. */
  share(owner: string | undefined, id: string): Promise<Conversation>;
  unshare(owner: string | undefined, id: string): Promise<Conversation>;
  shared(token: string): Promise<SharedConversation>;
  /** Gives what one owner has to another, as far as there is room. @returns how many conversations */
  adopt(from: string, to: string): Promise<number>;
}

export function createConversations(database: Database, clock: Clock): ConversationService {
  /** Runs `look` for an id that can be one, of a caller who can own anything; otherwise there is nothing to find. */
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

  return {
    async list(owner, { limit, cursor, search }) {
      const after = cursor === undefined ? undefined : readCursor(cursor);
      if (owner === undefined) return { conversations: [], nextCursor: null };
      const rows = await listConversations(database, owner, { limit: limit + 1, after, search });
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
      return { ...toConversation(row), messages: await listMessages(database, row.id) };
    },

    rename: (owner, id, title) => change(owner, id, { title, titled: true, namedByPerson: true }),

    async remove(owner, id) {
      await owned(owner, id, async (known) => (await deleteConversation(database, known, id)) || undefined);
      // Nobody reads what is still being answered in it.
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
      const messages = await listMessages(database, row.id);
      return {
        title: row.title,
        createdAt: row.createdAt.toISOString(),
        messages: messages.map((message) => ({ ...message, metadata: forReaders(message.metadata ?? {}) })),
      };
    },

    adopt: (from, to) =>
      database.transaction(async (transaction) => {
        await lockOwner(transaction, to);
        const room = MOST_CONVERSATIONS - (await countConversations(transaction, to));
        return room > 0 ? changeOwner(transaction, from, to, room) : 0;
      }),
  };
}

/**
 * Adds a conversation to its owner's.
 *
 * @throws {HttpProblem} 409 where they have as many as one may
 */
export async function addConversation(transaction: Database, row: ConversationRow): Promise<void> {
  await lockOwner(transaction, row.owner);
  if ((await countConversations(transaction, row.owner)) >= MOST_CONVERSATIONS) {
    throw new HttpProblem(
      409,
      "too_many_conversations",
      `You have ${MOST_CONVERSATIONS.toLocaleString("en")} conversations, which is as many as are kept. Delete some, then try again.`,
    );
  }
  await insertConversation(transaction, row);
}

/** Ids are made here and nowhere else; anything of another form is nobody's. */
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

/** A conversation's title until it has one: its first question, on one line. */
export function placeholderTitle(question: string): string {
  const line = oneLine(question);
  // By code point, so that no character is cut in two.
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

/** The private id of the conversation and what it cost stay with its owner. */
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

/** The end of the year 9999: beyond it, years have five digits, which databases and programs write differently. */
const LATEST_MS = Date.UTC(9999, 11, 31);

function readCursor(cursor: string): Pick<ConversationRow, "updatedAt" | "id"> {
  const [time = "", id = ""] = Buffer.from(cursor, "base64url").toString().split(" ");
  if (!/^\d{1,15}$/.test(time) || Number(time) > LATEST_MS || !isConversationId(id)) {
    throw badRequest("The cursor is not one that this list gave.", [
      { path: "cursor", message: "should be the nextCursor of the page before" },
    ]);
  }
  return { updatedAt: new Date(Number(time)), id };
}
