import type { Refusal } from "headgate/http";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Credit, PaymentProblem, Problem } from "../../contract.ts";
import type { DatabaseTrouble } from "../database-trouble.ts";

/**
 * A refusal or an error for the client, thrown anywhere below a route. Its `detail` is written for the person, and is
 * all that they see of the cause.
 */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  readonly status: number;
  readonly error: string;
  readonly detail: string;
  /** Further members of the body. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    error: string,
    detail: string,
    {
      members = {},
      headers = {},
    }: { members?: Record<string, unknown>; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.error = error;
    this.detail = detail;
    this.members = members;
    this.headers = headers;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Invalid request",
  401: "Not signed in",
  402: "Payment required",
  403: "Not allowed from here",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  413: "The request is too large",
  421: "Unknown host name",
  422: "The request cannot be carried out",
  429: "Too many requests",
  499: "The client disconnected",
  500: "Something went wrong",
  502: "The model failed",
  503: "Unavailable",
  504: "The model took too long",
};

/** Creates a problem response (RFC 9457), which is never cached. */
export function problemResponse(c: Context, problem: HttpProblem): Response {
  const body: Problem = {
    type: "about:blank",
    title: TITLES[problem.status] ?? "Error",
    status: problem.status,
    detail: problem.detail,
    error: problem.error,
    ...problem.members,
    request_id: c.get("requestId"),
  };
  // Use the context, so that a cookie that was set before the failure is sent.
  return c.body(JSON.stringify(body), problem.status as ContentfulStatusCode, {
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
    ...problem.headers,
  });
}

/** Converts the refusal of a limiter without a guard, in the form of the library's own guard. */
export function refusalProblem({ status, headers, problem }: Refusal): HttpProblem {
  const { detail, error, ...members } = problem;
  return new HttpProblem(status, error, detail, { members: { ...members }, headers });
}

export type FieldMistake = { path: string; message: string };

/** 400: fields of the body, or other parts of the request, are invalid. */
export function badRequest(detail: string, fields: FieldMistake[] = []): HttpProblem {
  return new HttpProblem(400, "invalid_request", detail, { members: { fields } });
}

/**
 * 404. The text is the same for what does not exist and what belongs to somebody else, so that ids cannot be probed.
 */
export function notFound(what: string): HttpProblem {
  return new HttpProblem(404, "not_found", `There is no such ${what}.`);
}

/** 499, which only appears in logs, because the client has disconnected. */
export function clientWentAway(detail: string): HttpProblem {
  return new HttpProblem(499, "client_closed_request", detail);
}

/** Of many requests and answers in progress, one usually ends within this time. */
const RETRY_AFTER_SECONDS = 5;

/** 503: the service is overloaded. */
export function busy(): HttpProblem {
  return databaseProblem("busy");
}

/** 503: the process is ending, and another one will answer. */
export function stopping({
  members = {},
  headers = {},
}: {
  members?: Record<string, unknown>;
  headers?: Record<string, string>;
}): HttpProblem {
  return new HttpProblem(
    503,
    "stopping",
    "The service is restarting. Please send your message again in a moment.",
    { members, headers: { "Retry-After": String(RETRY_AFTER_SECONDS), ...headers } },
  );
}

const DATABASE_TROUBLE: Record<DatabaseTrouble, [error: string, detail: string]> = {
  busy: ["busy", `The service is busy right now. Please try again in ${RETRY_AFTER_SECONDS} seconds.`],
  unreachable: [
    "database_unreachable",
    "The service cannot reach its database right now. Please try again in a moment.",
  ],
  "read-only": [
    "database_read_only",
    "The service cannot save anything right now, because its database is read-only. Please try again later.",
  ],
  full: [
    "disk_full",
    "The service cannot save anything right now, because its disk is full. Please tell its operator.",
  ],
};

/** 503: the service works, but its database does not, or has more to do than it can. */
export function databaseProblem(trouble: DatabaseTrouble): HttpProblem {
  const [error, detail] = DATABASE_TROUBLE[trouble];
  const isSoonOver = trouble === "busy" || trouble === "unreachable";
  const headers = isSoonOver ? { "Retry-After": String(RETRY_AFTER_SECONDS) } : {};
  return new HttpProblem(503, error, detail, { headers });
}

/** 402: too little credit. */
export function paymentRequired(credit: Credit): HttpProblem {
  const members: Pick<
    PaymentProblem,
    "balance" | "held" | "currency" | "monthly_allowance" | "renews_at" | "top_up"
  > = {
    balance: credit.balance,
    held: credit.held,
    currency: credit.currency,
    monthly_allowance: credit.monthlyAllowance,
    renews_at: credit.renewsAt,
    top_up: { kind: "code", path: "/account/credit/codes" },
  };
  return new HttpProblem(402, "payment_required", whyNotPaid(credit), { members });
}

function whyNotPaid({ balance, held }: Credit): string {
  if (balance <= 0)
    return "Your credit is used up, so new messages can't be answered. Your conversations are still here.";
  if (held > 0)
    return "Your credit is held by answers in progress, so this message can't be answered yet. Wait until they end, or top up.";
  return "Your credit is less than this message may cost, so it can't be answered. Your conversations are still here.";
}

/** 401, for services that require an account. */
export function accountRequired(): HttpProblem {
  return new HttpProblem(
    401,
    "account_required",
    "You need an account to get answers here. Please sign in first.",
  );
}
