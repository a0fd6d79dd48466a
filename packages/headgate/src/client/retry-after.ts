import type { Problem } from "./errors.ts";
import type { Quota } from "./quota.ts";

/** The longest wait that is returned. Longer waits are cut to it, like overflowing `delta-seconds` in RFC 9111. */
const longestSeconds = 2 ** 31;

/**
 * How long a refusal asks to wait: its `Retry-After` (RFC 9110, section 10.2.3), else `retry_after_seconds` in its
 * body, else the reset of the tightest limit, else the `RateLimit-Reset` or `X-RateLimit-Reset` of older servers.
 *
 * @param nowMs this machine's time, in milliseconds since the epoch; used for an HTTP date only if the response has no
 *   `Date`, because the two clocks may differ.
 * @returns milliseconds from now, never negative. It is 0 if the response names no readable wait, and `Infinity` if
 *   `retry_after_seconds` is `null`, which means that no wait helps.
 */
export function readRetryAfterMs(
  headers: Headers,
  problem: Problem | undefined,
  quota: Quota | undefined,
  nowMs: number,
): number {
  const field = headers.get("retry-after");
  const stated = problem?.retry_after_seconds;
  const seconds = [
    Math.min(Number(field || undefined), longestSeconds),
    (dateOf(field) - (dateOf(headers.get("date")) || nowMs)) / 1000,
    stated === null ? Infinity : Number(stated),
    quota?.tightest?.resetSeconds,
    secondsToReset(headers, nowMs),
  ].find((candidate = NaN) => candidate >= 0);
  return (seconds ?? 0) * 1000;
}

/**
 * Parses an HTTP date as milliseconds since the epoch; `NaN` if it is not a date. Of the three formats, only the oldest
 * (asctime) lacks "GMT", which is added.
 */
function dateOf(text: string | null): number {
  return Date.parse(`${text}`.replace(/( GMT)?$/, " GMT"));
}

/**
 * Numbers from this one up are times, not waits: as seconds since the epoch it is in 2001, as a wait it would be over
 * 30 years.
 */
const earliestTimeSeconds = 1e9;

/**
 * The wait in a single reset field. Drafts before the seventh send seconds in `RateLimit-Reset`. `X-RateLimit-Reset`
 * may have seconds, a time in seconds or milliseconds since the epoch, or a date. Times are read by the server's clock.
 */
function secondsToReset(headers: Headers, nowMs: number): number {
  const field = headers.get("ratelimit-reset") ?? headers.get("x-ratelimit-reset");
  const number = Number(field || undefined);
  if (number < earliestTimeSeconds) return number;
  const timeMs =
    number < earliestTimeSeconds * 1000 ? number * 1000 : number || dateOf(field) || Date.parse(`${field}`);
  return Math.max(0, timeMs - (dateOf(headers.get("date")) || nowMs)) / 1000;
}
