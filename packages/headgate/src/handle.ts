import {
  type Admitted,
  type Extension,
  findTightest,
  type LimitReading,
  nameReadings,
  refuse,
} from "./core/admission.ts";
import { type Cost, checkCost, spentOf } from "./core/cost.ts";
import type { Adjustment, Charge, Outcome, Refund, Renewal, Store } from "./core/store.ts";

/** What a handle needs of the limiter that admitted it. */
export interface Admitting {
  readonly layers: readonly string[];
  readonly charges: readonly Charge[];
  readonly cost: Cost | undefined;
  readonly outcome: Outcome;
  /** The store that was charged: the same one is settled, whatever has happened to others since. */
  readonly store: Store;
  readonly shared: boolean;
  now(): number;
  report(error: unknown): void;
  /** Called when the last lease has been given back. */
  released(handle: Handle): void;
}

/** What was spent at one moment and may be given back. */
interface Spending {
  readonly at: number;
  readonly marks: Outcome["marks"];
  /** For each charge, for each group. */
  readonly amounts: number[][];
}

/** The handle of an admitted request: knows what is charged at any time, so that settling can be said in totals. */
export class Handle implements Admitted {
  readonly admitted = true;
  readonly at: number;
  readonly shared: boolean;
  readonly #admitting: Admitting;
  /** Oldest first. Giving back begins with the newest, which weighs longest. */
  readonly #spendings: Spending[];
  #limits: readonly LimitReading[] | undefined;
  #outcome: Outcome;

  constructor(admitting: Admitting) {
    const { outcome, charges } = admitting;
    this.#admitting = admitting;
    this.#outcome = outcome;
    this.at = outcome.now;
    this.shared = admitting.shared;
    this.#spendings = [
      { at: outcome.now, marks: outcome.marks, amounts: charges.map(({ spends }) => [...spends]) },
    ];
  }

  get limits(): readonly LimitReading[] {
    this.#limits ??= nameReadings(this.#admitting.layers, this.#admitting.charges, this.#outcome);
    return this.#limits;
  }

  get tightest(): LimitReading | undefined {
    return findTightest(this.limits, this.#admitting.cost);
  }

  settle(actual: Cost): void | Promise<void> {
    checkCost(actual);
    return this.#become((unit, spent) => (Object.hasOwn(actual, unit) ? spentOf(actual, unit) : spent));
  }

  refund(): void | Promise<void> {
    return this.#become(() => 0);
  }

  release(): void | Promise<void> {
    return this.settle({ concurrent: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  extend(cost: Cost): Extension | Promise<Extension> {
    checkCost(cost);
    const { layers, store, now } = this.#admitting;
    const charges = this.#admitting.charges.map((charge): Charge => {
      const spends = charge.limits.groups.map(({ unit }) =>
        Object.hasOwn(cost, unit) ? spentOf(cost, unit) : 0,
      );
      return { ...charge, needs: spends, spends };
    });
    const conclude = (outcome: Outcome): Extension => {
      if (outcome.admitted) {
        this.#note(charges, outcome);
        return { admitted: true };
      }
      const limits = nameReadings(layers, charges, outcome);
      return refuse({ limits, tightest: findTightest(limits, cost), at: outcome.now, shared: this.shared });
    };
    const answer = store.decide(charges, now(), false);
    return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
  }

  /** Whether it holds leases that have to be kept alive. */
  get leased(): boolean {
    return this.#renewals().some((renewals) => renewals.length > 0);
  }

  /** Keeps its leases alive for another window. */
  renew(): void | Promise<void> {
    const renewals = this.#renewals();
    const adjustments = this.#admitting.charges.flatMap((charge, c): Adjustment[] => {
      const mine = renewals[c] as Renewal[];
      if (mine.length === 0) return [];
      const { space, key, limits } = charge;
      return [{ space, key, limits, refunds: [], renewals: mine, spends: limits.groups.map(() => 0) }];
    });
    if (adjustments.length === 0) return;
    return this.#adjust(adjustments, () => {});
  }

  #renewals(): Renewal[][] {
    return this.#admitting.charges.map(({ limits }, c) =>
      limits.groups.flatMap((group, g) =>
        group.algorithm.renew === undefined
          ? []
          : this.#spendings
              .filter(({ amounts }) => (amounts[c]?.[g] ?? 0) > 0)
              .map(({ marks }) => ({ group: g, mark: marks[c]?.[g] ?? 0 })),
      ),
    );
  }

  #become(target: (unit: string, spent: number) => number): void | Promise<void> {
    const leased = this.leased;
    const adjustments = this.#admitting.charges.map((charge, c) => this.#adjustment(charge, c, target));
    if (
      adjustments.every(
        ({ refunds, spends }) => refunds.length === 0 && spends.every((amount) => amount === 0),
      )
    ) {
      return;
    }
    if (leased && !this.leased) this.#admitting.released(this);
    return this.#adjust(adjustments, (outcome) => this.#note(adjustments, outcome));
  }

  #adjust(adjustments: readonly Adjustment[], note: (outcome: Outcome) => void): void | Promise<void> {
    const { store, report, now } = this.#admitting;
    try {
      const answer = store.adjust(adjustments, now());
      if (answer instanceof Promise) return answer.then(note, report);
      note(answer);
    } catch (error) {
      report(error);
    }
  }

  #adjustment(charge: Charge, c: number, target: (unit: string, spent: number) => number): Adjustment {
    const refunds: Refund[] = [];
    const spends = charge.limits.groups.map((group, g) => {
      const spent = this.#spendings.reduce((sum, { amounts }) => sum + (amounts[c]?.[g] ?? 0), 0);
      const change = target(group.unit, spent) - spent;
      if (change < 0) refunds.push(...this.#takeBack(c, g, -change));
      return Math.max(0, change);
    });
    return { space: charge.space, key: charge.key, limits: charge.limits, refunds, renewals: [], spends };
  }

  #takeBack(c: number, g: number, amount: number): Refund[] {
    const refunds: Refund[] = [];
    let left = amount;
    for (const spending of this.#spendings.toReversed()) {
      const amounts = spending.amounts[c] as number[];
      const given = Math.min(left, amounts[g] as number);
      if (given === 0) continue;
      amounts[g] = (amounts[g] as number) - given;
      left -= given;
      refunds.push({ group: g, amount: given, chargedAt: spending.at, mark: spending.marks[c]?.[g] ?? 0 });
    }
    return refunds;
  }

  #note(changes: readonly { readonly spends: readonly number[] }[], outcome: Outcome): void {
    if (changes.some(({ spends }) => spends.some((amount) => amount > 0))) {
      const amounts = changes.map(({ spends }) => [...spends]);
      this.#spendings.push({ at: outcome.now, marks: outcome.marks, amounts });
    }
    this.#outcome = outcome;
    this.#limits = undefined;
  }
}
