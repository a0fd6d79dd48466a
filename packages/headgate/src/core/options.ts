import { HeadgateError, type HeadgateErrorCode } from "./errors.ts";
import { show } from "./show.ts";

/** Where an unknown option may belong. */
export interface OtherOptions {
  /** Options of other libraries, which `docs/moving-over.md` describes. */
  readonly moved?: ReadonlySet<string>;
  /** Options of a related object, such as those of a layer. */
  readonly near?: { readonly of: string; readonly options: readonly string[] };
}

/**
 * Rejects options that do not exist, and values that are not objects: a misspelt option would be ignored, and its limit
 * would not apply.
 *
 * @param of the function or object that takes the options, for the message: `createLimiter`, `layer "user"`.
 * @throws HeadgateError naming the option, and the most similar one that exists.
 */
export function checkOptions(
  of: string,
  options: unknown,
  known: readonly string[],
  code: HeadgateErrorCode,
  others: OtherOptions = {},
): asserts options is object {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new HeadgateError(
      code,
      `The options of ${of} must be an object with ${known.join(", ")}, got ${show(options)}.`,
    );
  }
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    throw new HeadgateError(code, `${of} has no option "${option}"${hint(option, known, others)}`);
  }
}

/** @throws HeadgateError `option-invalid` for an option that is set but is not a function. */
export function checkFunctions(of: string, options: object, names: readonly string[]): void {
  for (const name of names) {
    const given = (options as Record<string, unknown>)[name];
    if (given === undefined || typeof given === "function") continue;
    throw new HeadgateError("option-invalid", `${name} of ${of} must be a function, got ${show(given)}.`);
  }
}

/** @throws HeadgateError `option-invalid` for a missing function, or a value that is not a function. */
export function checkNeeded(of: string, options: object, name: string): void {
  const given = (options as Record<string, unknown>)[name];
  if (typeof given === "function") return;
  throw new HeadgateError("option-invalid", `${of} needs ${name}, a function, got ${show(given)}.`);
}

function hint(option: string, known: readonly string[], { moved, near }: OtherOptions): string {
  if (near?.options.includes(option)) return `: it is one of ${near.of}.`;
  if (moved?.has(option))
    return ": it belongs to another library. docs/moving-over.md lists the replacements.";
  const like = nearest(option, known);
  if (like !== undefined) return `: did you mean "${like}"?`;
  const other = near === undefined ? undefined : nearest(option, near.options);
  if (near !== undefined && other !== undefined) return `: did you mean "${other}", of ${near.of}?`;
  return `. It takes ${known.join(", ")}.`;
}

/** Returns the most similar name; `undefined` if none is similar. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const first = known
    .map((one) => ({ one, distance: distanceOf(name.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (first === undefined || first.distance > Math.max(2, Math.floor(name.length / 3))) return undefined;
  return first.one;
}

/** Returns the Levenshtein distance (1965), with two swapped neighbours counted as one change (Damerau, 1964). */
function distanceOf(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => {
    const row = new Array<number>(b.length + 1).fill(0);
    row[0] = i;
    return row;
  });
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let j = 0; j <= b.length; j += 1) (rows[0] as number[])[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(i - 2, j - 2) + 1);
      (rows[i] as number[])[j] = least;
    }
  }
  return at(a.length, b.length);
}

/** Options of express-rate-limit, rate-limiter-flexible, @upstash/ratelimit and similar libraries. */
export const othersOptions: ReadonlySet<string> = new Set([
  "windowMs",
  "max",
  "limit",
  "keyGenerator",
  "skipFailedRequests",
  "skipSuccessfulRequests",
  "requestWasSuccessful",
  "standardHeaders",
  "legacyHeaders",
  "points",
  "duration",
  "blockDuration",
  "keyPrefix",
  "prefix",
  "timeWindow",
  "limiter",
  "ephemeralCache",
  "handler",
  "message",
  "statusCode",
]);
