/**
 * Every table of the service. The same on PostgreSQL and on embedded PGlite.
 * After a change: `npm run database:generate -w apps/chat` writes the next migration.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { AnswerMetadata, ChatMessage } from "../../contract.ts";

/** Only milliseconds are kept, so that the stored value equals the one in a cursor. */
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" });

// Accounts: the tables that better-auth asks for. ------------------------------------------------------------------

export const user = pgTable("user", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  emailVerified: boolean("email_verified").notNull().default(false),
  image: text("image"),
  /** The plan that an operator gave; `null`: the default one of `PLANS_FILE`. */
  plan: text("plan"),
  createdAt: instant("created_at").notNull().defaultNow(),
  updatedAt: instant("updated_at").notNull().defaultNow(),
});

export const session = pgTable(
  "session",
  {
    id: text("id").primaryKey(),
    expiresAt: instant("expires_at").notNull(),
    token: text("token").notNull().unique(),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
  },
  (table) => [index("session_user").on(table.userId)],
);

export const account = pgTable(
  "account",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id").notNull(),
    providerId: text("provider_id").notNull(),
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: instant("access_token_expires_at"),
    refreshTokenExpiresAt: instant("refresh_token_expires_at"),
    scope: text("scope"),
    password: text("password"),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (table) => [index("account_user").on(table.userId)],
);

export const verification = pgTable(
  "verification",
  {
    id: text("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    expiresAt: instant("expires_at").notNull(),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (table) => [index("verification_identifier").on(table.identifier)],
);

// Conversations. ---------------------------------------------------------------------------------------------------

export const conversations = pgTable(
  "conversations",
  {
    id: text("id").primaryKey(),
    /** `account:<id>`, `user:<id>` or `visitor:<id>`. The server adds the prefix, so that one kind cannot name another. */
    owner: text("owner").notNull(),
    title: text("title").notNull(),
    titled: boolean("titled").notNull().default(false),
    /** A name that a person chose stays; a generated name follows the first question. */
    namedByPerson: boolean("named_by_person").notNull().default(false),
    shareToken: text("share_token").unique(),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    index("conversations_owner_newest").on(
      table.owner,
      table.updatedAt.desc().nullsFirst(),
      table.id.desc().nullsFirst(),
    ),
  ],
);

export const messages = pgTable(
  "messages",
  {
    conversationId: text("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    /** Chosen by the client for a question, so that sending it again cannot store it twice. */
    id: text("id").notNull(),
    position: integer("position").notNull(),
    role: text("role", { enum: ["user", "assistant"] }).notNull(),
    /** Empty for an answer that is still being given: its place is kept, and readers leave it out. */
    parts: jsonb("parts").$type<ChatMessage["parts"]>().notNull(),
    metadata: jsonb("metadata").$type<AnswerMetadata>().notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.id] }),
    unique("messages_position").on(table.conversationId, table.position),
    index("messages_id").on(table.id),
  ],
);

/**
 * One answer that a model gives, kept until a minute after its end. Its unique keys make a message's id an idempotency key.
 * Deleting a conversation or an account deletes no turn: what an answer used is still charged, and what it held released.
 */
export const turns = pgTable(
  "turns",
  {
    answerId: text("answer_id").primaryKey(),
    conversationId: text("conversation_id").notNull(),
    owner: text("owner").notNull(),
    /** What the model is asked for. */
    kind: text("kind", { enum: ["answer", "title"] }).notNull(),
    /** The question's; of a title, something that is no message's. */
    messageId: text("message_id").notNull(),
    /** Whether the question opened the conversation: its sender did not know the conversation's id. */
    opened: boolean("opened").notNull(),
    /** The message that the question named to be replaced. */
    replaces: text("replaces"),
    model: text("model").notNull(),
    /** The account that pays, if one does. */
    payer: text("payer"),
    /** Micros held of the payer's credit. */
    held: bigint("held", { mode: "number" }).notNull(),
    priceVersion: text("price_version").notNull(),
    /** What was used at the last beat: what a sweep charges. */
    used: bigint("used", { mode: "number" }).notNull().default(0),
    inputTokens: integer("input_tokens").notNull().default(0),
    cachedInputTokens: integer("cached_input_tokens").notNull().default(0),
    outputTokens: integer("output_tokens").notNull().default(0),
    stopRequested: boolean("stop_requested").notNull().default(false),
    createdAt: instant("created_at").notNull(),
    /** When the process that answers last said that it lives, by the database's clock. */
    beatAt: instant("beat_at").notNull().defaultNow(),
    /** `null` while the answer is being given. By the database's clock. */
    endedAt: instant("ended_at"),
  },
  (table) => [
    unique("turns_message").on(table.conversationId, table.messageId),
    uniqueIndex("turns_opening_message").on(table.owner, table.messageId).where(sql`${table.opened}`),
    index("turns_beat").on(table.beatAt),
  ],
);

/** What a running answer has said so far, in batches, for those who resume it. */
export const answerParts = pgTable(
  "answer_parts",
  {
    answerId: text("answer_id").notNull(),
    /** The place of the batch's first chunk in the answer. */
    position: integer("position").notNull(),
    /** Chunks of the AI SDK's UI message stream, as JSON, one a line. */
    chunks: text("chunks").notNull(),
    count: integer("count").notNull(),
  },
  (table) => [primaryKey({ columns: [table.answerId, table.position] })],
);

/** What operators did for single callers. It keeps what is in force if a store loses its data, and records who did what. */
export const limitChanges = pgTable(
  "limit_changes",
  {
    id: bigint("id", { mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
    /** The layer, and the caller's key in it. */
    partition: text("partition").notNull(),
    /** As the operator named the caller. */
    of: text("of").notNull(),
    /** The account, if it is one. */
    userId: text("user_id").references(() => user.id, { onDelete: "cascade" }),
    what: text("what", { enum: ["block", "override", "end", "reset", "grant", "code"] }).notNull(),
    /** The limits that were given; of credit, the amount. */
    limits: text("limits"),
    /** `null`: until somebody ends it. */
    until: instant("until"),
    reason: text("reason"),
    by: text("by"),
    at: instant("at").notNull(),
  },
  (table) => [index("limit_changes_partition").on(table.partition, table.id)],
);

/** What operators did to the limiters' policies, and how the plans file changed. Rows are only added. */
export const policySteps = pgTable(
  "policy_steps",
  {
    /** The name of the limiter; `PLANS_FILE` where the file changed. */
    limiter: text("limiter").notNull(),
    /** From 1, without a gap: if two changes come at once, one is refused. */
    revision: integer("revision").notNull(),
    what: text("what", { enum: ["live", "roll-back", "shadow", "end-shadow", "plans"] }).notNull(),
    /** The policy as JSON. `null`: the settings' own, or no shadow. */
    document: text("document"),
    /** Of the policy; of the plans in the file. */
    hash: text("hash"),
    before: text("before"),
    /** The revision that a roll back returns to. */
    parent: integer("parent"),
    reason: text("reason"),
    by: text("by"),
    at: instant("at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.limiter, table.revision] }),
    index("policy_steps_at").on(table.at),
  ],
);

/** The counts of each process, for the operator's console: rewritten every few seconds, and deleted an hour after its end. */
export const processSummaries = pgTable("process_summaries", {
  processId: text("process_id").primaryKey(),
  /** As `headgate-console` writes it. It names callers. */
  summary: text("summary").notNull(),
  /** The time of the process's last heartbeat, by the database's clock. */
  beatAt: instant("beat_at").notNull(),
});

// Credit, in integer micros. ---------------------------------------------------------------------------------------

export const creditAccounts = pgTable("credit_accounts", {
  userId: text("user_id")
    .primaryKey()
    .references(() => user.id, { onDelete: "cascade" }),
  /** What is left of this month's free allowance; what is left at the month's end expires. */
  allowanceLeft: bigint("allowance_left", { mode: "number" }).notNull(),
  /** What an operator granted and is left. Below zero after an answer that cost more than was left. */
  grantedLeft: bigint("granted_left", { mode: "number" }).notNull(),
  /** What running answers hold of both: it is spent when they end, or free again. */
  held: bigint("held", { mode: "number" }).notNull().default(0),
  /** The month, such as `2026-11`, whose allowance was given. */
  allowanceMonth: text("allowance_month").notNull(),
  /** Of both amounts. `null` of a row that is older than this column: the service's, which the settings name. */
  currency: text("currency"),
});

/**
 * Append-only: the sum of a person's amounts in the service's currency is their balance. In a currency that the service had
 * before it is 0: a conversion takes all of it out of the one, and enters what it is worth in the other.
 */
export const creditEntries = pgTable(
  "credit_entries",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    userId: text("user_id")
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    kind: text("kind", {
      enum: ["allowance", "usage", "grant", "code", "correction", "conversion"],
    }).notNull(),
    amount: bigint("amount", { mode: "number" }).notNull(),
    balanceAfter: bigint("balance_after", { mode: "number" }).notNull(),
    /** What the entry is for: the month of an allowance, the id of an answer, a chosen id of a grant, the hash of a code. */
    reference: text("reference").notNull(),
    /** Of the amounts. `null` of a row that is older than this column, as of an account. */
    currency: text("currency"),
    /** Of an answer: the most that was held for it, the tokens it used, and the prices that it was charged at. */
    held: bigint("held", { mode: "number" }),
    inputTokens: integer("input_tokens"),
    /** Of the input tokens, those that the provider read from its cache. */
    cachedInputTokens: integer("cached_input_tokens"),
    outputTokens: integer("output_tokens"),
    priceVersion: text("price_version"),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [unique("credit_entries_once").on(table.userId, table.kind, table.reference)],
);

/** Codes that an operator hands out; each adds an amount once. Only the hashes of codes are stored. */
export const creditCodes = pgTable("credit_codes", {
  hash: text("hash").primaryKey(),
  amount: bigint("amount", { mode: "number" }).notNull(),
  currency: text("currency"),
  createdAt: instant("created_at").notNull(),
  /** `null` for one that stays valid. */
  expiresAt: instant("expires_at"),
  /** The account that has used it; the code stays used after that account is deleted. */
  redeemedBy: text("redeemed_by").references(() => user.id, { onDelete: "set null" }),
  redeemedAt: instant("redeemed_at"),
});

// The service's own. -----------------------------------------------------------------------------------------------

export const settings = pgTable("settings", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
});
