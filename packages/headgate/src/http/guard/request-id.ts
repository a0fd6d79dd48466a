import { isClaimText } from "../../core/claim-text.ts";
import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { reportTo } from "../../core/for-adapters.ts";

/** The id of a request. */
export interface RequestId {
  /**
   * For example the field `Idempotency-Key`. If it is missing or has more than 256 characters, the request has no id.
   */
  readonly id: string | null | undefined;
  /** Distinguishes the request's body from others: see `ClaimOptions`. */
  readonly fingerprint?: string;
  /** A reference to the answer while it is in progress: see `ClaimOptions`. */
  readonly result?: string;
}

/** An id that a limiter accepts. */
export interface CheckedId extends RequestId {
  readonly id: string;
}

/**
 * The id for the limiter. An invalid text from a client is not a mistake of the service: the request then has no id.
 */
export function checkedId(limiter: object, given: RequestId | undefined): CheckedId | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given !== "object") {
    const message = `idempotency of rateLimit returned ${describe(given)}: return { id }, or nothing. The request has no id.`;
    reportTo(limiter, new HeadgateError("option-invalid", message));
    return undefined;
  }
  const { id } = given;
  return isClaimText(id, 1, 256) ? { ...given, id } : undefined;
}
