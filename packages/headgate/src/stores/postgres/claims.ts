import type { Claim } from "../../core/claim.ts";
import { withoutRequests } from "../../core/claim.ts";
import { HeadgateError } from "../../core/errors.ts";
import type { Adjustment, Charge, Hold, Outcome } from "../../core/store.ts";
import { decode } from "./decode.ts";
import { type ApplyParameters, encode, type StoreRequest } from "./encode.ts";
import { partitionId } from "./partition-id.ts";
import { adjustLengths } from "./sql/adjust.ts";
import { claimStates } from "./sql/claims.ts";

/** A request that claims an id. It is sent alone, because its data must be on disk before it is answered. */
export interface ClaimRequest {
  readonly charges: readonly Charge[];
  readonly hold: Hold;
  readonly claim: Claim;
}

/** The parameters of the `claim` function. */
export function encodeClaim(
  { charges, hold, claim }: ClaimRequest,
  processNow: number,
  at: number | null,
): (string | null)[] {
  const { fingerprint, result, leaseMs } = claim;
  const paid = encode([{ kind: "admit", charges, hold }], processNow, at);
  // The same partitions, states and limits, in the same order.
  const free = encode([{ kind: "admit", charges: withoutRequests(charges), hold }], processNow, at);
  return [claimId(claim, claim.id), fingerprint, result, hold.rid, String(leaseMs), free[3], ...paid];
}

const knownStates = ["running", "done", "conflict"] as const;

/** @throws HeadgateError if the request failed. */
export function decodeClaim({ charges, hold }: ClaimRequest, text: string, schema: string): Outcome {
  const [attempt = "", state = "", now = ""] = text.split(" ", 3);
  if (attempt === "0") {
    const result = text.slice(attempt.length + state.length + now.length + 3);
    const known = { state: knownStates[Number(state) - 1] ?? "conflict", result };
    return { admitted: false, now: Number(now), readings: [], marks: [], known };
  }
  const request: StoreRequest = { kind: "admit", charges, hold };
  const [outcome] = decode([request], text.slice(attempt.length + 1), schema);
  if (outcome === undefined || outcome instanceof HeadgateError) throw outcome;
  return outcome.admitted ? { ...outcome, attempt: Number(attempt) } : outcome;
}

export function haveClaims(adjustments: readonly Adjustment[]): boolean {
  return adjustments.some(({ claim }) => claim !== undefined);
}

/** The parameters of the `adjust_claims` function. */
export function encodeClaimChanges(
  adjustments: readonly Adjustment[],
  parameters: ApplyParameters,
): (string | null)[] {
  const places = adjustments.some(({ raises }) => raises) ? placesOfKnown(adjustments) : undefined;
  const changes = adjustments.flatMap(({ space, key, rid, raises, claim }) => {
    if (claim === undefined) return [];
    const { id, fingerprint, result, leaseMs, attempt, requests, state } = claim;
    const named = { id: claimId({ space, key }, id), fingerprint, result, rid, lease: leaseMs, attempt };
    const counted = raises ? { requests, places: places?.get(rid) ?? [] } : {};
    return [{ ...named, state: claimStates.indexOf(state) + 1, raises, ...counted }];
  });
  return [JSON.stringify(changes), ...parameters];
}

/** For each reservation: the indexes of its known requests among the numbers of the request, from 1 up. */
function placesOfKnown(adjustments: readonly Adjustment[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  // The first two numbers are the kind and the count.
  let at = 3;
  for (const { rid, limits, refunds } of adjustments) {
    const mine = places.get(rid) ?? [];
    places.set(rid, mine);
    at += adjustLengths.adjustment;
    for (const [g, { unit }] of limits.groups.entries()) {
      if (unit === "requests") mine.push(at + adjustLengths.known);
      const count = refunds.filter(({ group }) => group === g).length;
      at += adjustLengths.group + count * adjustLengths.refund;
    }
  }
  return places;
}

function claimId({ space, key }: { readonly space: string; readonly key: string }, id: string): string {
  return partitionId(space, JSON.stringify([key, id])).id;
}
