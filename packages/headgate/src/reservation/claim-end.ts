import type { ClaimEnd } from "../core/admission.ts";
import { checkResult, failClaim } from "../core/claim-text.ts";
import { checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";

/** @throws HeadgateError `option-invalid` */
export function checkClaimEnd(claim: ClaimEnd): void {
  checkOptions("end", claim, ["done", "result"], "option-invalid");
  const { done, result } = claim;
  if (done !== undefined && typeof done !== "boolean")
    failClaim(`done must be true or false, got ${show(done)}.`);
  checkResult(result);
}
