import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { type LogLine, logVersion } from "headgate/log";
import { InputError } from "./input-error.ts";
import { checkNames, checkNumber, fail, show } from "./options.ts";

/** The content of a decision log. */
export interface DecisionLogContent {
  readonly lines: readonly LogLine[];
  /** The number of lost lines that the log itself reports. */
  readonly lost: number;
  /** The number of invalid lines, such as truncated ones. */
  readonly unreadable: number;
  /** The number of older lines that were left out, because of `newest`. */
  readonly passedOver?: number;
}

export interface ReadLogOptions {
  /** Reads only the lines of this limiter. Default: all. */
  readonly limiter?: string | undefined;
  /**
   * Keeps this number of the newest lines, from 1 to 10,000,000, and all lines that begin a log or contain a policy.
   * Default: all lines, of which more than 10,000,000 are an error.
   */
  readonly newest?: number | undefined;
}

/** The maximum number of lines, which must fit in memory. */
const mostLines = 10_000_000;
const types = new Set([
  "begin",
  "policy",
  "decision",
  "settled",
  "extended",
  "override",
  "reset",
  "penalty",
  "lost",
]);

/**
 * Reads decision logs of one process or several.
 *
 * @param places files, and folders with `.jsonl` files in them.
 * @throws InputError if a file or folder is not found, a line has another version, there are too many lines, or the log
 *   has no decision
 * @throws HeadgateError `option-invalid`
 */
export async function readLog(
  places: readonly string[],
  options: ReadLogOptions = {},
): Promise<DecisionLogContent> {
  checkReadLog(places, options);
  const { limiter, newest = Number.POSITIVE_INFINITY } = options;
  const files = (await Promise.all(places.map(filesIn))).flat();
  let lines: LogLine[] = [];
  let lost = 0;
  let unreadable = 0;
  let passedOver = 0;
  const keepNewest = () => {
    const kept = newestOf(lines, newest);
    passedOver += lines.length - kept.length;
    lines = kept;
  };
  for (const file of files) {
    for await (const text of createInterface({
      input: createReadStream(file),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      if (text === "") continue;
      const line = readLine(text, file);
      if (line === undefined) unreadable += 1;
      else if (line.type === "lost") lost += line.lines;
      else if (limiter === undefined || line.limiter === limiter) lines.push(line);
      if (lines.length > 2 * newest) keepNewest();
      if (lines.length > mostLines)
        throw new InputError(
          `The log has more than ${mostLines.toLocaleString("en")} lines: pass fewer of its files.`,
        );
    }
  }
  keepNewest();
  if (!lines.some(({ type }) => type === "decision")) {
    if (files.length === 0) throw new InputError(`There is no .jsonl file in ${places.join(", ")}.`);
    throw decidedNothing(limiter);
  }
  return { lines, lost, unreadable, ...(passedOver === 0 ? {} : { passedOver }) };
}

function checkReadLog(places: unknown, options: ReadLogOptions): void {
  if (!Array.isArray(places) || places.some((place) => typeof place !== "string"))
    fail(`readLog takes a list of files and folders, such as ["./decisions"], got ${show(places)}.`);
  checkNames("readLog", options, { limiter: true, newest: true });
  const { limiter, newest } = options;
  if (limiter !== undefined && typeof limiter !== "string")
    fail(`limiter of readLog must be the name of a limiter, got ${show(limiter)}.`);
  checkNumber("newest of readLog", newest, 1, mostLines);
}

/** Returns the error of a log without decisions. It names no file, because operators of a console did not name one. */
export function decidedNothing(limiter: string | undefined): InputError {
  const sentence =
    limiter === undefined
      ? "This log contains no decisions"
      : `${JSON.stringify(limiter)} has no decisions in this log`;
  return new InputError(`${sentence}: there is nothing to replay.`);
}

/** Returns the newest lines, and all lines that begin a log or contain a policy, because a replay needs them. */
function newestOf(lines: LogLine[], most: number): LogLine[] {
  if (lines.length <= most) return lines;
  const isHead = ({ type }: LogLine) => type === "begin" || type === "policy";
  const events = lines.filter((line) => !isHead(line)).sort((a, b) => a.at - b.at);
  return [...lines.filter(isHead), ...events.slice(-most)];
}

async function filesIn(place: string): Promise<string[]> {
  const found = await stat(place).catch(() => {
    throw new InputError(`There is no file or folder ${place}.`);
  });
  if (!found.isDirectory()) return [place];
  const names = await readdir(place);
  return names
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => path.join(place, name));
}

function readLine(text: string, file: string): LogLine | undefined {
  let line: Partial<LogLine> | null;
  try {
    line = JSON.parse(text) as Partial<LogLine> | null;
  } catch {
    return undefined;
  }
  if (typeof line !== "object" || line === null || typeof line.type !== "string" || line.n === undefined)
    return undefined;
  if (line.v !== logVersion)
    throw new InputError(
      `${file} has lines of version ${JSON.stringify(line.v)}; this release reads version ${logVersion}.`,
    );
  if (!types.has(line.type) || !isSound(line as LogLine)) return undefined;
  return line as LogLine;
}

/** Checks the fields that the replay needs. */
function isSound(line: LogLine): boolean {
  if (!Number.isFinite(line.at) || typeof line.process !== "string") return false;
  if (line.type === "lost") return Number.isSafeInteger(line.lines);
  if (typeof line.limiter !== "string") return false;
  switch (line.type) {
    case "decision":
      return (
        arePartitions(line.partitions) &&
        typeof line.admitted === "boolean" &&
        Number.isSafeInteger(line.id) &&
        typeof line.policy === "string" &&
        (line.cost === undefined || isCost(line.cost))
      );
    case "settled":
      return isCost(line.used);
    case "extended":
      return isCost(line.cost);
    case "penalty":
      return isCost(line.cost) && arePartitions(line.partitions);
    case "reset":
      return arePartitions(line.partitions);
    case "policy":
      return typeof line.hash === "string" && typeof line.policy === "object" && line.policy !== null;
    default:
      return true;
  }
}

function arePartitions(given: unknown): boolean {
  return (
    Array.isArray(given) &&
    given.every((one) => typeof one?.layer === "string" && typeof one.partition === "string")
  );
}

function isCost(given: unknown): boolean {
  if (typeof given !== "object" || given === null) return false;
  return Object.values(given).every((units) => Number.isSafeInteger(units) && units >= 0);
}
