import {
  beginClaim,
  type Claim,
  type ClaimChange,
  type ClaimRecord,
  changeClaim,
  hasCounted,
  isClaimOver,
  isPaid,
  type KnownClaim,
  meetClaim,
  withKnownRequests,
} from "../../core/claim.ts";
import type { Adjustment } from "../../core/store.ts";

/** The maximum number of known ids. Beyond it, the oldest are forgotten: a retry of one is then charged as a new request. */
const mostClaims = 100_000;

/** The ids that requests have claimed. */
export class Claims {
  readonly #most: number;
  readonly #records = new Map<string, ClaimRecord>();

  constructor(most = mostClaims) {
    this.#most = most;
  }

  get size(): number {
    return this.#records.size;
  }

  meet(claim: Claim, rid: string, now: number): KnownClaim | number {
    return meetClaim(this.#records.get(nameOf(claim, claim.id)), claim, rid, now);
  }

  begin(claim: Claim, rid: string, attempt: number, now: number): void {
    this.#keep(nameOf(claim, claim.id), beginClaim(claim, rid, attempt, now), now);
  }

  /** Whether the requests of the attempt that has met the claim are paid for already. */
  isPaid(claim: Claim, rid: string, attempt: number, now: number): boolean {
    return isPaid(this.#records.get(nameOf(claim, claim.id)), rid, attempt, now);
  }

  /** Changes the claims of these adjustments. Returns the adjustments as the holdings must apply them. */
  change(adjustments: readonly Adjustment[], now: number): readonly Adjustment[] {
    let counted: Map<string, number> | undefined;
    for (const adjustment of adjustments) {
      const { claim, rid } = adjustment;
      if (claim === undefined || !this.#change(adjustment, claim, now)) continue;
      counted ??= new Map();
      counted.set(rid, claim.requests);
    }
    return counted === undefined ? adjustments : withKnownRequests(adjustments, counted);
  }

  /** @returns whether the requests of the reservation have been counted. */
  #change(adjustment: Adjustment, change: ClaimChange, now: number): boolean {
    const name = nameOf(adjustment, change.id);
    const known = this.#records.get(name);
    const next = changeClaim(known, change, adjustment.rid, adjustment.raises, now);
    if (next === undefined) this.#records.delete(name);
    else if (next !== known) this.#keep(name, next, now);
    return hasCounted(known, adjustment, now);
  }

  /** Each new claim checks the two oldest, so that expired claims are removed without a timer. */
  #keep(name: string, record: ClaimRecord, now: number): void {
    this.#records.delete(name);
    let looks = 2;
    for (const [old, kept] of this.#records) {
      const isFull = this.#records.size >= this.#most;
      if (looks <= 0 && !isFull) break;
      looks -= 1;
      if (isFull || isClaimOver(kept, now)) this.#records.delete(old);
    }
    this.#records.set(name, record);
  }
}

/** Different partitions and ids have different names: each text is written with its quotes. */
function nameOf({ space, key }: { readonly space: string; readonly key: string }, id: string): string {
  return JSON.stringify([space, key, id]);
}
