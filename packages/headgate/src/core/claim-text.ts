import { HeadgateError } from "./errors.ts";
import { show } from "./show.ts";

/** The maximum length of a result, in UTF-8 bytes. */
const longestResult = 256;

const encoder = new TextEncoder();

/** @throws HeadgateError `option-invalid` */
export function checkResult(result: unknown): void {
  if (result === undefined) return;
  if (isClaimText(result, 0, longestResult) && encoder.encode(result).length <= longestResult) return;
  failClaim(`result must be text of up to ${longestResult} bytes, got ${show(result)}.`);
}

/**
 * Whether a value is text that every store can keep: databases cannot store a zero character or half of a surrogate
 * pair.
 */
export function isClaimText(given: unknown, fewest: number, most: number): given is string {
  if (typeof given !== "string" || given.length < fewest || given.length > most) return false;
  return !given.includes("\u0000") && (given as string & { isWellFormed(): boolean }).isWellFormed();
}

export function failClaim(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
