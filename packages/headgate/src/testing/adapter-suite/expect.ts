import { show } from "../store-suite/expect.ts";
import type { Reply } from "./conversation.ts";

/** A failed expectation of the suite. */
export class AdapterSuiteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "AdapterSuiteError";
  }
}

/** @throws AdapterSuiteError with both values, unless they are deeply equal. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [show(actual), show(expected)];
  if (got !== wanted) throw new AdapterSuiteError(`${what}: expected ${wanted}, got ${got}.`);
}

/** Returns the quota fields with these values. */
export function quotaFields(policy: string, state: string): Record<string, string> {
  return { "RateLimit-Policy": policy, RateLimit: state, "Access-Control-Expose-Headers": exposed };
}

export const exposed = "RateLimit, RateLimit-Policy, Retry-After";

/** Returns the fields of the default limit: two requests a minute. */
export function twoAMinute(remaining: number, resetSeconds: number): Record<string, string> {
  return quotaFields('"user-per-minute";q=2;w=60', `"user-per-minute";r=${remaining};t=${resetSeconds}`);
}

/** @throws AdapterSuiteError unless the request passed with exactly these guard fields. */
export function expectPassed(
  reply: Reply,
  fields: Readonly<Record<string, string>>,
  answer: { status?: number; body?: string } = {},
): void {
  const { status = 200, body = "hello" } = answer;
  const got = { status: reply.status, fields: reply.fields, body: reply.body };
  expectSame(got, { status, fields, body }, "the response of the handler");
}

/** An expected refusal. */
export interface ExpectedRefusal {
  readonly fields: Readonly<Record<string, string>>;
  readonly detail: string;
  readonly violated: readonly string[];
  readonly retryAfterSeconds: number | null;
  /** Default: `window`. */
  readonly waitsFor?: "window" | "holders";
  readonly affordable: Readonly<Record<string, number>>;
}

/** @throws AdapterSuiteError unless the reply is exactly this `429`. */
export function expectRefused(reply: Reply, expected: ExpectedRefusal, hasBody = true): void {
  const { fields, detail, violated, retryAfterSeconds, affordable } = expected;
  // The body is written by hand, because the order of its members must not change either.
  const body = `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded",${[
    '"title":"Request cannot be satisfied as assigned quota has been exceeded"',
    '"status":429',
    `"detail":${JSON.stringify(detail)}`,
    `"violated-policies":${JSON.stringify(violated)}`,
    `"error":${retryAfterSeconds === null ? '"Cost exceeds quota"' : '"Too many requests"'}`,
    `"retry_after_seconds":${retryAfterSeconds}`,
    `"waits_for":${JSON.stringify(expected.waitsFor ?? "window")}`,
    `"affordable":${JSON.stringify(affordable)}`,
  ].join(",")}}`;
  const got = {
    status: reply.status,
    type: reply.headers["content-type"],
    fields: reply.fields,
    body: reply.body,
  };
  const wanted = {
    status: 429,
    type: "application/problem+json",
    fields: {
      "Cache-Control": "no-store",
      Vary: "Accept",
      ...fields,
      ...(retryAfterSeconds === null ? {} : { "Retry-After": String(retryAfterSeconds) }),
    },
    body: hasBody ? body : "",
  };
  expectSame(got, wanted, "the refusal");
}

/** Returns the expected refusal by the default limit. */
export function twoAMinuteSpent(waitSeconds: number): ExpectedRefusal {
  const seconds = waitSeconds === 1 ? "1 second" : `${waitSeconds} seconds`;
  return {
    fields: twoAMinute(0, waitSeconds),
    detail: `The limit of 2 requests per minute has been reached. Try again in ${seconds}.`,
    violated: ["user-per-minute"],
    retryAfterSeconds: waitSeconds,
    affordable: { requests: 0 },
  };
}
