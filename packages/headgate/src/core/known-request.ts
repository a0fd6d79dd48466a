import type { Known } from "./admission.ts";
import type { KnownClaim } from "./claim.ts";
import type { Ruling } from "./ruling.ts";

/** A request whose id is claimed already. A plain object: it says little, and is logged as it is. */
export function knownRequest({ outcome, decidedBy }: Ruling, { state, result }: KnownClaim): Known {
  return {
    admitted: false,
    reason: "known",
    state,
    result: result === "" ? undefined : result,
    at: outcome.now,
    shared: decidedBy !== "outage-policy",
  };
}
