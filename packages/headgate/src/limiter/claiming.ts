import type { Claim } from "../core/claim.ts";
import { checkResult, failClaim, isClaimText } from "../core/claim-text.ts";
import { HeadgateError } from "../core/errors.ts";
import type { Question } from "../core/ruling.ts";
import { isSharedKey } from "../core/shared-keys.ts";
import { show } from "../core/show.ts";
import type { Charge } from "../core/store.ts";
import { mintRid } from "../reservation/rid.ts";
import type { ClaimOptions } from "./contract.ts";

const longestId = 256;
const longestFingerprint = 256;

/** @throws HeadgateError `option-invalid`, also for a fingerprint or a result without an id. */
export function checkClaim(options: Partial<ClaimOptions>, storeName: string, keepsClaims: boolean): void {
  const { id, fingerprint = "", result } = options;
  if (!isClaimText(id, 1, longestId))
    failClaim(`id must be text of 1 to ${longestId} characters, got ${show(id)}.`);
  if (!isClaimText(fingerprint, 0, longestFingerprint))
    failClaim(
      `fingerprint must be text of up to ${longestFingerprint} characters, got ${show(fingerprint)}.`,
    );
  checkResult(result);
  if (keepsClaims) return;
  throw new HeadgateError(
    "store-invalid",
    `The store "${storeName}" keeps no ids of requests: it does not say claims: true. See docs/writing-a-store.md.`,
  );
}

/**
 * The same request, which claims its id in the first layer. If that layer does not apply or could not identify the
 * caller, the id is not claimed: unrelated callers share no ids, and a later layer may count them together.
 *
 * @param firstLayer the first layer of the policy
 */
export function claiming(
  question: Question,
  { id, fingerprint = "", result = "" }: ClaimOptions,
  firstLayer: string | undefined,
): Question {
  const { charges, layers } = question;
  const [first] = charges;
  if (first === undefined || layers[0] !== firstLayer || isSharedKey(first.key)) return question;
  const { space, key } = first;
  const claim: Claim = { space, key, id, fingerprint, result, leaseMs: leaseOf(charges) };
  return { ...question, claim, hold: question.hold ?? { rid: mintRid(), seq: 1 } };
}

function leaseOf(charges: readonly Charge[]): number {
  return Math.min(...charges.map(({ limits }) => limits.leaseMs));
}
