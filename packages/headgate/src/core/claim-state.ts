import { type ClaimRecord, changeClaim, claimOverAt, hasCounted, withKnownRequests } from "./claim.ts";
import type { Adjustment } from "./store.ts";

interface Named {
  readonly space: string;
  readonly key: string;
}

/** The new claim, to be stored next to the partitions. */
export interface KeptClaim extends Named {
  readonly state: string | undefined;
  readonly until: number;
}

/**
 * Names the partition in which a claim is stored. Its space is one that no limiter has. If loading takes time, load it
 * together with the request's partitions.
 */
export function claimPartition({ space, key }: Named, id: string): { space: string; key: string } {
  return { space: `claim ${space}`, key: JSON.stringify([key, id]) };
}

export function readClaim(state: string | undefined): ClaimRecord | undefined {
  return state === undefined ? undefined : (JSON.parse(state) as ClaimRecord);
}

export function keepClaim({ space, key }: Named, record: ClaimRecord | undefined, now: number): KeptClaim {
  const state = record && JSON.stringify(record);
  return { space, key, state, until: record === undefined ? now : claimOverAt(record) };
}

/**
 * Applies the claim changes in these adjustments, one after another.
 *
 * @returns the claims, and the adjustments as the holdings must apply them.
 */
export function changeClaims(
  load: (space: string, key: string) => string | undefined,
  adjustments: readonly Adjustment[],
  now: number,
): { kept: KeptClaim[]; counted: readonly Adjustment[] } {
  const kept = new Map<string, KeptClaim>();
  const counted = new Map<string, number>();
  for (const adjustment of adjustments) {
    const { claim, rid, raises } = adjustment;
    if (claim === undefined) continue;
    const place = claimPartition(adjustment, claim.id);
    const name = JSON.stringify([place.space, place.key]);
    const before = kept.has(name) ? kept.get(name)?.state : load(place.space, place.key);
    const known = readClaim(before);
    if (hasCounted(known, adjustment, now)) counted.set(rid, claim.requests);
    const next = changeClaim(known, claim, rid, raises, now);
    if (next !== known) kept.set(name, keepClaim(place, next, now));
  }
  return { kept: [...kept.values()], counted: withKnownRequests(adjustments, counted) };
}
