import { type ClaimChange, withoutRequests } from "../../core/claim.ts";
import { amountsOf, type Cost, spentOf } from "../../core/cost.ts";
import type { Adjustment, Charge, Outcome, Store } from "../../core/store.ts";
import { type Place, reserve } from "./trial.ts";

export interface ClaimantOptions {
  readonly id: string;
  readonly fingerprint?: string;
  readonly result?: string;
  readonly cost?: Cost;
  readonly leaseMs?: number;
}

/**
 * One request that claims an id, with the calls that a limiter makes for it. Its claim is stored with the first place.
 */
export class Claimant {
  readonly rid: string;
  readonly #store: Store;
  readonly #now: () => number;
  readonly #places: readonly Place[];
  readonly #options: Required<ClaimantOptions>;
  #charges: readonly Charge[];
  #attempt = 1;
  #seq = 1;

  constructor(store: Store, now: () => number, places: readonly Place[], options: ClaimantOptions) {
    this.#store = store;
    this.#now = now;
    this.#places = places;
    this.#options = { fingerprint: "body", result: "", cost: {}, leaseMs: 30_000, ...options };
    this.rid = reserve(places).rid;
    const { cost } = this.#options;
    this.#charges = places.map((place): Charge => ({ ...place, ...amountsOf(place.limits, cost) }));
  }

  /** Returns the same request in another store. */
  in(store: Store): Claimant {
    const other = new Claimant(store, this.#now, this.#places, this.#options);
    Object.assign(other, { rid: this.rid });
    return other;
  }

  async ask(): Promise<Outcome> {
    const [{ space, key } = { space: "", key: "" }] = this.#places;
    const { id, fingerprint, result, leaseMs } = this.#options;
    const claim = { space, key, id, fingerprint, result, leaseMs };
    const outcome = await this.#store.decide(
      this.#charges,
      this.#now(),
      false,
      { rid: this.rid, seq: 1 },
      claim,
    );
    if (outcome.attempt !== undefined) this.#attempt = outcome.attempt;
    return outcome;
  }

  /** The number of its attempt, as far as it knows. */
  get attempt(): number {
    return this.#attempt;
  }

  /**
   * @param used how many of the estimated units; the charges are unused if the request ends with nothing.
   * @param unheard whether the reply to its admission was lost.
   */
  async become(
    state: ClaimChange["state"],
    { result = this.#options.result, used = 0, raises = false, unheard = false } = {},
  ): Promise<Outcome> {
    this.#seq += 1;
    const ended = state !== "running";
    const { id, fingerprint, leaseMs } = this.#options;
    const requests = spentOf(this.#options.cost, "requests");
    const charged = this.#attempt > 1 ? withoutRequests(this.#charges) : this.#charges;
    const adjustments = charged.map((charge, c): Adjustment => {
      const { space, key, limits, spends, holds = spends.map(() => 0) } = charge;
      const known = spends.map((amount, g) => amount + (charge.known?.[g] ?? 0));
      const total = known.map((amount, g) => {
        if (state === "nothing") return 0;
        const isPlace = limits.limitsOfGroup[g]?.[0]?.algorithm === "concurrent";
        return amount + ((holds[g] ?? 0) > 0 && !isPlace ? used : 0);
      });
      return {
        space,
        key,
        limits,
        rid: this.rid,
        seq: this.#seq,
        ended,
        raises,
        known: unheard ? known.map(() => 0) : known,
        used: total,
        held: ended ? [] : holds.map((units, g) => Math.max(0, units + (known[g] ?? 0) - (total[g] ?? 0))),
        refunds: [],
        ...(c > 0
          ? {}
          : { claim: { id, fingerprint, leaseMs, result, state, attempt: this.#attempt, requests } }),
      };
    });
    return this.#store.adjust(adjustments, this.#now());
  }
}
