import type { Claim } from "../../core/claim.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import type { Ledger } from "../../core/ruling.ts";
import type { Adjustment, Charge, Hold, Outcome } from "../../core/store.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { wholeOf } from "../share.ts";
import { Account, type AccountServices, type Place } from "./account.ts";

export interface Reconciling extends AccountServices {
  /** How many partitions are remembered at most. */
  readonly most: number;
}

/**
 * Counts in this process while the store cannot, and remembers what has to be sent to the store. It does so by partition,
 * so that a thousand requests of one caller are one change.
 */
export class LocalLedger implements Ledger {
  readonly #memory = memoryStore();
  readonly #reconciling: Reconciling | undefined;
  readonly #accounts = new Map<string, Account>();

  /** @param reconciling absent if nothing is sent to a store afterwards. */
  constructor(reconciling: Reconciling | undefined) {
    this.#reconciling = reconciling;
  }

  /** The store that gets what this process admits for reservations that hold something: the reservations send it themselves. */
  get upstream(): Ledger | undefined {
    return this.#reconciling?.store;
  }

  decide(charges: readonly Charge[], now: number, peek: boolean, hold?: Hold, claim?: Claim): Outcome {
    const outcome = this.#memory.decide(charges, now, peek, hold, claim);
    if (!outcome.admitted || peek || hold !== undefined) return outcome;
    for (const charge of charges) this.#note(charge, charge.spends, now);
    return outcome;
  }

  adjust(adjustments: readonly Adjustment[], now: number): Outcome {
    const outcome = this.#memory.adjust(adjustments, now);
    for (const adjustment of adjustments) {
      if (!adjustment.raises) this.#change(adjustment, now);
    }
    return outcome;
  }

  /** Forgets the units that these partitions spent in this process. They are not sent to the store any more. */
  reset(partitions: readonly Place[], now: number): void {
    this.#memory.reset(partitions, now);
    for (const { space, key } of partitions) {
      const suffix = `\u0000${space}\u0000${key}`;
      for (const [id, account] of this.#accounts) if (id.endsWith(suffix)) account.forget(now);
    }
  }

  #change(adjustment: Adjustment, now: number): void {
    const { known, used, refunds } = adjustment;
    this.#note(
      adjustment,
      used.map((amount, g) => Math.max(0, amount - (known[g] ?? 0))),
      now,
    );
    used.forEach((amount, g) => {
      let left = (known[g] ?? 0) - amount;
      for (const refund of refunds) {
        if (refund.group !== g || left <= 0) continue;
        const given = Math.min(left, refund.amount);
        this.#accounts.get(idOf(adjustment))?.refund({ ...refund, amount: given });
        left -= given;
      }
    });
  }

  #note(place: Place, spends: readonly number[], now: number): void {
    const reconciling = this.#reconciling;
    if (reconciling === undefined || !spends.some((amount) => amount > 0)) return;
    const whole = { space: place.space, key: place.key, limits: wholeOf(place.limits) };
    this.#accountOf(whole, now, reconciling).spend(now, spends);
  }

  #accountOf(place: Place, now: number, reconciling: Reconciling): Account {
    const id = idOf(place);
    let account = this.#accounts.get(id);
    if (account === undefined) {
      makeRoom(this.#accounts, reconciling.most, (one) => one.prune(now));
      account = new Account(place, reconciling);
      this.#accounts.set(id, account);
    }
    return account;
  }
}

/**
 * Each new item checks the two oldest, so that expired items are removed without a timer. A removed item is still sent
 * to the store if that is due, but it cannot be given back any more.
 */
function makeRoom<Item>(items: Map<string, Item>, most: number, isOver: (item: Item) => boolean): void {
  let looks = 2;
  for (const [id, item] of items) {
    const full = items.size >= most;
    if (looks === 0 && !full) return;
    looks = Math.max(0, looks - 1);
    if (isOver(item) || full) items.delete(id);
  }
}

/** Limits may differ by caller and over time: each set of limits is counted separately. */
const numbers = new WeakMap<LimitSet, number>();
let next = 0;

function numberOf(limits: LimitSet): number {
  let number = numbers.get(limits);
  if (number === undefined) {
    next += 1;
    number = next;
    numbers.set(limits, number);
  }
  return number;
}

function idOf({ space, key, limits }: Place): string {
  return `${numberOf(wholeOf(limits))}\u0000${space}\u0000${key}`;
}
