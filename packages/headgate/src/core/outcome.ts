import type { KnownClaim } from "./claim.ts";
import { HeadgateError } from "./errors.ts";
import { blockedForMs } from "./override.ts";
import type { Charge, Outcome, Reading } from "./store.ts";

/**
 * Checks a store's answer. A store that returns an invalid answer counts as failed.
 *
 * @throws HeadgateError `store-state-invalid`, naming what is wrong with the answer.
 */
export function checkOutcome(
  store: string,
  charges: readonly Pick<Charge, "limits">[],
  outcome: Outcome,
): Outcome {
  const fault = faultOf(charges, outcome);
  if (fault === undefined) return outcome;
  throw new HeadgateError("store-state-invalid", `The store "${store}" gave an answer that ${fault}.`);
}

function faultOf(charges: readonly Pick<Charge, "limits">[], outcome: Outcome): string | undefined {
  if (typeof outcome !== "object" || outcome === null) return `is ${String(outcome)}`;
  if (typeof outcome.admitted !== "boolean") return "does not say whether the request is admitted";
  if (!Number.isFinite(outcome.now)) return "does not say when it was decided";
  const { readings, known, attempt } = outcome;
  if (known !== undefined) return claimFaultOf(outcome, known);
  if (attempt !== undefined && !(Number.isSafeInteger(attempt) && attempt > 0))
    return "does not include the number of the attempt at an id";
  if (!Array.isArray(readings) || readings.length !== charges.length) {
    return "does not include readings of every partition";
  }
  let waits = false;
  for (let c = 0; c < charges.length; c += 1) {
    const { limits } = (charges[c] as Pick<Charge, "limits">).limits;
    const read: readonly Reading[] | undefined = readings[c];
    if (!Array.isArray(read) || read.length !== limits.length)
      return "does not include a reading of every limit";
    for (let l = 0; l < read.length; l += 1) {
      const { remaining, waitMs, resetMs } = read[l] as Reading;
      if (!(remaining >= 0 && waitMs >= 0 && resetMs >= 0))
        return "has a reading without the remaining units, the wait or the reset";
      if (waitMs > 0) waits = true;
    }
  }
  const { refusedFor, overrides } = outcome;
  if (!outcome.admitted && !waits && refusedFor === undefined)
    return "refuses a request although no limit refuses it";
  if (refusedFor === "blocked" || refusedFor === "overridden") {
    if (!Array.isArray(overrides) || overrides.length !== charges.length) {
      return "does not include the overrides in force";
    }
    if (refusedFor === "blocked" && blockedForMs(outcome) <= 0)
      return "refuses a request as blocked although no block is in force";
  }
  return undefined;
}

function claimFaultOf({ admitted }: Outcome, { state, result }: KnownClaim): string | undefined {
  if (admitted) return "admits a request whose id is claimed";
  if (state !== "running" && state !== "done" && state !== "conflict")
    return "does not include the state of an id that is claimed";
  return typeof result === "string" ? undefined : "has a result of an id that is not text";
}
