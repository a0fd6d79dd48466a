import type { Problem } from "./errors.ts";
import type { Quota } from "./quota.ts";

/** Longer waits are taken for this one: RFC 9111 asks the same of `delta-seconds` that overflow. */
const longestSeconds = 2 ** 31;

/**
 * How long a refusal asks to wait: its `Retry-After` (RFC 9110, section 10.2.3), else `retry_after_seconds` in its
 * body, else the reset of the tightest limit, else what older servers say: `RateLimit-Reset` or `X-RateLimit-Reset`.
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
    secondsToReset(headers, nowMs),
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

/** From here on a number is no wait but a time: as seconds since the epoch this is in 2001, as a wait some 30 years. */
const earliestTimeSeconds = 1e9;

/**
 * The wait of a lone reset field. Drafts up to the seventh say seconds in `RateLimit-Reset`; in `X-RateLimit-Reset` there
 * are seconds, and times in seconds or milliseconds since the epoch or as a date, all of them by the server's clock.
 */
function secondsToReset(headers: Headers, nowMs: number): number {
  const field = headers.get("ratelimit-reset") ?? headers.get("x-ratelimit-reset");
  const number = Number(field || undefined);
  if (number < earliestTimeSeconds) return number;
  const timeMs =
    number < earliestTimeSeconds * 1000 ? number * 1000 : number || dateOf(field) || Date.parse(`${field}`);
  return Math.max(0, timeMs - (dateOf(headers.get("date")) || nowMs)) / 1000;
}
