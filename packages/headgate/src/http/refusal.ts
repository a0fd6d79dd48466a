import type { Refused } from "../core/admission.ts";
import { windowInWords } from "../core/limit.ts";
import { type FieldOptions, type Fields, rateLimitFields } from "./fields.ts";

interface Problem {
  title: string;
  /** A sentence for a person. */
  detail: string;
  /** The names of the limits that refuse, as in `RateLimit-Policy`. */
  "violated-policies": string[];
  /** The same whole number as `Retry-After`; `null` where no wait helps. */
  retry_after_seconds: number | null;
  /** What the same caller could spend now, by unit. */
  affordable: Readonly<Record<string, number>>;
}

/** The body of a refused request whose quota is spent: a problem (RFC 9457) of the registered type. */
export interface QuotaProblem extends Problem {
  type: "https://iana.org/assignments/http-problem-types#quota-exceeded";
  status: 429;
  /** For programs that look for a short, stable text. */
  error: "Too many requests" | "Cost exceeds quota";
}

/** The body of a request that is refused because its quota cannot be looked up. */
export interface CapacityProblem extends Problem {
  type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
  status: 503;
  error: "Temporarily unavailable";
}

export type RefusalProblem = QuotaProblem | CapacityProblem;

/** A refusal as it goes on the wire. */
export interface Refusal {
  status: 429 | 503;
  headers: Fields;
  problem: RefusalProblem;
  /** `problem` as JSON. */
  body: string;
}

/**
 * Makes the `429` of a refused request: `application/problem+json`, `Retry-After` in whole seconds (never too early),
 * the `RateLimit` fields, and `Cache-Control: no-store`. Where the request asks for more than a whole quota there is
 * no `Retry-After`, since no wait helps.
 *
 * A request that an outage policy refuses gets a `503` with `Retry-After`, and no `RateLimit` fields: what is left of
 * its quota is not known.
 */
export function refusal(refused: Refused, options: FieldOptions = {}): Refusal {
  const problem = problemOf(refused);
  const seconds = problem.retry_after_seconds;
  return {
    status: problem.status,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ...(seconds === null ? {} : { "Retry-After": String(seconds) }),
      ...(problem.status === 503
        ? { "Access-Control-Expose-Headers": "Retry-After" }
        : rateLimitFields(refused, options)),
    },
    problem,
    body: JSON.stringify(problem),
  };
}

function problemOf(refused: Refused): RefusalProblem {
  const { reason, retryAfterSeconds, affordable } = refused;
  const detail = detailOf(refused);
  const violated = refused.limits.filter((limit) => limit.refused).map((limit) => limit.name);
  if (reason === "store-unavailable") {
    return {
      type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
      title: "Request cannot be satisfied due to temporary server capacity constraints",
      status: 503,
      detail,
      "violated-policies": violated,
      error: "Temporarily unavailable",
      retry_after_seconds: retryAfterSeconds,
      affordable,
    };
  }
  const never = reason === "cost-exceeds-quota";
  return {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Request cannot be satisfied as assigned quota has been exceeded",
    status: 429,
    detail,
    "violated-policies": violated,
    error: never ? "Cost exceeds quota" : "Too many requests",
    retry_after_seconds: never ? null : retryAfterSeconds,
    affordable,
  };
}

function detailOf({ binding, reason, retryAfterSeconds }: Refused): string {
  const limit = `${binding.quota} ${binding.unit} per ${windowInWords(binding)}`;
  if (reason === "cost-exceeds-quota")
    return `This request asks for more than the limit of ${limit} ever allows.`;
  const seconds = retryAfterSeconds === 1 ? "1 second" : `${retryAfterSeconds} seconds`;
  if (reason === "store-unavailable")
    return `Requests cannot be counted at the moment. Please try again in ${seconds}.`;
  return `The limit of ${limit} has been reached. Try again in ${seconds}.`;
}
