import type { Admission, Known } from "./admission.ts";
import type { KnownClaim } from "./claim.ts";
import type { Ruling } from "./ruling.ts";

export function isKnown(answer: Admission | Known): answer is Known {
  return !answer.admitted && answer.reason === "known";
}

/** A request whose id is already claimed. It is a plain object, so it is logged as it is. */
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
