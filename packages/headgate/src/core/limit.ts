import { type Calendar, calendarNames, checkTimeZone } from "./calendar.ts";
import { HeadgateError } from "./errors.ts";
import { isName, nameGrammar } from "./name.ts";
import { checkOptions, nearest } from "./options.ts";
import { show } from "./show.ts";

/** The algorithms that can count a limit. Each module in `algorithms/` states its error. */
export const algorithmNames = [
  "sliding-window",
  "token-bucket",
  "fixed-window",
  "sliding-counter",
  "concurrent",
] as const;
export type AlgorithmName = (typeof algorithmNames)[number];

/** A quota over a window, in one unit. `parseLimits` and `defineLimit` make limits; a limit never changes. */
export interface Limit {
  /** Units per window; a whole number from 1 up. 0 for `blocked`, `Infinity` for `unlimited`. */
  readonly quota: number;
  /**
   * A whole number of milliseconds, up to 100 years; 0 for `blocked` and `unlimited`. For `concurrent`: how long a
   * lease lasts without a heartbeat.
   */
  readonly windowMs: number;
  /** What is counted: `requests`, `tokens`, or any word you choose. */
  readonly unit: string;
  readonly algorithm: AlgorithmName;
  /** Set for a `fixed-window` that follows the calendar. Its length may vary; `windowMs` is the usual length. */
  readonly calendar?: Calendar;
  /** The time zone of the calendar; UTC if absent. */
  readonly timeZone?: string;
  /** Set for a `fixed-window` that begins with its first charge. */
  readonly from?: "first-use";
  /** Set for a `sliding-window` above 1,000 units that keeps a timestamp for each unit instead of a coarse log. */
  readonly exact?: true;
  /** The name in the `RateLimit` fields. Default: built from layer and window. */
  readonly name?: string;
}

/** A limit written as an object. */
export interface LimitOptions {
  /** Units per window; a whole number from 1 up. */
  quota: number;
  /** A whole number of milliseconds, from 1 to 100 years. */
  windowMs: number;
  /** Default `requests`. */
  unit?: string;
  /** Default `sliding-window` for requests, `concurrent` for `concurrent`, `token-bucket` for every other unit. */
  algorithm?: AlgorithmName;
  /** Only with `fixed-window`: the window is a calendar day, week (from Monday), month or year. */
  calendar?: Calendar;
  /** Only with `calendar`: an IANA name such as `Europe/London`. Default UTC. */
  timeZone?: string;
  /** Only with `fixed-window`, without `calendar`: the window begins with its first charge. */
  from?: "first-use";
  /**
   * Only with `sliding-window`. Above a quota of 1,000 a sliding window uses a coarse log, which admits up to 0.5% less
   * and never more. `true` keeps a timestamp for each unit instead, which makes each decision slower. Default `false`.
   * No effect for quotas up to 1,000.
   */
  exact?: boolean;
  /** Lower-case letters, digits, `.`, `_` and `-`; shown to callers. */
  name?: string;
}

/** The options that a limit written as an object can have. */
export const limitOptions: readonly (keyof LimitOptions)[] = [
  "quota",
  "windowMs",
  "unit",
  "algorithm",
  "calendar",
  "timeZone",
  "from",
  "exact",
  "name",
];

/** The name of a limit that is counted but never shown. */
export const hidden = "";

/** The limit that admits nobody. */
export const blocked: Limit = Object.freeze({
  quota: 0,
  windowMs: 0,
  unit: "requests",
  algorithm: "sliding-window",
});
/** The limit that refuses nobody. */
export const unlimited: Limit = Object.freeze({ ...blocked, quota: Number.POSITIVE_INFINITY });

/** Returns `blocked` or `unlimited` if the limit is written as that word. */
export function wordFor({ quota }: Pick<Limit, "quota">): "blocked" | "unlimited" | undefined {
  if (quota === 0) return "blocked";
  return quota === Number.POSITIVE_INFINITY ? "unlimited" : undefined;
}

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
/** How long a hold lasts without a heartbeat, by default. */
export const usualLeaseMs = 30 * second;
export const longestWindowMs = 36_525 * day;
/** Integers in structured fields (RFC 9651) have at most 15 digits, so a quota must fit. */
export const largestQuota = 999_999_999_999_999;
/**
 * The largest quota that a sliding window counts exactly without `exact`. Larger quotas are counted by a coarse log.
 */
export const largestExactQuota = 1000;

const unitPattern = /^[a-z][a-z0-9_-]*$/;

/** Units that have a meaning in the library. */
const ownUnits = ["requests", "tokens", "concurrent"];

/**
 * Returns the known unit of which this unit is probably a misspelling. No request spends a misspelt unit, so its limit
 * would admit everything.
 */
export function misspeltUnit(unit: string): string | undefined {
  return ownUnits.includes(unit) ? undefined : nearest(unit, ownUnits);
}

export function isUnit(unit: unknown): unit is string {
  return typeof unit === "string" && unitPattern.test(unit);
}

/**
 * Checks a limit and fills in what it leaves out.
 *
 * @throws HeadgateError `limit-invalid`, naming the value and what is expected.
 */
export function defineLimit(options: LimitOptions): Limit {
  checkOptions("defineLimit", options, limitOptions, "limit-invalid");
  const { quota, windowMs, timeZone, from, exact = false, name } = options;
  const unit = options.unit ?? "requests";
  const algorithm = options.algorithm ?? usualAlgorithm(unit);
  const calendar = options.calendar ?? (algorithm === "fixed-window" ? calendarOf(options) : undefined);

  if (!Number.isSafeInteger(quota) || quota < 1 || quota > largestQuota) {
    fail(`quota must be a whole number from 1 to ${largestQuota}, got ${show(quota)}`);
  }
  if (!Number.isSafeInteger(windowMs) || windowMs < 1 || windowMs > longestWindowMs) {
    fail(
      `windowMs must be whole milliseconds from 1 to ${longestWindowMs} (100 years), got ${show(windowMs)}`,
    );
  }
  if (!isUnit(unit)) {
    fail(`unit must be a lower-case word such as requests or tokens, got ${show(unit)}`);
  }
  if (!algorithmNames.includes(algorithm)) {
    fail(`algorithm must be one of ${algorithmNames.join(", ")}, got ${show(algorithm)}`);
  }
  const meant = misspeltUnit(unit);
  if (meant !== undefined)
    fail(
      `unit ${show(unit)} is probably a misspelling of "${meant}": write "${meant}", or choose a name that is less like it`,
    );
  if (algorithm === "concurrent" && unit === "requests") {
    fail('algorithm "concurrent" cannot count requests: use a unit that is held, such as "2 concurrent"');
  }
  if (name !== undefined && !isName(name)) {
    fail(`name must be made of ${nameGrammar}, got ${show(name)}`);
  }
  if (typeof exact !== "boolean") fail(`exact must be true or false, got ${show(exact)}`);
  if (exact && algorithm !== "sliding-window") {
    fail(`exact goes with algorithm "sliding-window" only, got ${show(algorithm)}`);
  }
  checkEdges({ ...options, calendar }, algorithm);
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
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(from === undefined ? {} : { from }),
    // Up to `largestExactQuota` every sliding window is exact. Without `exact`, both spellings are the same limit.
    ...(exact && quota > largestExactQuota ? { exact } : {}),
    ...(name === undefined ? {} : { name }),
  });
}

/** Whether a limit is counted by a coarse log: see `algorithms/coarse-log.ts`. */
export function isCoarse({ algorithm, quota, exact }: Limit): boolean {
  return algorithm === "sliding-window" && quota > largestExactQuota && exact === undefined;
}

function usualAlgorithm(unit: string): AlgorithmName {
  if (unit === "requests") return "sliding-window";
  return unit === "concurrent" ? "concurrent" : "token-bucket";
}

/** A fixed window of a day or a week follows the calendar, unless it begins with its first charge. */
function calendarOf({ windowMs, from }: LimitOptions): Calendar | undefined {
  if (from !== undefined) return undefined;
  if (windowMs === day) return "day";
  return windowMs === 7 * day ? "week" : undefined;
}

/** Checks the options for where a fixed window begins and ends. */
function checkEdges(
  {
    calendar,
    timeZone,
    from,
  }: { [Edge in "calendar" | "timeZone" | "from"]?: LimitOptions[Edge] | undefined },
  algorithm: AlgorithmName,
): void {
  const edged = { calendar, timeZone, from };
  for (const [option, value] of Object.entries(edged)) {
    if (value !== undefined && algorithm !== "fixed-window") {
      fail(`${option} goes with algorithm "fixed-window" only, got ${show(algorithm)}`);
    }
  }
  if (calendar !== undefined && !calendarNames.includes(calendar)) {
    fail(`calendar must be one of ${calendarNames.join(", ")}, got ${show(calendar)}`);
  }
  if (from !== undefined && from !== "first-use") fail(`from must be "first-use", got ${show(from)}`);
  if (from !== undefined && calendar !== undefined) fail("from and calendar exclude each other, got both");
  if (timeZone === undefined) return;
  if (calendar === undefined) fail('timeZone goes with calendar, as in { calendar: "day", timeZone }');
  checkTimeZone(timeZone);
}

/** Returns how many ticks a full bucket holds: see `algorithms/token-bucket.ts`. */
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

/** Formats a window as words: `minute`, `30 seconds`, `1500 milliseconds`. */
export function windowInWords(limit: Pick<Limit, "windowMs" | "calendar">): string {
  if (limit.calendar !== undefined) return limit.calendar;
  for (const [name, ms] of spans) {
    if (limit.windowMs === ms) return name;
    if (limit.windowMs % ms === 0) return `${limit.windowMs / ms} ${name}s`;
  }
  return limit.windowMs === 1 ? "millisecond" : `${limit.windowMs} milliseconds`;
}

/** Formats a limit as text: `parseLimits(formatLimit(limit))` returns the same limit. */
export function formatLimit(limit: Limit): string {
  const word = wordFor(limit);
  if (word !== undefined) return word;
  const { quota, unit, algorithm, timeZone, from, exact } = limit;
  const amount = unit === "requests" ? `${quota}` : `${quota} ${unit}`;
  if (algorithm === "concurrent" && unit === "concurrent" && limit.windowMs === usualLeaseMs) return amount;
  const words = [`${amount}/${windowInWords(limit)}`];
  if (algorithm !== usualAlgorithm(unit) || exact) words.push(algorithm);
  if (exact) words.push("exact");
  if (timeZone !== undefined) words.push(`in ${timeZone}`);
  if (from !== undefined) words.push("from first-use");
  return words.join(" ");
}

function fail(what: string): never {
  throw new HeadgateError("limit-invalid", `Invalid limit: ${what}.`);
}
