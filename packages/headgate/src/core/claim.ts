import type { Charge } from "./store.ts";

/**
 * The claim of a message id: who answers it, and whether that is done. All transitions are pure: they know no store and no clock.
 */
export interface ClaimRecord {
  /** What tells the body of the request from others. */
  readonly fingerprint: string;
  /** The reservation that owns it: nobody else changes it. */
  readonly rid: string;
  /** The how manieth try this is, from 1 up. */
  readonly attempt: number;
  readonly done: boolean;
  /** While running: the end of its lease. Once done: the end of the claim. The store's time, ms. */
  readonly until: number;
  /** A reference to the answer; empty where none was given. */
  readonly result: string;
}

/** A request that names itself: of all with the same id, one is admitted. */
export interface Claim {
  /** The partition that it is kept with. */
  readonly space: string;
  readonly key: string;
  readonly id: string;
  readonly fingerprint: string;
  readonly result: string;
  /** How long it is owned without a heartbeat, ms. */
  readonly leaseMs: number;
}

/** What becomes of a claim with its reservation. Applied once or several times, it comes to the same. */
export interface ClaimChange extends Omit<Claim, "space" | "key"> {
  readonly attempt: number;
  /**
   * `running`: its lease begins anew. `done`: it is answered. `unfinished`: the next try takes over at once. `nothing`: its
   * request was given back, as if it had never been.
   */
  readonly state: "running" | "done" | "unfinished" | "nothing";
}

/** What a store knows of an id already. */
export interface KnownClaim {
  readonly state: "running" | "done" | "conflict";
  readonly result: string;
}

/** So long an answered id is known, ms; and one whose owner is gone. */
export const claimKeptMs = 86_400_000;
/** In place of an owner that has ended: what it says late, or twice, changes nothing any more. */
export const nobody = "0";
/** So many tries of one id are paid once. */
export const mostClaimAttempts = 3;

/**
 * How a request meets what is kept of its id.
 *
 * @param rid its own reservation.
 * @returns what is known; or which attempt it is, if it is to be decided.
 */
export function meetClaim(
  record: ClaimRecord | undefined,
  { fingerprint }: Pick<Claim, "fingerprint">,
  rid: string,
  now: number,
): KnownClaim | number {
  if (record === undefined || isClaimOver(record, now)) return 1;
  const { result } = record;
  // The same call once more: the store has its reservation, and admits it again without a charge.
  if (record.rid === rid && !record.done) return record.attempt;
  if (record.fingerprint !== fingerprint) return { state: "conflict", result: "" };
  if (record.done) return { state: "done", result };
  if (record.until > now) return { state: "running", result };
  return record.attempt < mostClaimAttempts ? record.attempt + 1 : 1;
}

/** The request was admitted. */
export function beginClaim(claim: Claim, rid: string, attempt: number, now: number): ClaimRecord {
  const { fingerprint, result, leaseMs } = claim;
  return { fingerprint, rid, attempt, done: false, until: now + leaseMs, result };
}

/**
 * @param rid the reservation that changes it. One that another has taken over changes nothing.
 * @returns what is kept from then on: the same record where nothing changes.
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
  const changed = { fingerprint, rid, attempt, result };
  switch (state) {
    case "done":
      return { ...changed, done: true, until: now + claimKeptMs };
    case "running":
      // What was admitted while the store could not be asked is not known there yet.
      if (known === undefined && !raises) return undefined;
      return { ...changed, done: false, until: Math.max(known?.until ?? 0, now + leaseMs) };
    case "unfinished":
      return known && { ...known, rid: nobody, until: Math.min(known.until, now) };
    case "nothing":
      // The first of several attempts has paid: the next one must not pay again.
      if (known === undefined || known.attempt === 1) return undefined;
      return { ...known, rid: nobody, attempt: known.attempt - 1, until: Math.min(known.until, now) };
  }
}

/** From then on it is worth no more than none. */
export function claimOverAt({ done, until }: Pick<ClaimRecord, "done" | "until">): number {
  return done ? until : until + claimKeptMs;
}

export function isClaimOver(record: ClaimRecord, now: number): boolean {
  return claimOverAt(record) <= now;
}

/** What a try that takes over is charged: an earlier one has paid its requests. */
export function withoutRequests(charges: readonly Charge[]): Charge[] {
  return charges.map((charge) => {
    const { limits, needs, spends } = charge;
    const free = (amounts: readonly number[]) =>
      amounts.map((amount, g) => (limits.groups[g]?.unit === "requests" ? 0 : amount));
    return { ...charge, needs: free(needs), spends: free(spends) };
  });
}
