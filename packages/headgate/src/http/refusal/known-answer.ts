import type { Known } from "../../core/admission.ts";
import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import type { Fields } from "../fields/fields.ts";

/** The response body for a request with an id that is already in use (RFC 9457). */
export interface KnownProblem {
  type: "about:blank";
  title: "Conflict" | "Unprocessable Content";
  /** 409, or 422 if the id belongs to another request. */
  status: 409 | 422;
  /** A sentence for people. */
  detail: string;
  /** A short text for programs. It does not change. */
  error: "Request in progress" | "Request already answered" | "Id belongs to another request";
}

/** The response to a request with an id that is already in use. */
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
    detail: "This request is already being processed.",
    error: "Request in progress",
  },
  done: {
    type: "about:blank",
    title: "Conflict",
    status: 409,
    detail: "This request was already answered.",
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
 * Creates the response to a request with an id that is already in use. Guards send the same response: `409` if the first
 * request is in progress or done, `422` if the first request had another fingerprint. It has no `Retry-After`, because no
 * limit refused the request. To send the first answer again, save it and look it up.
 *
 * @throws HeadgateError `option-invalid` for any other answer of `admit`.
 */
export function knownAnswer(known: Known): KnownAnswer {
  const state: unknown = (known as { readonly state?: unknown } | null | undefined)?.state;
  if (typeof state !== "string" || !Object.hasOwn(problems, state))
    throw new HeadgateError(
      "option-invalid",
      `knownAnswer takes a request with a known id: check admission.reason === "known" first. It got ${describe(known)}.`,
    );
  const problem = { ...problems[known.state] };
  const headers: Fields = { "Content-Type": "application/problem+json", "Cache-Control": "no-store" };
  return { status: problem.status, headers, problem, body: JSON.stringify(problem) };
}
