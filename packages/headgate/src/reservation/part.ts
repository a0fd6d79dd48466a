import type { Claim, ClaimChange } from "../core/claim.ts";
import type { Ledger } from "../core/ruling.ts";
import type { Adjustment, Charge, Outcome, Refund } from "../core/store.ts";

/** A partition and the limits that count it. */
export type Counted = Pick<Charge, "space" | "key" | "limits">;

/** For each charge, for each of its groups. */
export type Amounts = readonly (readonly number[])[];

/** What a reservation has used and holds, in totals. */
export interface Totals {
  readonly used: Amounts;
  readonly held: Amounts;
}

/**
 * What one ledger knows of a reservation, as admitted or last acknowledged. Most reservations have one part. A
 * reservation that was admitted or extended while the store could not answer has another part in this process.
 */
export class Part {
  readonly ledger: Ledger;
  readonly rid: string;
  readonly counted: readonly Counted[];
  readonly used: number[][];
  readonly held: number[][];
  /** The charges that can be given back, newest first. */
  readonly refunds: Refund[][];
  /** The claim that this ledger keeps for the reservation. */
  readonly claim: Claim | undefined;
  readonly attempt: number;
  readonly #claimPlace: number;
  /** The requests that its admission was to pay for. */
  readonly #requests: number;
  /** Whether the ledger has been asked anything of it since. */
  isAsked = false;
  /** Whether the ledger may have other totals than it has acknowledged. */
  inDoubt = false;
  /** Whether the reply to its admission was lost, so that it is not known when its requests were charged, if ever. */
  wasLost = false;
  /** The highest sequence number of an answered call. */
  #answeredSeq = 0;
  /** The version of the totals that the ledger has acknowledged. */
  acknowledgedVersion = 0;

  /** @param claim kept with one of the partitions that are counted. */
  constructor(
    ledger: Ledger,
    rid: string,
    counted: readonly Charge[],
    claim?: Claim | undefined,
    attempt = 1,
  ) {
    this.claim = claim;
    this.attempt = attempt;
    this.#requests = requestsOf(counted);
    this.#claimPlace = counted.findIndex(({ space, key }) => space === claim?.space && key === claim.key);
    this.ledger = ledger;
    this.rid = rid;
    this.counted = counted;
    // The first attempt at the id has paid for the requests.
    this.used =
      attempt > 1
        ? counted.map(({ spends, known }) => spends.map((_, g) => known?.[g] ?? 0))
        : blank(counted);
    this.held = blank(counted);
    this.refunds = counted.map(() => []);
  }

  get holds(): boolean {
    return this.claim !== undefined || this.held.some((amounts) => amounts.some((amount) => amount > 0));
  }

  /** Whether the ledger may have other totals than these. */
  differs({ used, held }: Totals): boolean {
    if (this.inDoubt) return true;
    return this.used.some((amounts, c) =>
      amounts.some((amount, g) => amount !== used[c]?.[g] || this.held[c]?.[g] !== (held[c]?.[g] ?? 0)),
    );
  }

  /** The adjustments to send to the ledger. */
  adjustments(
    { used, held }: Totals,
    seq: number,
    ended: boolean,
    raises: boolean,
    claimEnd: ClaimChange["state"],
    result: string | undefined,
  ): Adjustment[] {
    return this.counted.map(({ space, key, limits }, c) => ({
      space,
      key,
      limits,
      ...(this.claim === undefined || c !== this.#claimPlace
        ? {}
        : { claim: this.#changeOf(this.claim, claimEnd, result) }),
      rid: this.rid,
      seq,
      ended,
      raises,
      known: [...(this.used[c] ?? [])],
      used: [...(used[c] ?? [])],
      held: ended ? limits.groups.map(() => 0) : [...(held[c] ?? [])],
      refunds: [...(this.refunds[c] ?? [])],
    }));
  }

  #changeOf(claim: Claim, state: ClaimChange["state"], result = claim.result): ClaimChange {
    const { id, fingerprint, leaseMs } = claim;
    return { id, fingerprint, leaseMs, attempt: this.attempt, requests: this.#requests, state, result };
  }

  /**
   * It has been admitted, or extended: records what was spent at once and what is held now.
   *
   * @param seq the sequence number of the call.
   */
  admitted(charges: readonly Charge[], outcome: Outcome, seq: number): void {
    this.#answeredSeq = Math.max(this.#answeredSeq, seq);
    charges.forEach(({ spends, holds }, c) => {
      spends.forEach((amount, g) => {
        this.#note(c, g, (this.used[c]?.[g] ?? 0) + amount, outcome);
        (this.held[c] as number[])[g] = holds?.[g] ?? 0;
      });
    });
  }

  /** Whether a newer call has been answered already, such as a report made while a heartbeat was under way. */
  isOutdated([first]: readonly Adjustment[]): boolean {
    return first !== undefined && first.seq < this.#answeredSeq;
  }

  /** Records that the ledger has applied these adjustments. */
  applied(adjustments: readonly Adjustment[], outcome: Outcome): void {
    const isUnknown = this.wasLost && this.claim !== undefined && this.#answeredSeq === 0;
    this.#answeredSeq = Math.max(this.#answeredSeq, adjustments[0]?.seq ?? 0);
    this.inDoubt = false;
    adjustments.forEach(({ used, held }, c) => {
      used.forEach((total, g) => {
        if (isUnknown && isRequests(this.counted, c, g)) (this.used[c] as number[])[g] = total;
        else this.#note(c, g, total, outcome);
        (this.held[c] as number[])[g] = held[g] ?? 0;
      });
    });
  }

  #note(c: number, g: number, total: number, { now, marks }: Outcome): void {
    const used = this.used[c] as number[];
    let change = total - (used[g] ?? 0);
    used[g] = total;
    const refunds = this.refunds[c] as Refund[];
    if (change > 0) {
      refunds.unshift({ group: g, amount: change, chargedAt: now, mark: marks[c]?.[g] ?? 0 });
      if (refunds.length > mostRefunds * used.length) refunds.pop();
      return;
    }
    for (const [n, refund] of refunds.entries()) {
      if (refund.group !== g || change === 0) continue;
      const given = Math.min(-change, refund.amount);
      change += given;
      refunds[n] = { ...refund, amount: refund.amount - given };
    }
  }
}

/** How many charges of each group are remembered for refunds. A shrinking total usually refunds the last charge. */
const mostRefunds = 16;

function isRequests(counted: readonly Counted[], c: number, g: number): boolean {
  return counted[c]?.limits.groups[g]?.unit === "requests";
}

function requestsOf(charges: readonly Charge[]): number {
  let most = 0;
  for (const [c, { spends, known }] of charges.entries()) {
    for (const [g, amount] of spends.entries())
      if (isRequests(charges, c, g)) most = Math.max(most, amount + (known?.[g] ?? 0));
  }
  return most;
}

export function blank(counted: readonly Counted[]): number[][] {
  return counted.map(({ limits }) => limits.groups.map(() => 0));
}
