import type { Refused } from "../core/admission.ts";
import { windowInWords } from "../core/limit.ts";
import { type FieldOptions, type Fields, rateLimitFields } from "./fields.ts";

/** The body of a refusal: a problem (RFC 9457) of the registered type `quota-exceeded`. */
export interface RefusalProblem {
  type: "https://iana.org/assignments/http-problem-types#quota-exceeded";
  title: string;
  status: 429;
  /** A sentence for a person. */
  detail: string;
  /** The names of the limits that refuse, as in `RateLimit-Policy`. */
  "violated-policies": string[];
  /** For programs that look for a short, stable text. */
  error: "Too many requests" | "Cost exceeds quota";
  /** The same whole number as `Retry-After`; `null` where no wait helps. */
  retry_after_seconds: number | null;
  /** What the same caller could spend now, by unit. */
  affordable: Readonly<Record<string, number>>;
}

/** A refusal as it goes on the wire. */
export interface Refusal {
  status: 429;
  headers: Fields;
  problem: RefusalProblem;
  /** `problem` as JSON. */
  body: string;
}

/**
 * Makes the `429` of a refused request: `application/problem+json`, `Retry-After` in whole seconds (never too early),
 * the `RateLimit` fields, and `Cache-Control: no-store`. Where the request asks for more than a whole quota there is
 * no `Retry-After`, since no wait helps.
 */
export function refusal(refused: Refused, options: FieldOptions = {}): Refusal {
  const never = refused.reason === "cost-exceeds-quota";
  const seconds = refused.retryAfterSeconds;
  const problem: RefusalProblem = {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Request cannot be satisfied as assigned quota has been exceeded",
    status: 429,
    detail: detailOf(refused),
    "violated-policies": refused.limits.filter((limit) => limit.refused).map((limit) => limit.name),
    error: never ? "Cost exceeds quota" : "Too many requests",
    retry_after_seconds: never ? null : seconds,
    affordable: refused.affordable,
  };
  return {
    status: 429,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ...(never ? {} : { "Retry-After": String(seconds) }),
      ...rateLimitFields(refused, options),
    },
    problem,
    body: JSON.stringify(problem),
  };
}

function detailOf({ binding, reason, retryAfterSeconds }: Refused): string {
  const limit = `${binding.quota} ${binding.unit} per ${windowInWords(binding)}`;
  if (reason === "cost-exceeds-quota")
    return `This request asks for more than the limit of ${limit} ever allows.`;
  const seconds = retryAfterSeconds === 1 ? "1 second" : `${retryAfterSeconds} seconds`;
  return `The limit of ${limit} has been reached. Try again in ${seconds}.`;
}
