import { type Admitted, findTightest, type LimitReading, nameReadings } from "./core/admission.ts";
import { type Cost, checkCost, spentOf } from "./core/cost.ts";
import type { Adjustment, Charge, Outcome, Refund, Store } from "./core/store.ts";

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

  #become(target: (unit: string, spent: number) => number): void | Promise<void> {
    const { charges, store, report } = this.#admitting;
    const adjustments = charges.map((charge, c) => this.#adjustment(charge, c, target));
    if (
      adjustments.every(
        ({ refunds, spends }) => refunds.length === 0 && spends.every((amount) => amount === 0),
      )
    ) {
      return;
    }
    try {
      const answer = store.adjust(adjustments, this.#admitting.now());
      if (answer instanceof Promise)
        return answer.then((outcome) => this.#note(adjustments, outcome), report);
      this.#note(adjustments, answer);
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
    return { space: charge.space, key: charge.key, limits: charge.limits, refunds, spends };
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

  #note(adjustments: readonly Adjustment[], outcome: Outcome): void {
    if (adjustments.some(({ spends }) => spends.some((amount) => amount > 0))) {
      const amounts = adjustments.map(({ spends }) => [...spends]);
      this.#spendings.push({ at: outcome.now, marks: outcome.marks, amounts });
    }
    this.#outcome = outcome;
    this.#limits = undefined;
  }
}
