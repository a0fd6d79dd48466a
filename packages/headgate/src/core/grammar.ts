import type { Calendar } from "./calendar.ts";
import { HeadgateError } from "./errors.ts";
import {
  type AlgorithmName,
  algorithmNames,
  blocked,
  day,
  defineLimit,
  hour,
  type Limit,
  type LimitOptions,
  longestWindowMs,
  minute,
  misspeltUnit,
  second,
  unlimited,
  usualLeaseMs,
} from "./limit.ts";
import { show } from "./show.ts";

/**
 * Reads limits as people write them.
 *
 * ```
 * limits    = limit { (";" | "," | "|") limit } | "blocked" | "unlimited"
 * limit     = quota [unit] ("/" | "per") [count] window [algorithm [edges | "exact"]]
 *           | quota "concurrent" [("/" | "per") [count] window]
 * quota     = digits, with "_" between them at will
 * unit      = a word: requests (default), tokens, …
 * window    = ms | second | minute | hour | day | week | month | year, in singular, plural or short form
 * algorithm = sliding-window | token-bucket | fixed-window | sliding-counter | concurrent
 * edges     = "in" time zone | "from first-use"
 * ```
 *
 * `5/minute; 60/hour`, `5 per minute`, `10/30 seconds`, `100000 tokens/day`, `200/day fixed-window in Europe/London`,
 * `50000/day sliding-window exact`, `2 concurrent`. A month is 30 days and a year is 365. With `fixed-window`, a window
 * of one day, week, month or year follows the calendar instead, in UTC unless a time zone is named. The window of
 * `concurrent` is how long a lease lives without a heartbeat: 30 seconds by default. `blocked` always refuses, and
 * `unlimited` never does.
 *
 * @throws HeadgateError `limit-unreadable`: quotes the text, points at the error and says what is expected.
 */
export function parseLimits(text: string): Limit[] {
  if (typeof text !== "string") {
    throw new HeadgateError(
      "limit-unreadable",
      `A limit must be text such as "5/minute", got ${show(text)}.`,
    );
  }
  const alone = wholeTexts.get(text.trim().toLowerCase());
  if (alone !== undefined) return [alone];
  const reader = new Reader(text);
  const limits = [readLimit(reader)];
  while (!reader.ended()) {
    if (!reader.take(";") && !reader.take(",") && !reader.take("|")) {
      reader.fail(`";" before the next limit, or an algorithm: ${algorithmNames.join(", ")}`);
    }
    if (reader.ended()) break;
    limits.push(readLimit(reader));
  }
  return limits;
}

/** Words that must be the only limit in a text. */
const wholeTexts = new Map([
  ["blocked", blocked],
  ["unlimited", unlimited],
]);

interface Window {
  ms: number;
  calendar?: Calendar;
}

const windows = new Map<string, Window>();
for (const [names, window] of [
  ["ms millisecond milliseconds", { ms: 1 }],
  ["s sec secs second seconds", { ms: second }],
  ["min mins minute minutes", { ms: minute }],
  ["h hr hrs hour hours", { ms: hour }],
  ["d day days", { ms: day, calendar: "day" }],
  ["w week weeks", { ms: 7 * day, calendar: "week" }],
  ["month months", { ms: 30 * day, calendar: "month" }],
  ["y year years", { ms: 365 * day, calendar: "year" }],
] as const) {
  for (const name of names.split(" ")) windows.set(name, window);
}

const windowChoices = "a window: ms, second, minute, hour, day, week, month or year";

function readLimit(reader: Reader): Limit {
  const word = reader.peekWord() ?? "";
  if (wholeTexts.has(word)) reader.fail(`a quota, as in 5/minute: "${word}" must be the only limit`);
  const quota = reader.quota("a quota, as in 5/minute");
  if (quota < 1) reader.failAtLast("a quota of 1 or more");

  const unit = reader.peekWord() === "per" ? undefined : reader.word();
  const meant = unit === undefined || unitNames.has(unit) ? undefined : misspeltUnit(unit);
  if (meant !== undefined) reader.failAtLast(`"${meant}", or a unit name that is less like it`);
  const amount = { quota, ...(unit === undefined ? {} : { unit: unitNames.get(unit) ?? unit }) };
  if (!reader.take("/") && !reader.takeWord("per")) {
    if (unit === "concurrent") return defineLimit({ ...amount, windowMs: usualLeaseMs });
    reader.fail('"/" or "per" and a window, as in 5/minute');
  }

  const { count, window } = readWindow(reader);
  const windowMs = window.ms * count;
  const algorithm = reader.word();
  if (algorithm === undefined) return defineLimit({ ...amount, windowMs });
  if (!isAlgorithm(algorithm)) {
    reader.failAtLast(`";" before the next limit, or an algorithm: ${algorithmNames.join(", ")}`);
  }
  if (algorithm === "sliding-window") {
    return defineLimit({ ...amount, windowMs, algorithm, exact: reader.takeWord("exact") });
  }
  if (algorithm !== "fixed-window") return defineLimit({ ...amount, windowMs, algorithm });
  return defineLimit({ ...amount, windowMs, algorithm, ...readEdges(reader, count, window) });
}

function readWindow(reader: Reader): { count: number; window: Window } {
  const count = reader.startsWithDigit() ? reader.number("a number") : 1;
  if (count < 1) reader.failAtLast("a window of 1 or more");
  const word = reader.word();
  if (word === undefined) reader.fail(windowChoices);
  if (word === "m") reader.failAtLast('"min" or "month": "m" could mean either');
  const window = windows.get(word);
  if (window === undefined) reader.failAtLast(windowChoices);
  if (window.ms * count > longestWindowMs) reader.failAtLast("a window of at most 100 years");
  return { count, window };
}

/** Where a fixed window begins and ends. */
function readEdges(reader: Reader, count: number, { calendar }: Window): Partial<LimitOptions> {
  if (reader.takeWord("from")) {
    if (reader.word() !== "first-use") reader.failAtLast('"first-use"');
    return { from: "first-use" };
  }
  const followed = count === 1 ? calendar : undefined;
  if (reader.takeWord("in")) {
    const timeZone = reader.timeZone();
    if (timeZone === undefined) reader.fail("a time zone, such as Europe/London");
    if (followed === undefined)
      reader.failAtLast("a window of one day, week, month or year before a time zone");
    return { calendar: followed, timeZone };
  }
  if (count !== 1 && (calendar === "month" || calendar === "year")) {
    reader.failAtLast(`one calendar ${calendar}, "from first-use", or an algorithm other than fixed-window`);
  }
  return followed === undefined ? {} : { calendar: followed };
}

/** Singular names, so that `1 token/day` counts the unit that `{ tokens: 3 }` spends. */
const unitNames = new Map([
  ["request", "requests"],
  ["token", "tokens"],
]);

function isAlgorithm(word: string): word is AlgorithmName {
  return (algorithmNames as readonly string[]).includes(word);
}

/** Reads the text token by token. Remembers where the last token began, so that an error can point at it. */
class Reader {
  readonly #text: string;
  #position = 0;
  #last = 0;
  #lastLength = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  ended(): boolean {
    return this.#position >= this.#text.length;
  }

  startsWithDigit(): boolean {
    return /\d/.test(this.#text.charAt(this.#position));
  }

  number(expected: string): number {
    const digits = this.#match(/\d(?:_?\d)*/y) ?? this.fail(expected);
    const value = Number(digits.replaceAll("_", ""));
    if (!Number.isSafeInteger(value)) this.failAtLast("a number below 2^53");
    if (this.#text.charAt(this.#position) === ".") this.failAtLast("a whole number");
    return value;
  }

  /** There must be a space between a quota and its unit: `5k` and `1e3` are not valid quotas. */
  quota(expected: string): number {
    const value = this.number(expected);
    const isApart = /[\s/]|$/y;
    isApart.lastIndex = this.#last + this.#lastLength;
    if (!isApart.test(this.#text))
      this.failAtLast('a whole number, with a space before its unit, as in "5000 tokens/day"');
    return value;
  }

  word(): string | undefined {
    return this.#match(/[a-z][a-z0-9_-]*/iy)?.toLowerCase();
  }

  timeZone(): string | undefined {
    return this.#match(/[a-z][a-z0-9_+-]*(?:\/[a-z0-9_+-]+)*/iy);
  }

  peekWord(): string | undefined {
    const position = this.#position;
    const word = this.word();
    this.#position = position;
    return word;
  }

  take(symbol: string): boolean {
    if (!this.#text.startsWith(symbol, this.#position)) return false;
    this.#last = this.#position;
    this.#position += symbol.length;
    this.#skipSpace();
    return true;
  }

  takeWord(word: string): boolean {
    if (this.peekWord() !== word) return false;
    this.word();
    return true;
  }

  fail(expected: string): never {
    this.#last = this.#position;
    return this.failAtLast(expected);
  }

  failAtLast(expected: string): never {
    const rest = /^\S*/.exec(this.#text.slice(this.#last))?.[0] ?? "";
    const place = rest === "" ? "at its end" : `at ${show(rest)} (character ${this.#last + 1})`;
    throw new HeadgateError(
      "limit-unreadable",
      `Cannot read the limit ${show(this.#text)} ${place}: expected ${expected}.`,
    );
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#last = this.#position;
    this.#lastLength = found.length;
    this.#position += found.length;
    this.#skipSpace();
    return found;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#position))) this.#position += 1;
  }
}
