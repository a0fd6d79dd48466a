import type { Known } from "../../core/admission.ts";
import type { Fields } from "../fields/fields.ts";

/** The body of the answer to a request whose id is claimed already (RFC 9457). */
export interface KnownProblem {
  type: "about:blank";
  title: "Conflict" | "Unprocessable Content";
  /** 409; 422 where the id belongs to another request. */
  status: 409 | 422;
  /** A sentence for a person. */
  detail: string;
  /** For programs that look for a short, stable text. */
  error: "Request in progress" | "Request already answered" | "Id belongs to another request";
}

/** The answer to a request whose id is claimed already, as it goes on the wire. */
export interface KnownAnswer {
  status: number;
  headers: Fields;
  problem: KnownProblem;
  /** `problem` as JSON. */
  body: string;
}

const problems: Readonly<Record<Known["state"], KnownProblem>> = {
  running: {
    type: "about:blank",
    title: "Conflict",
    status: 409,
    detail: "This request is being answered already.",
    error: "Request in progress",
  },
  done: {
    type: "about:blank",
    title: "Conflict",
    status: 409,
    detail: "This request has been answered already.",
    error: "Request already answered",
  },
  conflict: {
    type: "about:blank",
    title: "Unprocessable Content",
    status: 422,
    detail: "The id of this request belongs to another request.",
    error: "Id belongs to another request",
  },
};

/**
 * Makes the answer to a request whose id is claimed already, as guards give it: `409` while the first is running and once it is
 * done, `422` where the id had another body. There is no `Retry-After`, as no limit refuses it. What the first request was answered
 * is yours to look up.
 */
export function knownAnswer({ state }: Known): KnownAnswer {
  const problem = { ...problems[state] };
  const headers: Fields = { "Content-Type": "application/problem+json", "Cache-Control": "no-store" };
  return { status: problem.status, headers, problem, body: JSON.stringify(problem) };
}
