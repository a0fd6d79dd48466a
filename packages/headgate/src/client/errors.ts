import type { Quota } from "./quota.ts";

/** The body of a refusal: a problem document (RFC 9457). The service may add members. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  /** A sentence for users. */
  detail?: string;
  /** A short, stable text for programs. */
  error?: string;
  /** Whole seconds, the same as the `Retry-After` field; `null` if no wait helps. */
  retry_after_seconds?: number | null;
  /** The names of the limits that refused. */
  "violated-policies"?: string[];
  [member: string]: unknown;
}

/** The contents of a {@link RateLimitedError}. */
export interface Refusal {
  /** 429, or 503 if the server refuses because its store is unavailable. */
  status: number;
  /**
   * The first moment at which the server will admit the request: milliseconds since the epoch, by this machine's clock.
   * `Infinity` if no wait helps, because the request asks for more than the limit ever allows.
   */
  deadline: number;
  /** Milliseconds from the receipt of the refusal to the deadline; 0 if the server named no wait. */
  retryAfterMs: number;
  /** The body, if it was a JSON object. */
  problem: Problem | undefined;
  /** What was left of each limit, if the server reports it. */
  quota: Quota | undefined;
}

/** The server refused a request because the caller reached a limit. Says when to try again. */
export class RateLimitedError extends Error implements Refusal {
  override readonly name = "RateLimitedError";
  declare readonly status: number;
  declare readonly deadline: number;
  declare readonly retryAfterMs: number;
  declare readonly problem: Problem | undefined;
  declare readonly quota: Quota | undefined;
  /** `retryAfterMs` in whole seconds, rounded up. */
  declare readonly retryAfterSeconds: number;
  /** The response, with its body unread; absent if the refusal came from another tab or was stored before a reload. */
  declare readonly response: Response | undefined;

  constructor(refusal: Refusal, response?: Response) {
    super(sentence(refusal.problem, "Too many requests"));
    Object.assign(this, refusal, { response, retryAfterSeconds: Math.ceil(refusal.retryAfterMs / 1000) });
  }
}

/** The server requires payment first (402). No wait helps, so there is no deadline. */
export class PaymentRequiredError extends Error {
  override readonly name = "PaymentRequiredError";
  declare readonly status: 402;
  /** The body, if it was a JSON object: what the service reports about balance and price. */
  declare readonly problem: Problem | undefined;
  /** The response, with its body unread. */
  declare readonly response: Response | undefined;

  constructor(problem: Problem | undefined, response?: Response) {
    super(sentence(problem, "Payment required"));
    Object.assign(this, { status: 402, problem, response });
  }
}

/** Any server may have written the problem document, so only strings are shown to a person. */
function sentence(problem: Problem | undefined, otherwise: string): string | undefined {
  return [problem?.detail, problem?.title, problem?.error, otherwise].find(
    (text) => text && typeof text === "string",
  );
}
