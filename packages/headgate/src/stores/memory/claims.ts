import {
  beginClaim,
  type Claim,
  type ClaimChange,
  type ClaimRecord,
  changeClaim,
  isClaimOver,
  type KnownClaim,
  meetClaim,
} from "../../core/claim.ts";

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

  change(
    partition: { readonly space: string; readonly key: string },
    change: ClaimChange,
    rid: string,
    raises: boolean,
    now: number,
  ): void {
    const name = nameOf(partition, change.id);
    const known = this.#records.get(name);
    const next = changeClaim(known, change, rid, raises, now);
    if (next === undefined) this.#records.delete(name);
    else if (next !== known) this.#keep(name, next, now);
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
