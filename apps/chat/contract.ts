/**
 * The API between the server and the page: the types of all bodies. Types only, so that neither contains code of the
 * other.
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
  /** Follow-up questions, for buttons under the answer. */
  suggestions?: string[];
  /**
   * Set if the answer is incomplete: the person stopped it, the model or the service failed, or credit or tokens ran
   * out.
   */
  incomplete?: "stopped" | "failed" | "credit" | "quota";
  /** Set for an answer that a client sent together with its question. No model of this service wrote it. */
  supplied?: true;
}

export type ChatMessage = UIMessage<AnswerMetadata>;

export interface Conversation {
  id: string;
  title: string;
  /** `false` until a model or a person has chosen the title. Until then, the title is the first question. */
  titled: boolean;
  createdAt: Instant;
  updatedAt: Instant;
  /** Path of the public page, such as `/share/k3J…`; `null` while not shared. */
  sharePath: string | null;
}

/** `GET /conversations?limit=&cursor=&search=`, newest first; `search` is a text in the title or the messages. */
export interface ConversationPage {
  conversations: Conversation[];
  /** Opaque; `null` on the last page. */
  nextCursor: string | null;
}

/** `GET /conversations/:id` */
export interface ConversationWithMessages extends Conversation {
  messages: ChatMessage[];
}

/** `GET /shared/:token`: what anybody with the link can read. */
export interface SharedConversation {
  title: string;
  createdAt: Instant;
  messages: ChatMessage[];
}

/** `POST /chat/message`, the expensive one. `messages` are AI SDK UI messages or plain `{ role, content }`. */
export interface MessageRequest {
  messages: (ChatMessage | { role: "user" | "assistant"; content: string })[];
  /** If absent, a new conversation is created; its id is returned in `X-Conversation-Id` and in the metadata. */
  conversation_id?: string;
  /**
   * The id of a stored message of this conversation that this turn replaces. It and all later messages are dropped. An
   * edited question names the old question; a retried answer names the old answer.
   */
  replaces?: string;
  /** The model that answers: one of `Me.models`. Default: the first. */
  model?: string;
}

/** 403: the message names a model that its sender may not use. Nothing was spent. */
export interface ModelProblem extends Problem {
  error: "model_not_allowed";
  model: string;
  /** The models that the sender may use. */
  models: string[];
}

/**
 * `POST /chat/stop` ends an answer in any process, and keeps the part written so far: the answer to this message, or
 * all answers of the conversation. For a message that opened a conversation, whose id may not be known yet, send only
 * the message's id.
 */
export interface StopRequest {
  conversation_id?: string;
  message_id?: string;
}
export interface StopResponse {
  /** `false` if no such answer was in progress. */
  stopped: boolean;
}

/** `POST /chat/title` chooses a title for a conversation, saves it and returns it. */
export interface TitleRequest {
  conversation_id: string;
}
export interface TitleResponse {
  title: string;
}

export interface QuotaOfLimit {
  /** The limit's name in the `RateLimit` field, such as `user-per-minute`. */
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
  /** Not yet reduced by answers in progress. */
  balance: Micros;
  /** The part of the balance that answers in progress hold. */
  held: Micros;
  monthlyAllowance: Micros;
  /** When the next allowance is granted. */
  renewsAt: Instant;
}

/**
 * What an answer cost, and what remains. Sent near the end of the stream as a `data-news` chunk, which is not part of
 * the message. `quota` has the form that `observe` of `headgate/client` accepts.
 */
export interface AnswerNews {
  /** `null` if another request started the answer, or nobody pays. */
  cost: Micros | null;
  quota: QuotaOfLimit[];
  /** The name of the tightest limit. */
  tightest: string | null;
  /** The same as `Me.credit`. */
  credit: Credit | null;
}

/** `GET /me` */
export interface Me {
  caller:
    | { kind: "account"; id: string; email: string; name: string; emailVerified: boolean }
    | { kind: "header"; id: string }
    | { kind: "anonymous" };
  quota: QuotaOfLimit[];
  /** The plan whose limits apply; `null` if the service has no plans. */
  plan: string | null;
  /** `null` for callers without an account, to whom only the limits apply, and if answers are free. */
  credit: Credit | null;
  /** The default model. */
  model: { name: string; builtIn: boolean };
  /** The models that this caller may choose, the default first. */
  models: string[];
  accounts: {
    /** Whether only accounts get answers. */
    required: boolean;
    /** Whether anybody may create an account. */
    signUp: boolean;
    /**
     * Whether the service sends e-mails: to confirm an address, which starts the allowance, and to reset a password.
     */
    mail: boolean;
  };
}

/** A session of an account: `GET /account/sessions`. */
export interface AccountSession {
  id: string;
  createdAt: Instant;
  /** Exact to the day, because it is updated once in 24 hours. */
  usedAt: Instant;
  /** The browser's `User-Agent`. */
  userAgent: string | null;
  /** Whether this request used the session. */
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
  /** The request's id, to give to the operator. */
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
  /** `holders`: a place becomes free when an answer ends, which may be sooner. */
  waits_for: "window" | "holders";
}

/** 402 */
export interface PaymentProblem extends Problem {
  error: "payment_required";
  balance: Micros;
  /** The part of the balance that answers in progress hold. */
  held: Micros;
  currency: string;
  monthly_allowance: Micros;
  renews_at: Instant;
  /** How an account can add credit: post a `code` to this path. */
  top_up: { kind: "code"; path: string };
}

/** `POST /account/credit/codes` adds a code's amount, once, and returns the account's `Credit`. */
export interface RedeemRequest {
  code: string;
}

// The output of the tools, in the `tool-*` parts of an answer. ------------------------------------------

/** The parts are `tool-take_home`, `tool-compare_salaries`, … `tax/work-out.ts` defines `Breakdown`. */
export interface ToolOutputs {
  /** `shown`: the figures for the requested period; `leftMonthly`: after outgoings such as rent. */
  take_home: Breakdown & { shown?: ShownFigures; leftMonthly?: number };
  compare_salaries: { rows: Breakdown[]; gains: number[]; gainsMonthly: number[] };
  /** Several people, each taxed alone. */
  household: { rows: Breakdown[]; takeHome: number; takeHomeMonthly: number };
  /** Shown as a chart. */
  salary_table: { rows: Breakdown[]; from: number; to: number; step: number };
  salary_for_take_home: { wantedTakeHome: number; wantedMonthly: number; breakdown: Breakdown };
}

/** In pounds per period. */
export interface ShownFigures {
  period: PayPeriod;
  /** The number of periods in a year, such as 12 months or 260 working days. */
  perYear: number;
  gross: number;
  takeHome: number;
  incomeTax: number;
  nationalInsurance: number;
  studentLoan: number;
}
