import type { LimitGroup, LimitSet } from "../core/limit-set.ts";
import type { Ledger } from "../core/ruling.ts";
import type { Adjustment, Charge, Outcome } from "../core/store.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { Account, type AccountServices, type Place } from "./account.ts";
import { Lease } from "./lease.ts";
import { wholeOf } from "./share.ts";

export interface Reconciling extends AccountServices {
  /** So many partitions, and so many leases, are remembered at most. */
  readonly most: number;
}

/**
 * Counts in this process while the store cannot, and remembers what the store has to be told of: by partition, so
 * that a caller who asks a thousand times is told of once.
 */
export class LocalLedger implements Ledger {
  readonly #memory = memoryStore();
  readonly #reconciling: Reconciling | undefined;
  readonly #accounts = new Map<string, Account>();
  readonly #leases = new Map<string, Lease>();

  /** @param reconciling absent where nobody is to be told afterwards. */
  constructor(reconciling: Reconciling | undefined) {
    this.#reconciling = reconciling;
  }

  decide(charges: readonly Charge[], now: number, peek: boolean): Outcome {
    const outcome = this.#memory.decide(charges, now, peek);
    if (!outcome.admitted || peek) return outcome;
    charges.forEach((charge, c) => {
      this.#note(charge, charge.spends, now, outcome.marks[c] ?? []);
    });
    return outcome;
  }

  adjust(adjustments: readonly Adjustment[], now: number): Outcome {
    const outcome = this.#memory.adjust(adjustments, now);
    adjustments.forEach((adjustment, a) => {
      for (const { group, amount, chargedAt, mark } of adjustment.refunds) {
        if (isLeased(adjustment.limits.groups[group])) {
          this.#leases.get(leaseId(adjustment, group, mark))?.refund(amount);
        } else this.#accounts.get(idOf(adjustment))?.refund(group, amount, chargedAt);
      }
      for (const { group, mark } of adjustment.renewals) {
        this.#leases.get(leaseId(adjustment, group, mark))?.renew(now);
      }
      this.#note(adjustment, adjustment.spends, now, outcome.marks[a] ?? []);
    });
    return outcome;
  }

  /** Forgets what these partitions spent here. The store is not told of it any more. */
  reset(partitions: readonly Place[], now: number): void {
    this.#memory.reset(partitions, now);
    for (const { space, key } of partitions) {
      const suffix = `\u0000${space}\u0000${key}`;
      for (const [id, account] of this.#accounts) {
        if (!id.endsWith(suffix)) continue;
        account.forget();
        this.#accounts.delete(id);
      }
      for (const [id, lease] of this.#leases) {
        if (!id.endsWith(suffix)) continue;
        lease.refund(Number.MAX_SAFE_INTEGER);
        this.#leases.delete(id);
      }
    }
  }

  #note(place: Place, spends: readonly number[], now: number, marks: readonly number[]): void {
    const reconciling = this.#reconciling;
    if (reconciling === undefined) return;
    const { groups } = place.limits;
    const whole = { space: place.space, key: place.key, limits: wholeOf(place.limits) };
    const amounts = spends.map((amount, g) => (isLeased(groups[g]) ? 0 : amount));
    if (amounts.some((amount) => amount > 0)) this.#accountOf(whole, now, reconciling).spend(now, amounts);
    spends.forEach((amount, g) => {
      if (amount === 0 || !isLeased(groups[g])) return;
      makeRoom(this.#leases, reconciling.most, (lease) => lease.isOver(now));
      this.#leases.set(leaseId(whole, g, marks[g] ?? 0), new Lease(whole, g, amount, now, reconciling));
    });
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
 * Whoever comes new looks at the two oldest, so that what is over goes without a timer. Whatever goes is still told to
 * the store if that is due: it can only not be given back any more.
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

function isLeased(group: LimitGroup | undefined): boolean {
  return group?.algorithm.renew !== undefined;
}

/** Limits may differ by caller and over time: each set of them is a matter of its own. */
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

function leaseId(place: Place, group: number, mark: number): string {
  return `${group}\u0000${mark}\u0000${idOf(place)}`;
}
