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

/** Stores milliseconds, so that the stored value equals the value in a cursor. */
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" });

// Accounts: the tables that better-auth needs. ------------------------------------------------------------------

export const user = pgTable("user", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  emailVerified: boolean("email_verified").notNull().default(false),
  image: text("image"),
  /** The plan that an operator set; `null` for the default plan of `PLANS_FILE`. */
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
    /** Whether a person chose the title. Otherwise, the title is generated from the first question. */
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
    /** For a question, the client chooses the id, so that sending it again cannot store it twice. */
    id: text("id").notNull(),
    position: integer("position").notNull(),
    role: text("role", { enum: ["user", "assistant"] }).notNull(),
    /** Empty for an answer in progress, whose position is reserved. Readers ignore it. */
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
 * An answer of a model, kept until a minute after its end. Its unique keys make a message's id an idempotency key.
 * Deleting a conversation or an account does not delete its turns, so that what an answer used is still charged, and
 * what it held is released.
 */
export const turns = pgTable(
  "turns",
  {
    answerId: text("answer_id").primaryKey(),
    conversationId: text("conversation_id").notNull(),
    owner: text("owner").notNull(),
    /** What the model produces. */
    kind: text("kind", { enum: ["answer", "title"] }).notNull(),
    /** The question's id; for a title, an id that is not a message's. */
    messageId: text("message_id").notNull(),
    /** Whether the question opened the conversation, so that its sender did not know the conversation's id. */
    opened: boolean("opened").notNull(),
    /** The message that the question named to be replaced. */
    replaces: text("replaces"),
    model: text("model").notNull(),
    /** The account that pays, if any. */
    payer: text("payer"),
    /** Micros held of the payer's credit. */
    held: bigint("held", { mode: "number" }).notNull(),
    priceVersion: text("price_version").notNull(),
    /** What was used at the last heartbeat, which a sweep charges. */
    used: bigint("used", { mode: "number" }).notNull().default(0),
    inputTokens: integer("input_tokens").notNull().default(0),
    cachedInputTokens: integer("cached_input_tokens").notNull().default(0),
    outputTokens: integer("output_tokens").notNull().default(0),
    stopRequested: boolean("stop_requested").notNull().default(false),
    createdAt: instant("created_at").notNull(),
    /** The last heartbeat of the process that answers, by the database's clock. */
    beatAt: instant("beat_at").notNull().defaultNow(),
    /** `null` while the answer is in progress. By the database's clock. */
    endedAt: instant("ended_at"),
  },
  (table) => [
    unique("turns_message").on(table.conversationId, table.messageId),
    uniqueIndex("turns_opening_message").on(table.owner, table.messageId).where(sql`${table.opened}`),
    index("turns_beat").on(table.beatAt),
  ],
);

/** The parts of an answer in progress, in batches, for clients that resume it. */
export const answerParts = pgTable(
  "answer_parts",
  {
    answerId: text("answer_id").notNull(),
    /** The position of the batch's first chunk in the answer. */
    position: integer("position").notNull(),
    /** Chunks of the AI SDK's UI message stream, as JSON, one per line. */
    chunks: text("chunks").notNull(),
    count: integer("count").notNull(),
  },
  (table) => [primaryKey({ columns: [table.answerId, table.position] })],
);

/** What an operator can do. */
export const limitChangeKinds = [
  "block",
  "override",
  "end",
  "reset",
  "unconfirmed",
  "grant",
  "set-credit",
  "code",
  "convert",
  "plan",
  "invite",
  "reset-link",
  "setting",
] as const;

/**
 * Operators' actions on limits, money and rights. It restores what is in force if a store loses its data, and records who
 * did what, from the console or by a command. A deleted account keeps its lines under `account:<id>`.
 */
export const limitChanges = pgTable(
  "limit_changes",
  {
    id: bigint("id", { mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
    /** The layer, and the caller's key in it; for money and rights, the action. */
    partition: text("partition").notNull(),
    /** The caller, as the operator named it. */
    of: text("of").notNull(),
    /** The account, if it is one. */
    userId: text("user_id").references(() => user.id, { onDelete: "set null" }),
    what: text("what", { enum: limitChangeKinds }).notNull(),
    /** What was set: limits, an amount, a plan, the value of a setting. */
    limits: text("limits"),
    /** `null`: until an operator ends it. */
    until: instant("until"),
    reason: text("reason"),
    by: text("by"),
    at: instant("at").notNull(),
  },
  (table) => [index("limit_changes_partition").on(table.partition, table.id)],
);

/** Changes of the limiters' policies by operators, and changes of the plans file. Append-only. */
export const policySteps = pgTable(
  "policy_steps",
  {
    /** The name of the limiter; `PLANS_FILE` for a change of the file. */
    limiter: text("limiter").notNull(),
    /** From 1, without gaps. Of two simultaneous changes, one is refused. */
    revision: integer("revision").notNull(),
    what: text("what", { enum: ["live", "roll-back", "shadow", "end-shadow", "plans"] }).notNull(),
    /** The policy as JSON; `null` for the policy of the settings, or no shadow. */
    document: text("document"),
    /** The hash of the policy, or of the plans in the file. */
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

/**
 * The counts of each process, for the operator console. Rewritten every few seconds, and deleted an hour after the
 * process ends.
 */
export const processSummaries = pgTable("process_summaries", {
  processId: text("process_id").primaryKey(),
  /** A summary of `headgate-console`. It contains callers' keys. */
  summary: text("summary").notNull(),
  /** The time of the process's last heartbeat, by the database's clock. */
  beatAt: instant("beat_at").notNull(),
});

// Credit, in integer micros. ---------------------------------------------------------------------------------------

export const creditAccounts = pgTable("credit_accounts", {
  userId: text("user_id")
    .primaryKey()
    .references(() => user.id, { onDelete: "cascade" }),
  /** What is left of this month's free allowance. It expires at the end of the month. */
  allowanceLeft: bigint("allowance_left", { mode: "number" }).notNull(),
  /** What is left of granted credit. Negative after an answer that cost more than was left. */
  grantedLeft: bigint("granted_left", { mode: "number" }).notNull(),
  /** What answers in progress hold of both. It is spent or released when they end. */
  held: bigint("held", { mode: "number" }).notNull().default(0),
  /** The month of the last allowance, such as `2026-11`. */
  allowanceMonth: text("allowance_month").notNull(),
  /** The currency of both amounts; `null` in rows older than this column, which use the currency of the settings. */
  currency: text("currency"),
});

/**
 * Append-only. The sum of a person's amounts in the service's currency is their balance. In a former currency, the sum
 * is 0: a conversion books the whole amount out of the old currency, and its value into the new one.
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
    /** What the entry is for: the month of an allowance, the id of an answer, the id of a grant, the hash of a code. */
    reference: text("reference").notNull(),
    /** The currency of the amounts; `null` in older rows, as in `credit_accounts`. */
    currency: text("currency"),
    /** For an answer: the most that was held, the tokens used, and the prices. */
    held: bigint("held", { mode: "number" }),
    inputTokens: integer("input_tokens"),
    /** The input tokens that the provider read from its cache. */
    cachedInputTokens: integer("cached_input_tokens"),
    outputTokens: integer("output_tokens"),
    priceVersion: text("price_version"),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    unique("credit_entries_once").on(table.userId, table.kind, table.reference),
    index("credit_entries_created").on(table.createdAt),
  ],
);

/** Codes from operators, each of which adds an amount once. Only the hashes of codes are stored. */
export const creditCodes = pgTable("credit_codes", {
  hash: text("hash").primaryKey(),
  amount: bigint("amount", { mode: "number" }).notNull(),
  currency: text("currency"),
  createdAt: instant("created_at").notNull(),
  /** `null` for a code without an end. */
  expiresAt: instant("expires_at"),
  /** The account that used the code. The code stays used after the account is deleted. */
  redeemedBy: text("redeemed_by").references(() => user.id, { onDelete: "set null" }),
  redeemedAt: instant("redeemed_at"),
});

// The service's own. -----------------------------------------------------------------------------------------------

export const settings = pgTable("settings", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
});
