import type { Admission, Known } from "./admission.ts";
import type { KnownClaim } from "./claim.ts";
import type { Ruling } from "./ruling.ts";

export function isKnown(answer: Admission | Known): answer is Known {
  return !answer.admitted && answer.reason === "known";
}

/** Returns the answer to a request whose id is already claimed, as a plain object. */
export function knownRequest({ outcome, decidedBy }: Ruling, { state, result }: KnownClaim): Known {
  return {
    admitted: false,
    reason: "known",
    state,
    result: result === "" ? undefined : result,
    at: outcome.now,
    decidedBy,
  };
}
