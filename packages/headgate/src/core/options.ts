import { HeadgateError, type HeadgateErrorCode } from "./errors.ts";

/**
 * Rejects options that do not exist: a misspelt option would be ignored, and its limit would not apply.
 *
 * @param of the owner of the options, for the message: `createLimiter`, `layer "user"`.
 * @param moved options of other libraries, and the page that describes them.
 * @throws HeadgateError naming the option, and the most similar one that exists.
 */
export function checkOptions(
  of: string,
  options: object,
  known: readonly string[],
  code: HeadgateErrorCode,
  moved: ReadonlySet<string> = new Set(),
): void {
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    throw new HeadgateError(code, `${of} has no option "${option}"${hint(option, known, moved)}`);
  }
}

function hint(option: string, known: readonly string[], moved: ReadonlySet<string>): string {
  if (moved.has(option)) return ": it is another library's. docs/moving-over.md says what takes its place.";
  const like = nearest(option, known);
  if (like !== undefined) return `: did you mean "${like}"?`;
  return `. It takes ${known.join(", ")}.`;
}

/** The most similar name; `undefined` if none is similar. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const first = known
    .map((one) => ({ one, distance: distanceOf(name.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (first === undefined || first.distance > Math.max(2, Math.floor(name.length / 3))) return undefined;
  return first.one;
}

/** Levenshtein distance (1965), with two swapped neighbours counted as one change (Damerau, 1964). */
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
  "timeWindow",
  "limiter",
  "ephemeralCache",
  "handler",
  "message",
  "statusCode",
]);
