import type { LimitReading, Refused, WaitsFor } from "../../core/admission.ts";
import { windowInWords } from "../../core/limit.ts";

/** Says why a request is refused and when to try again, in a sentence or two for a person. */
export function sentenceOf({ binding, reason, retryAfterSeconds, waitsFor }: Refused): string {
  if (reason === "cost-exceeds-quota") {
    return `This request asks for more than the limit of ${limitInWords(binding)} ever allows.`;
  }
  if (reason === "blocked" && retryAfterSeconds === Number.POSITIVE_INFINITY)
    return "This caller is blocked.";
  const wait = waitInWords(retryAfterSeconds);
  if (reason === "blocked") return `This caller is blocked for now. Try again in ${wait}.`;
  if (reason === "store-unavailable") {
    return `Requests cannot be counted at the moment. Please try again in ${wait}.`;
  }
  if (reason === "too-many-reservations") return `Too many requests are in progress. Try again in ${wait}.`;
  return `${reachedSentence(binding)} ${retrySentence(retryAfterSeconds, waitsFor)}`;
}

/** Says which limit refuses. */
export function reachedSentence(limit: LimitInWords): string {
  return `The limit of ${limitInWords(limit)} has been reached.`;
}

/** Says when a spent limit admits again. The text needs no escapes in JSON. */
export function retrySentence(seconds: number, waitsFor: WaitsFor): string {
  const wait = waitInWords(seconds);
  if (waitsFor === "holders") return `Try again when a request in progress ends, at the latest in ${wait}.`;
  return `Try again in ${wait}.`;
}

type LimitInWords = Pick<LimitReading, "quota" | "unit" | "algorithm" | "windowMs">;

/** `5 requests per minute`, `1 request per second`, `2 at a time`. */
function limitInWords(limit: LimitInWords): string {
  const { quota, unit, algorithm } = limit;
  if (algorithm === "concurrent") return `${quota} at a time`;
  return `${quota} ${quota === 1 ? (singulars.get(unit) ?? unit) : unit} per ${windowInWords(limit)}`;
}

/** Custom units stay as they are, because their singular is not known. */
const singulars: ReadonlyMap<string, string> = new Map([
  ["requests", "request"],
  ["tokens", "token"],
]);

/** Rounds up, so that the wait is never too short. */
function waitInWords(seconds: number): string {
  if (seconds < 120) return counted(seconds, "second");
  if (seconds < 7200) return counted(Math.ceil(seconds / 60), "minute");
  if (seconds < 172_800) return counted(Math.ceil(seconds / 3600), "hour");
  return counted(Math.ceil(seconds / 86_400), "day");
}

function counted(count: number, unit: string): string {
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}
