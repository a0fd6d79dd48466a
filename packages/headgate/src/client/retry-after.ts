import type { Problem } from "./errors.ts";
import type { Quota } from "./quota.ts";

/** Longer waits are taken for this one: RFC 9111 asks the same of `delta-seconds` that overflow. */
const longestSeconds = 2 ** 31;

/**
 * How long a refusal asks to wait: its `Retry-After` (RFC 9110, section 10.2.3), else `retry_after_seconds` in its
 * body, else the reset of the tightest limit.
 *
 * @param nowMs this machine's time, in milliseconds since the epoch; used for an HTTP date only where the response
 *   has no `Date` of its own, since the two clocks may differ.
 * @returns milliseconds from now, never negative; 0 where the response says nothing that can be read; `Infinity` where
 *   the body says, by `null`, that no wait helps.
 */
export function readRetryAfterMs(
  headers: Headers,
  problem: Problem | undefined,
  quota: Quota | undefined,
  nowMs: number,
): number {
  const field = headers.get("retry-after");
  if (!field && problem?.retry_after_seconds === null) return Number.POSITIVE_INFINITY;
  const seconds =
    secondsOf(field, headers.get("date"), nowMs) ??
    secondsOf(problem?.retry_after_seconds, null, nowMs) ??
    quota?.tightest?.resetSeconds ??
    0;
  return Math.min(Math.max(seconds, 0), longestSeconds) * 1000;
}

function secondsOf(value: unknown, date: string | null, nowMs: number): number | undefined {
  const text = String(value ?? "").trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const until = dateOf(text);
  return until === undefined ? undefined : (until - (dateOf(date ?? "") ?? nowMs)) / 1000;
}

/** Every form of an HTTP date begins with a weekday, and only the oldest, asctime's, leaves out that it is GMT. */
function dateOf(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}/.test(text)) return undefined;
  const time = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}
