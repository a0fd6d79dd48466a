import { isClaimText } from "../../core/claim-text.ts";
import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { reportTo } from "../../core/for-adapters.ts";

/** How a request names itself. */
export interface RequestId {
  /** Such as the field `Idempotency-Key`. Without one, or with one of over 256 characters, the request has no id. */
  readonly id: string | null | undefined;
  /** What tells its body from others: see `ClaimOptions`. */
  readonly fingerprint?: string;
  /** A reference to the answer while it is under way: see `ClaimOptions`. */
  readonly result?: string;
}

/** A request id that a limiter takes. */
export interface CheckedId extends RequestId {
  readonly id: string;
}

/** What a limiter can be asked with. A client's own text is no mistake of the service: where it is none, there is no id. */
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
