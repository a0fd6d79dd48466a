import type { Adjustment, Charge } from "./store.ts";

/**
 * The claim of a request's id: which reservation answers the request, and whether the answer is complete. All
 * transitions are pure: they know no store and no clock.
 */
export interface ClaimRecord {
  /** Identifies the body of the request. */
  readonly fingerprint: string;
  /** The reservation that owns the claim. No other reservation changes it. */
  readonly rid: string;
  /** The number of the attempt, from 1 up. */
  readonly attempt: number;
  readonly done: boolean;
  /** While running: the end of its lease. Once done: the end of the claim. The store's time, ms. */
  readonly until: number;
  /** A reference to the answer; empty if there is none. */
  readonly result: string;
}

/** A request with an id. Of all requests with the same id, one is admitted. */
export interface Claim {
  /** The partition that the claim is kept with. */
  readonly space: string;
  readonly key: string;
  readonly id: string;
  readonly fingerprint: string;
  readonly result: string;
  /** How long the claim lasts without a heartbeat, ms. */
  readonly leaseMs: number;
}

/** A change of a claim by its reservation. Applying it twice has the same result as once. */
export interface ClaimChange extends Omit<Claim, "space" | "key"> {
  /** As far as the reservation knows: if the reply to a take-over was lost, the store's record says more. */
  readonly attempt: number;
  /** The requests that the reservation's admission was to pay for. */
  readonly requests: number;
  /**
   * `running`: the lease begins again. `done`: the request was answered. `unfinished`: the next attempt takes over
   * immediately. `nothing`: the request was refunded, as if it had never been admitted.
   */
  readonly state: "running" | "done" | "unfinished" | "nothing";
}

/** What a store already knows of an id. */
export interface KnownClaim {
  readonly state: "running" | "done" | "conflict";
  readonly result: string;
}

/** How long an id is remembered after its answer, or after its owner's lease, ms. */
export const claimKeptMs = 86_400_000;
/** Replaces the owner when it has ended, so that its late or repeated calls change nothing. */
export const nobody = "0";
/** One charge pays for this many attempts at an id. */
export const mostClaimAttempts = 3;

/**
 * Decides what the claim of its id means for a request.
 *
 * @param rid the request's own reservation.
 * @returns the known claim, which answers the request; or the number of the attempt, if the request must be decided.
 */
export function meetClaim(
  record: ClaimRecord | undefined,
  { fingerprint }: Pick<Claim, "fingerprint">,
  rid: string,
  now: number,
): KnownClaim | number {
  if (record === undefined || isClaimOver(record, now)) return 1;
  const { result } = record;
  // This call is repeated: the store has its reservation, and admits it again without a charge.
  if (record.rid === rid && !record.done) return record.attempt;
  if (record.fingerprint !== fingerprint) return { state: "conflict", result: "" };
  if (record.done) return { state: "done", result };
  if (record.until > now) return { state: "running", result };
  return record.attempt < mostClaimAttempts ? record.attempt + 1 : 1;
}

/** Returns the claim of a request that was admitted. */
export function beginClaim(claim: Claim, rid: string, attempt: number, now: number): ClaimRecord {
  const { fingerprint, result, leaseMs } = claim;
  return { fingerprint, rid, attempt, done: false, until: now + leaseMs, result };
}

/**
 * @param rid the reservation that changes the claim. If another reservation has taken over, nothing changes.
 * @returns the new record; the same one if nothing changes.
 */
export function changeClaim(
  record: ClaimRecord | undefined,
  change: ClaimChange,
  rid: string,
  raises: boolean,
  now: number,
): ClaimRecord | undefined {
  const { fingerprint, result, attempt, leaseMs, state } = change;
  const known = record === undefined || isClaimOver(record, now) ? undefined : record;
  if (known !== undefined && (known.rid !== rid || known.done)) return known;
  const changed = { fingerprint, rid, attempt: known?.attempt ?? attempt, result };
  switch (state) {
    case "done":
      return { ...changed, done: true, until: now + claimKeptMs };
    case "running":
      // A request that was admitted during an outage is not known to the store yet.
      if (known === undefined && !raises) return undefined;
      return { ...changed, done: false, until: Math.max(known?.until ?? 0, now + leaseMs) };
    case "unfinished":
      return known && { ...known, rid: nobody, until: Math.min(known.until, now) };
    case "nothing":
      // The first of several attempts has paid: the next attempt must not pay again.
      if (known === undefined || known.attempt === 1) return undefined;
      return { ...known, rid: nobody, attempt: known.attempt - 1, until: Math.min(known.until, now) };
  }
}

/** Returns the time from which the record is ignored. */
export function claimOverAt({ done, until }: Pick<ClaimRecord, "done" | "until">): number {
  return done ? until : until + claimKeptMs;
}

export function isClaimOver(record: ClaimRecord, now: number): boolean {
  return claimOverAt(record) <= now;
}

/**
 * Whether the requests of an attempt are paid for already: by an earlier attempt, or by this call, which is repeated
 * after the store has forgotten the reservation.
 */
export function isPaid(record: ClaimRecord | undefined, rid: string, attempt: number, now: number): boolean {
  return attempt > 1 || isOwner(record, rid, now);
}

/**
 * Returns the charges of an attempt whose requests are paid for. The requests are stated as known, so that a process
 * that does not know of the payment reports the same total as one that does.
 */
export function withoutRequests(charges: readonly Charge[]): Charge[] {
  return charges.map((charge) => {
    const { limits, needs, spends, known } = charge;
    const isRequests = (g: number) => limits.groups[g]?.unit === "requests";
    const free = (amounts: readonly number[]) => amounts.map((amount, g) => (isRequests(g) ? 0 : amount));
    const paid = spends.map((amount, g) => (known?.[g] ?? 0) + (isRequests(g) ? amount : 0));
    return { ...charge, needs: free(needs), spends: free(spends), known: paid };
  });
}

/** Whether the claim shows that the store has counted the requests of this reservation, even if it has no entry of it. */
export function hasCounted(
  record: ClaimRecord | undefined,
  { rid, raises }: Adjustment,
  now: number,
): boolean {
  return raises && isOwner(record, rid, now);
}

function isOwner(record: ClaimRecord | undefined, rid: string, now: number): boolean {
  return record?.rid === rid && !isClaimOver(record, now);
}

/**
 * States the requests of these reservations as known.
 *
 * @param counted the reservations, and how many requests the store has counted.
 */
export function withKnownRequests(
  adjustments: readonly Adjustment[],
  counted: ReadonlyMap<string, number>,
): readonly Adjustment[] {
  if (counted.size === 0) return adjustments;
  return adjustments.map((adjustment) => withKnown(adjustment, counted.get(adjustment.rid) ?? 0));
}

/** States at least this many requests as known. */
export function withKnown<Reported extends Adjustment>(adjustment: Reported, least: number): Reported {
  if (least === 0) return adjustment;
  const { limits, known } = adjustment;
  const stated = known.map((amount, g) =>
    limits.groups[g]?.unit === "requests" ? Math.max(amount, least) : amount,
  );
  return { ...adjustment, known: stated };
}
