import type { Quota } from "./quota.ts";

/** The body of a refusal: a problem document (RFC 9457), with whatever else the service put there. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  /** A sentence for a person. */
  detail?: string;
  /** Short and stable, for programs. */
  error?: string;
  /** Whole seconds, the same as the `Retry-After` field; `null` where no wait helps. */
  retry_after_seconds?: number | null;
  /** The names of the limits that refused. */
  "violated-policies"?: string[];
  [member: string]: unknown;
}

/** What a {@link RateLimitedError} is made of. */
export interface Refusal {
  /** 429, or 503 where the server refuses because its own counts are out of reach. */
  status: number;
  /**
   * The first moment at which the server will admit the request: milliseconds since the epoch, by this machine's clock.
   * `Infinity` where no wait helps, since the request asks for more than the limit ever allows.
   */
  deadline: number;
  /** From the receipt of the refusal to the deadline; 0 where the server did not say how long to wait. */
  retryAfterMs: number;
  /** The body, where it was a JSON object. */
  problem: Problem | undefined;
  /** What was left of each limit, where the server says so. */
  quota: Quota | undefined;
}

/** The server refused a request because its caller sent too much, and says when to come back. */
export class RateLimitedError extends Error implements Refusal {
  override readonly name = "RateLimitedError";
  declare readonly status: number;
  declare readonly deadline: number;
  declare readonly retryAfterMs: number;
  declare readonly problem: Problem | undefined;
  declare readonly quota: Quota | undefined;
  /** `retryAfterMs` in whole seconds, rounded up. */
  declare readonly retryAfterSeconds: number;
  /** The response itself, its body still unread; absent where another tab was refused. */
  declare readonly response: Response | undefined;

  constructor(refusal: Refusal, response?: Response) {
    super(sentence(refusal.problem, "Too many requests"));
    const retryAfterSeconds = Math.ceil(refusal.retryAfterMs / 1000);
    Object.assign(this, refusal, { response, retryAfterSeconds });
  }
}

/** The server wants to be paid first (402). No amount of waiting helps, so it has no deadline. */
export class PaymentRequiredError extends Error {
  override readonly name = "PaymentRequiredError";
  declare readonly status: 402;
  /** The body, where it was a JSON object: the service's own words on balance and price. */
  declare readonly problem: Problem | undefined;
  /** The response itself, its body still unread. */
  declare readonly response: Response | undefined;

  constructor(problem: Problem | undefined, response?: Response) {
    super(sentence(problem, "Payment required"));
    Object.assign(this, { status: 402, problem, response });
  }
}

/** Problem documents are written by servers of every kind: only a string is shown to a person. */
function sentence(problem: Problem | undefined, otherwise: string): string | undefined {
  return [problem?.detail, problem?.title, problem?.error, otherwise].find(
    (text) => text && typeof text === "string",
  );
}
