import type { Adjustment } from "../../core/store.ts";

/** Beyond this many, the general way costs less for each. */
const mostTogether = 8;

/**
 * Whether adjustments probably only renew the leases of one or a few holds, as a heartbeat does: then the stores try a
 * shorter way first. It compares the totals with what is stored, and leaves everything else to the general way.
 */
export function areRenewals(adjustments: readonly Adjustment[]): boolean {
  if (adjustments.length > mostTogether) return false;
  return adjustments.every(({ space, key, ended, raises, known, used, claim }, a) => {
    if (ended || raises || claim !== undefined) return false;
    if (used.some((total, g) => total !== known[g])) return false;
    return adjustments.findIndex((other) => other.key === key && other.space === space) === a;
  });
}
