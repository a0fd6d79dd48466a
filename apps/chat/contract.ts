/**
 * What the server and the page say to each other: the shapes of every body on the wire.
 * Types only, so that the page carries none of the server and the server none of the page.
 */
import type { UIMessage } from "ai";
import type { PayPeriod } from "./tax/pay-periods.ts";
import type { Breakdown } from "./tax/work-out.ts";

/** ISO 8601, UTC. */
export type Instant = string;

/** An amount of money in millionths of one unit of `Credit.currency`: 1_250_000 is 1.25. Always an integer. */
export type Micros = number;

/** Attached by the server to every answer (`message.metadata`). */
export interface AnswerMetadata {
  conversationId?: string;
  /** The model that answered, as `Me.model.name` shows it. */
  model?: string;
  createdAt?: Instant;
  inputTokens?: number;
  outputTokens?: number;
  /** Questions that follow from the answer, for buttons under it. */
  suggestions?: string[];
  /** Set when the answer is not whole: the person stopped it, the model or the service failed, or credit or a quota of tokens ran out. */
  incomplete?: "stopped" | "failed" | "credit" | "quota";
  /** Set for an answer that a client brought along with its question: no model of this service wrote it. */
  supplied?: true;
}

export type ChatMessage = UIMessage<AnswerMetadata>;

export interface Conversation {
  id: string;
  title: string;
  /** `false` until the title was chosen by a model or a person; the placeholder is the first question. */
  titled: boolean;
  createdAt: Instant;
  updatedAt: Instant;
  /** Path of the public page, such as `/share/k3J…`; `null` while not shared. */
  sharePath: string | null;
}

/** `GET /conversations?limit=&cursor=&search=`, newest first; `search` are words of the title or of what was said. */
export interface ConversationPage {
  conversations: Conversation[];
  /** Opaque; `null` on the last page. */
  nextCursor: string | null;
}

/** `GET /conversations/:id` */
export interface ConversationWithMessages extends Conversation {
  messages: ChatMessage[];
}

/** `GET /shared/:token`: what anybody who has the link may read. */
export interface SharedConversation {
  title: string;
  createdAt: Instant;
  messages: ChatMessage[];
}

/** `POST /chat/message`, the expensive one. `messages` are AI SDK UI messages or plain `{ role, content }`. */
export interface MessageRequest {
  messages: (ChatMessage | { role: "user" | "assistant"; content: string })[];
  /** Without one, a new conversation is made; its id comes back in `X-Conversation-Id` and in the metadata. */
  conversation_id?: string;
  /**
   * The id of a stored message of this conversation that this turn takes the place of: it and all after it are
   * dropped. An edited question names the old question; a retried answer names the old answer.
   */
  replaces?: string;
  /** Which model is to answer: one of `Me.models`. Absent: the first. */
  model?: string;
}

/** 403: the message asks for a model that its sender may not use. Nothing was spent. */
export interface ModelProblem extends Problem {
  error: "model_not_allowed";
  model: string;
  /** Those that they may use. */
  models: string[];
}

/**
 * `POST /chat/stop` ends an answer, whichever process gives it, and keeps what it has said: the one to this message, or
 * every one of the conversation. A message that opened a conversation whose id is not known yet is named alone.
 */
export interface StopRequest {
  conversation_id?: string;
  message_id?: string;
}
export interface StopResponse {
  /** `false` where no such answer was being given. */
  stopped: boolean;
}

/** `POST /chat/title` names a conversation, saves the name, and answers with it. */
export interface TitleRequest {
  conversation_id: string;
}
export interface TitleResponse {
  title: string;
}

export interface QuotaOfLimit {
  /** Layer and limit as the `RateLimit` field names them, such as `user-per-minute`. */
  name: string;
  layer: string;
  quota: number;
  /** What is counted: `requests` or `tokens`. */
  unit: string;
  windowSeconds: number;
  remaining: number;
  /** Seconds until `remaining` next grows; 0 while the whole quota is free. */
  resetSeconds: number;
}

export interface Credit {
  currency: string;
  /** Of answers that still run nothing is taken off yet. */
  balance: Micros;
  /** What running answers hold of the balance. */
  held: Micros;
  monthlyAllowance: Micros;
  /** When the allowance is next given. */
  renewsAt: Instant;
}

/**
 * What an answer has cost, and what remains: near the end of its stream, as a `data-news` chunk that is not part of the message.
 * `quota` is in the form that the `observe` of `headgate/client` takes.
 */
export interface AnswerNews {
  /** `null` where another request has begun the answer, or nobody pays. */
  cost: Micros | null;
  quota: QuotaOfLimit[];
  /** The name of the limit of which least is left. */
  tightest: string | null;
  /** As `Me.credit`. */
  credit: Credit | null;
}

/** `GET /me` */
export interface Me {
  caller:
    | { kind: "account"; id: string; email: string; name: string; emailVerified: boolean }
    | { kind: "header"; id: string }
    | { kind: "anonymous" };
  quota: QuotaOfLimit[];
  /** Whose limits hold; `null` where the service has no plans. */
  plan: string | null;
  /** `null` for callers without an account, who are held by the limits alone, and where answers cost nothing. */
  credit: Credit | null;
  /** The one that answers where a message names none. */
  model: { name: string; builtIn: boolean };
  /** The names of those that this caller may choose from, `model` first. */
  models: string[];
  accounts: {
    /** Whether only accounts are answered. */
    required: boolean;
    /** Whether anybody may make one. */
    signUp: boolean;
    /** Whether the service sends mail: to confirm an address, which starts the allowance, and to reset a password. */
    mail: boolean;
  };
}

/** One place where an account is signed in: `GET /account/sessions`. */
export interface AccountSession {
  id: string;
  createdAt: Instant;
  /** To the day: it is renewed once in 24 hours. */
  usedAt: Instant;
  /** What the browser called itself. */
  userAgent: string | null;
  /** The one by which this is asked. */
  isCurrent: boolean;
}

/** RFC 9457. Every refusal and error of the service has this shape, as `application/problem+json`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  /** A sentence for a person. */
  detail: string;
  /** Short and stable, for programs. */
  error: string;
  /** The request's id, to quote to the operator. */
  request_id?: string;
  /** 400: which fields of the body are wrong, and how. */
  fields?: { path: string; message: string }[];
}

/** 429 */
export interface RateLimitProblem extends Problem {
  error: "Too many requests";
  /** Whole seconds, the same as the `Retry-After` field. */
  retry_after_seconds: number;
  "violated-policies": string[];
  /** `holders`: a place frees when an answer ends, which may be sooner. */
  waits_for: "window" | "holders";
}

/** 402 */
export interface PaymentProblem extends Problem {
  error: "payment_required";
  balance: Micros;
  /** What running answers hold of the balance. */
  held: Micros;
  currency: string;
  monthly_allowance: Micros;
  renews_at: Instant;
  /** How an account gets more credit by itself: it posts a `code` there. */
  top_up: { kind: "code"; path: string };
}

/** `POST /account/credit/codes` adds what a code is worth, once, and answers with the account's `Credit`. */
export interface RedeemRequest {
  code: string;
}

// The output of the tools, as they arrive in `tool-*` parts of an answer. ------------------------------------------

/** Parts are `tool-take_home`, `tool-compare_salaries`, … What a breakdown holds is written in `tax/work-out.ts`. */
export interface ToolOutputs {
  /** `shown`: the figures by the period asked for; `leftMonthly`: after outgoings such as rent. */
  take_home: Breakdown & { shown?: ShownFigures; leftMonthly?: number };
  compare_salaries: { rows: Breakdown[]; gains: number[]; gainsMonthly: number[] };
  /** Several people, each taxed alone. */
  household: { rows: Breakdown[]; takeHome: number; takeHomeMonthly: number };
  /** Drawn as a chart. */
  salary_table: { rows: Breakdown[]; from: number; to: number; step: number };
  salary_for_take_home: { wantedTakeHome: number; wantedMonthly: number; breakdown: Breakdown };
}

/** Pounds a period. */
export interface ShownFigures {
  period: PayPeriod;
  /** How many of the period are in a year: 12 months, 260 working days. */
  perYear: number;
  gross: number;
  takeHome: number;
  incomeTax: number;
  nationalInsurance: number;
  studentLoan: number;
}
