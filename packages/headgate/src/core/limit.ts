import { HeadgateError } from "./errors.ts";

/** The algorithms a limit can be counted by. Their modules in `algorithms/` state the error of each. */
export const algorithmNames = ["sliding-window", "token-bucket", "fixed-window"] as const;
export type AlgorithmName = (typeof algorithmNames)[number];

/** A quota over a window, in one unit. Made by `parseLimits` or `defineLimit`; never changed afterwards. */
export interface Limit {
  /** Units per window; a whole number from 1 up. */
  readonly quota: number;
  /** Milliseconds; a whole number from 1 to a hundred years. */
  readonly windowMs: number;
  /** What is counted: `requests`, `tokens`, or any word of your own. */
  readonly unit: string;
  readonly algorithm: AlgorithmName;
  /** Set for a `fixed-window` of a calendar month or year, whose length varies. */
  readonly calendar?: "month" | "year";
  /** The name it goes by in the `RateLimit` fields; made from layer and window where absent. */
  readonly name?: string;
}

/** A limit written as an object. */
export interface LimitOptions {
  /** Units per window; a whole number from 1 up. */
  quota: number;
  /** Milliseconds; a whole number from 1 to a hundred years. */
  windowMs: number;
  /** Default `requests`. */
  unit?: string;
  /** Default `sliding-window` for requests, `token-bucket` for every other unit. */
  algorithm?: AlgorithmName;
  /** Only with `fixed-window`: the window is the calendar month or year in UTC. */
  calendar?: "month" | "year";
  /** Lower-case letters, digits, `.`, `_` and `-`; shown to callers. */
  name?: string;
}

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
export const longestWindowMs = 36_525 * day;
/** Structured fields (RFC 9651) hold integers of 15 digits, and so must a quota that is shown in one. */
export const largestQuota = 999_999_999_999_999;

const unitPattern = /^[a-z][a-z0-9_-]*$/;
const namePattern = /^[a-z0-9][a-z0-9._-]*$/;

/**
 * Checks a limit and fills in what it leaves out.
 *
 * @throws HeadgateError `limit-invalid`, naming the value and what would be right.
 */
export function defineLimit(options: LimitOptions): Limit {
  const { quota, windowMs, calendar, name } = options;
  const unit = options.unit ?? "requests";
  const algorithm = options.algorithm ?? (unit === "requests" ? "sliding-window" : "token-bucket");

  if (!Number.isSafeInteger(quota) || quota < 1 || quota > largestQuota) {
    fail(`quota must be a whole number from 1 to ${largestQuota}, got ${String(quota)}`);
  }
  if (!Number.isSafeInteger(windowMs) || windowMs < 1 || windowMs > longestWindowMs) {
    fail(
      `windowMs must be whole milliseconds from 1 to ${longestWindowMs} (100 years), got ${String(windowMs)}`,
    );
  }
  if (typeof unit !== "string" || !unitPattern.test(unit)) {
    fail(`unit must be a lower-case word such as requests or tokens, got ${JSON.stringify(unit)}`);
  }
  if (!algorithmNames.includes(algorithm)) {
    fail(`algorithm must be one of ${algorithmNames.join(", ")}, got ${JSON.stringify(algorithm)}`);
  }
  if (name !== undefined && !namePattern.test(name)) {
    fail(`name may hold lower-case letters, digits, ".", "_" and "-", got ${JSON.stringify(name)}`);
  }
  if (calendar !== undefined && algorithm !== "fixed-window") {
    fail(`calendar goes with algorithm "fixed-window" only, got ${JSON.stringify(algorithm)}`);
  }
  if (algorithm === "token-bucket" && bucketCapacity(quota, windowMs) > Number.MAX_SAFE_INTEGER) {
    fail(
      `a token-bucket of ${quota} per ${windowMs} ms is finer than whole numbers can count: ` +
        "round the quota so that it shares more factors with the window (100000 rather than 99991)",
    );
  }

  const limit = { quota, windowMs, unit, algorithm };
  return Object.freeze({
    ...limit,
    ...(calendar === undefined ? {} : { calendar }),
    ...(name === undefined ? {} : { name }),
  });
}

/** The ticks a full bucket holds: see `algorithms/token-bucket.ts`. */
function bucketCapacity(quota: number, windowMs: number): number {
  return (quota / greatestCommonDivisor(quota, windowMs)) * windowMs;
}

export function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

const spans: readonly [name: string, ms: number][] = [
  ["week", 7 * day],
  ["day", day],
  ["hour", hour],
  ["minute", minute],
  ["second", second],
];

/** A window in words: `minute`, `30 seconds`, `1500 milliseconds`. */
export function windowInWords(limit: Pick<Limit, "windowMs" | "calendar">): string {
  if (limit.calendar !== undefined) return limit.calendar;
  for (const [name, ms] of spans) {
    if (limit.windowMs === ms) return name;
    if (limit.windowMs % ms === 0) return `${limit.windowMs / ms} ${name}s`;
  }
  return limit.windowMs === 1 ? "millisecond" : `${limit.windowMs} milliseconds`;
}

/** A limit as the grammar writes it: `parseLimits(formatLimit(limit))` gives the same limit back. */
export function formatLimit(limit: Limit): string {
  const unit = limit.unit === "requests" ? "" : ` ${limit.unit}`;
  const usual = limit.unit === "requests" ? "sliding-window" : "token-bucket";
  const algorithm = limit.algorithm === usual ? "" : ` ${limit.algorithm}`;
  return `${limit.quota}${unit}/${windowInWords(limit)}${algorithm}`;
}

function fail(what: string): never {
  throw new HeadgateError("limit-invalid", `Invalid limit: ${what}.`);
}
