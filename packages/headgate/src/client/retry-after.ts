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
  const told = problem?.retry_after_seconds;
  const seconds = [
    Math.min(Number(field || undefined), longestSeconds),
    (dateOf(field) - (dateOf(headers.get("date")) || nowMs)) / 1000,
    told === null ? Infinity : Number(told),
    quota?.tightest?.resetSeconds,
  ].find((candidate = NaN) => candidate >= 0);
  return (seconds ?? 0) * 1000;
}

/**
 * The time that an HTTP date names, in milliseconds since the epoch; `NaN` for what is no date. Of its three forms only the
 * oldest, asctime's, leaves out that it is GMT.
 */
function dateOf(text: string | null): number {
  return Date.parse(`${text}`.replace(/( GMT)?$/, " GMT"));
}
