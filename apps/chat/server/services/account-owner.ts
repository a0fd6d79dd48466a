import type { Clock } from "headgate";
import type { AccountSession, Instant } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { notFound } from "../http/problems.ts";
import {
  deleteAccount,
  deleteOtherSessions,
  deleteSession,
  findUser,
  listCreditEntries,
  listSessions,
  type SessionRow,
} from "../repositories/accounts.ts";
import { listConversations } from "../repositories/conversations.ts";
import { listLimitChangesOf } from "../repositories/limit-changes.ts";
import { requestStop } from "../repositories/turns.ts";
import { toConversation } from "./conversations.ts";
import { type History, openObject } from "./history.ts";
import { accountOwner } from "./identity.ts";

/** The account and session of a request. */
export interface SignedIn {
  id: string;
  sessionId: string;
}

/** The actions of an owner on their account. */
export interface AccountOwnerService {
  /** Returns the account's sessions. */
  sessions(account: SignedIn): Promise<AccountSession[]>;
  /** Ends a session. Throws a 404 if it is not this account's. */
  endSession(account: SignedIn, sessionId: string): Promise<void>;
  endOtherSessions(account: SignedIn): Promise<void>;
  /** Permanently deletes the account with everything in it. */
  remove(account: SignedIn): Promise<void>;
  /** Yields all data of the account as JSON, in pieces, so that only a few messages are in memory at a time. */
  exported(account: SignedIn): AsyncGenerator<string>;
}

const CONVERSATIONS_AT_ONCE = 100;
const SESSION_ID = /^[\w-]{1,64}$/;

export function createAccountOwner(database: Database, clock: Clock, history: History): AccountOwnerService {
  async function* conversationsOf(owner: string): AsyncGenerator<string> {
    let after: { updatedAt: Date; id: string } | undefined;
    let isFirst = true;
    for (;;) {
      const rows = await listConversations(database, owner, {
        limit: CONVERSATIONS_AT_ONCE,
        after,
        search: undefined,
      });
      for (const row of rows) {
        yield `${isFirst ? "" : ","}${openObject(toConversation(row))},"messages":`;
        yield* history.json(row.id);
        yield "}";
        isFirst = false;
      }
      after = rows.at(-1);
      if (rows.length < CONVERSATIONS_AT_ONCE) return;
    }
  }

  return {
    async sessions({ id, sessionId }) {
      const rows = await listSessions(database, id, new Date(clock.now()));
      return rows.map((row) => toSession(row, sessionId));
    },

    async endSession({ id }, sessionId) {
      // Check the form first: the database cannot store every text, such as text with a NUL.
      const isEnded = SESSION_ID.test(sessionId) && (await deleteSession(database, id, sessionId));
      if (!isEnded) throw notFound("session");
    },

    endOtherSessions: ({ id, sessionId }) => deleteOtherSessions(database, id, sessionId),

    async remove({ id }) {
      const owner = accountOwner(id);
      await deleteAccount(database, id, owner);
      // Stop the account's answers in progress: nobody can read them or pays for them.
      await requestStop(database, { owner, openingMessageId: undefined });
    },

    async *exported({ id, sessionId }) {
      const account = await findUser(database, id);
      if (!account) throw notFound("account");
      const { email, emailVerified, name, plan, createdAt } = account;
      const rows = await listSessions(database, id, new Date(clock.now()));
      const head = {
        exportedAt: new Date(clock.now()).toISOString() satisfies Instant,
        account: { id, email, emailVerified, name, plan, createdAt },
        sessions: rows.map((row) => toSession(row, sessionId)),
        credit: await listCreditEntries(database, id),
        limits: await listLimitChangesOf(database, id),
      };
      yield `${openObject(head)},"conversations":[`;
      yield* conversationsOf(accountOwner(id));
      yield "]}";
    },
  };
}

function toSession({ id, createdAt, updatedAt, userAgent }: SessionRow, current: string): AccountSession {
  return {
    id,
    createdAt: createdAt.toISOString(),
    usedAt: updatedAt.toISOString(),
    userAgent: userAgent === "" ? null : userAgent,
    isCurrent: id === current,
  };
}
