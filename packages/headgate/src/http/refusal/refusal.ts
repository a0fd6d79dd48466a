import type { Refused, WaitsFor } from "../../core/admission.ts";
import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { checkOptions } from "../../core/options.ts";
import {
  addRateLimitFields,
  checkFieldOptions,
  exposedWithoutFields,
  type FieldOptions,
  type Fields,
} from "../fields/fields.ts";
import { preferredType } from "./accept.ts";
import { problemJson } from "./problem-json.ts";
import { refusalPage, refusalText } from "./refusal-text.ts";
import { sentenceOf } from "./sentence.ts";

interface Problem {
  title: string;
  /** A sentence for a person. */
  detail: string;
  /** The names of the limits that refuse, as in `RateLimit-Policy`. */
  "violated-policies": string[];
  /** The same whole number as `Retry-After`; `null` if no wait helps. */
  retry_after_seconds: number | null;
  /** What the wait is for: a `window` to move on, or `holders` to end, which may happen sooner. */
  waits_for: WaitsFor;
  /** What this caller could spend now, by unit. */
  affordable: Readonly<Record<string, number>>;
}

/** The body of a refused request whose quota is spent: a problem (RFC 9457) of the registered type. */
export interface QuotaProblem extends Problem {
  type: "https://iana.org/assignments/http-problem-types#quota-exceeded";
  /** 429, unless the `status` option sets another. */
  status: number;
  /** For programs that look for a short, stable text. */
  error: "Too many requests" | "Cost exceeds quota";
}

/** The body of a request that is refused because its quota cannot be read. */
export interface CapacityProblem extends Problem {
  type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
  status: 503;
  error: "Temporarily unavailable";
}

/** The body of a request whose caller is blocked permanently. */
export interface BlockedProblem extends Problem {
  type: "about:blank";
  status: 403;
  error: "Blocked";
}

export type RefusalProblem = QuotaProblem | CapacityProblem | BlockedProblem;

/** A refusal as an HTTP response. */
export interface Refusal {
  status: number;
  headers: Fields;
  problem: RefusalProblem;
  /** The response body, of the type in `Content-Type`: `problem` as JSON, unless the client prefers text or a page. */
  body: string;
}

/** Your own body for a refusal. */
export interface RefusalBody {
  /** The `Content-Type`, such as `application/json`. */
  contentType: string;
  body: string;
}

export interface RefusalOptions extends FieldOptions {
  /**
   * The request's `Accept` field, or `null` if it has none. It selects a problem, text or a page as the body, and adds
   * `Vary: Accept`. Default: always a problem.
   */
  accept?: string | null | undefined;
  /** The status for a spent quota. Default: 429. */
  status?: number;
  /** Your own body, whatever the client accepts. */
  body?: RefusalBody | undefined;
}

/**
 * Makes the `429` of a refused request: `application/problem+json`, `Retry-After` in whole seconds (never too early),
 * the `RateLimit` fields, and `Cache-Control: no-store`. If the request asks for more than a whole quota there is no
 * `Retry-After`, because no wait helps. A client that prefers `text/plain` or `text/html` gets the refusal as text or
 * as a page.
 *
 * A request that an outage policy refuses gets a `503` with `Retry-After`, and no `RateLimit` fields, because what is
 * left of its quota is not known. A permanently blocked caller gets a `403` with neither.
 *
 * @throws HeadgateError `option-invalid`, also for a content type that no field can hold.
 */
export function refusal(refused: Refused, options: RefusalOptions = {}): Refusal {
  checkOptions("refusal", options, ["accept", "status", "body", "fields", "legacy"], "option-invalid");
  checkFieldOptions(options);
  checkStatus("refusal", options.status);
  if (options.accept !== undefined && options.accept !== null && typeof options.accept !== "string")
    throw new HeadgateError(
      "option-invalid",
      `accept of refusal must be the request's Accept field, got ${describe(options.accept)}.`,
    );
  if ((refused as { readonly admitted?: unknown } | undefined)?.admitted !== false)
    throw new HeadgateError(
      "option-invalid",
      `refusal takes a refused request: check admission.admitted first, and await what admit returns. It got ${describe(refused)}.`,
    );
  return makeRefusal(refused, options);
}

/** The same, with options that a guard has already checked. */
export function makeRefusal(refused: Refused, options: RefusalOptions): Refusal {
  const problem = problemOf(refused, options.status ?? 429);
  const seconds = problem.retry_after_seconds;
  const { contentType, body, varies } = bodyOf(problem, options);
  const headers: Fields = { "Content-Type": contentType, "Cache-Control": "no-store" };
  if (varies) headers.Vary = "Accept";
  if (seconds !== null) headers["Retry-After"] = String(seconds);
  if (problem.error !== "Blocked") headers["Access-Control-Expose-Headers"] = exposedWithoutFields;
  if (problem.error === "Too many requests" || problem.error === "Cost exceeds quota") {
    addRateLimitFields(headers, refused, options);
  }
  return { status: problem.status, headers, problem, body };
}

function bodyOf(problem: RefusalProblem, options: RefusalOptions): RefusalBody & { varies: boolean } {
  if (options.body !== undefined) return { ...checkBody(options.body), varies: false };
  const type = preferredType(options.accept);
  const varies = options.accept !== undefined;
  if (type === "text/html")
    return { contentType: `${type}; charset=utf-8`, body: refusalPage(problem), varies };
  if (type === "text/plain")
    return { contentType: `${type}; charset=utf-8`, body: refusalText(problem), varies };
  return { contentType: type, body: problemJson(problem), varies };
}

function checkBody(own: RefusalBody): RefusalBody {
  if (typeof own !== "object" || own === null) {
    throw new HeadgateError(
      "option-invalid",
      `The body of a refusal must be such as { contentType: "text/plain", body: "Slow down." }, got ${describe(own)}.`,
    );
  }
  const { contentType, body } = own;
  if (typeof contentType !== "string" || !/^[\x20-\x7e]+$/.test(contentType)) {
    throw new HeadgateError(
      "option-invalid",
      `The contentType of a refusal's body must be a media type such as "application/json", got ${describe(contentType)}.`,
    );
  }
  if (typeof body !== "string") {
    throw new HeadgateError("option-invalid", `The body of a refusal must be text, got ${describe(body)}.`);
  }
  return { contentType, body };
}

/** The problem of a refusal. @param status the status for a spent quota */
export function problemOf(refused: Refused, status: number): RefusalProblem {
  const { reason, retryAfterSeconds, waitsFor, affordable } = refused;
  const detail = sentenceOf(refused);
  const violated: string[] = [];
  for (const { name, refused: refuses } of refused.limits) if (refuses) violated.push(name);
  if (reason === "store-unavailable") {
    return {
      type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
      title: "Request cannot be satisfied due to temporary server capacity constraints",
      status: 503,
      detail,
      "violated-policies": violated,
      error: "Temporarily unavailable",
      retry_after_seconds: retryAfterSeconds,
      waits_for: waitsFor,
      affordable,
    };
  }
  if (reason === "blocked" && retryAfterSeconds === Number.POSITIVE_INFINITY) {
    return {
      type: "about:blank",
      title: "Forbidden",
      status: 403,
      detail,
      "violated-policies": violated,
      error: "Blocked",
      retry_after_seconds: null,
      waits_for: waitsFor,
      affordable,
    };
  }
  const never = reason === "cost-exceeds-quota";
  return {
    ...quotaProblem(status),
    detail,
    "violated-policies": violated,
    error: never ? "Cost exceeds quota" : "Too many requests",
    retry_after_seconds: never ? null : retryAfterSeconds,
    waits_for: waitsFor,
    affordable,
  };
}

/** The first members of the problem for a spent quota. */
export function quotaProblem(status: number): Pick<QuotaProblem, "type" | "title" | "status"> {
  return {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Request cannot be satisfied as assigned quota has been exceeded",
    status,
  };
}

/** @throws HeadgateError `option-invalid` for a status that is not a refusal. */
export function checkStatus(of: string, status: unknown): void {
  const isStatus = Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599;
  if (status === undefined || isStatus) return;
  throw new HeadgateError(
    "option-invalid",
    `status of ${of} must be a whole number from 400 to 599, got ${describe(status)}.${of === "rateLimit" ? " For a redirect, answer in onRefused." : ""}`,
  );
}
