import type { Admitted, Decided, Extension } from "./core/admission.ts";
import { type Cost, checkCost, spentOf } from "./core/cost.ts";
import { Decision, RefusedRequest } from "./core/decision.ts";
import { isInDoubt, type Ledger, type Question, type Ruling, type Unsettled } from "./core/ruling.ts";
import type { Adjustment, Outcome, Renewal } from "./core/store.ts";
import {
  type Change,
  changesBetween,
  onTop,
  type Spending,
  spendingOf,
  totalsOf,
  wantsNothing,
} from "./settling.ts";

/** What became of an admitted request. */
interface Since {
  /** Oldest first. Giving back begins with the newest, which weighs longest. Absent until it is first needed. */
  spent: Spending[] | undefined;
  /** For each charge, for each group, what should be charged; absent while that is what is charged. */
  wanted: number[][] | undefined;
  /** Since when something is wanted that is not so. */
  wantedSince: number;
  applying: Promise<void> | undefined;
  /** Whether what is wanted has changed while it was being applied. */
  again: boolean;
}

/** What a handle needs of the limiter that admitted it. */
export interface HandleServices {
  now(): number;
  report(error: unknown): void;
  /** Decides what an admitted request asks for on top. */
  decide(question: Question): Ruling | Promise<Ruling>;
  /** Called when the last lease has been given back. */
  released(handle: Handle): void;
}

/**
 * The handle of an admitted request. It knows what is charged and what should be, so that settling can be said in
 * totals, and so that what could not be changed while the store was down is changed once it is back.
 */
export class Handle extends Decision implements Admitted, Unsettled {
  readonly #services: HandleServices;
  /** What was counted, under the limits of the policy. */
  readonly #question: Question;
  /** What became of it since it was admitted, or what it was asked: of most nobody asks anything. */
  #since: Since | undefined;

  /** @param question the charges of `ruling`, one for one, under the limits of the policy. */
  constructor(ruling: Ruling, question: Question, cost: Cost | undefined, services: HandleServices) {
    super(ruling, cost);
    this.#services = services;
    this.#question = question;
  }

  get admitted(): true {
    return true;
  }

  get #later(): Since {
    this.#since ??= {
      spent: undefined,
      wanted: undefined,
      wantedSince: 0,
      applying: undefined,
      again: false,
    };
    return this.#since;
  }

  get #spent(): Spending[] {
    const later = this.#later;
    later.spent ??= [spendingOf(this.ruling, this.#question.charges, undefined)];
    return later.spent;
  }

  override toJSON(): Decided & { readonly admitted: true } {
    return { admitted: this.admitted, ...super.toJSON() };
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
    const question = onTop(this.#question, cost);
    const conclude = (ruling: Ruling): Extension => {
      if (!ruling.outcome.admitted) return new RefusedRequest(ruling, cost);
      const spending = spendingOf(ruling, question.charges, ruling.places);
      this.#spent.push(spending);
      this.#later.wanted?.forEach((amounts, c) => {
        for (let g = 0; g < amounts.length; g += 1) {
          amounts[g] = (amounts[g] as number) + (spending.amounts[c]?.[g] ?? 0);
        }
      });
      if (ruling.places === undefined) this.show(ruling);
      return { admitted: true };
    };
    const answer = this.#services.decide(question);
    return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
  }

  /** Whether it holds leases that have to be kept alive. */
  get leased(): boolean {
    return this.#spent.some((spending) => this.#renewals(spending).length > 0);
  }

  /** Keeps its leases alive for another window. */
  renew(): void | Promise<void> {
    const renewing: Promise<unknown>[] = [];
    for (const spending of this.#spent) {
      const adjustments = this.#renewals(spending);
      if (adjustments.length === 0) continue;
      const { ledger } = spending;
      // A ledger that keeps what fails reports it too, and the next heartbeat tries again.
      const failed = (error: unknown) =>
        ledger.keep === undefined ? this.#services.report(error) : undefined;
      try {
        const answer = ledger.adjust(adjustments, this.#services.now());
        if (answer instanceof Promise) renewing.push(this.#wait(ledger, answer.catch(failed)));
      } catch (error) {
        failed(error);
      }
    }
    if (renewing.length > 0) return Promise.all(renewing).then(() => {});
  }

  #renewals({ counted, amounts, marks }: Spending): Adjustment[] {
    return counted.flatMap((charge, c) => {
      const renewals = charge.limits.groups.flatMap((group, g): Renewal[] => {
        const held = (amounts[c]?.[g] ?? 0) > 0 && group.algorithm.renew !== undefined;
        return held ? [{ group: g, mark: marks[c]?.[g] ?? 0 }] : [];
      });
      if (renewals.length === 0) return [];
      const { space, key, limits } = charge;
      return [{ space, key, limits, refunds: [], renewals, spends: limits.groups.map(() => 0) }];
    });
  }

  #become(target: (unit: string, spent: number) => number): void | Promise<void> {
    const { charges } = this.#question;
    const later = this.#later;
    const now = later.wanted ?? totalsOf(this.#spent, charges);
    later.wanted = now.map((amounts, c) =>
      amounts.map((spent, g) => target(charges[c]?.limits.groups[g]?.unit ?? "", spent)),
    );
    later.wantedSince = this.#services.now();
    return this.sync();
  }

  /** Makes what is charged what should be. One change at a time: the next is reckoned from what the last one did. */
  sync(): void | Promise<void> {
    const later = this.#later;
    if (later.wanted === undefined) return;
    if (later.applying !== undefined) {
      later.again = true;
      return this.#wait(this.ruling.ledger, later.applying);
    }
    const now = this.#services.now();
    const { charges } = this.#question;
    const leased = this.leased;
    const changes = wantsNothing(later.wantedSince, charges, now)
      ? []
      : changesBetween(this.#spent, later.wanted, charges, this.ruling);
    if (leased && !this.leased) this.#services.released(this);

    const applying = changes.flatMap((change) => this.#apply(change, now) ?? []);
    if (applying.length === 0) {
      if (changes.length === 0) later.wanted = undefined;
      return;
    }
    later.applying = Promise.all(applying).then(async () => {
      later.applying = undefined;
      if (!later.again) return;
      later.again = false;
      await this.sync();
    });
    return this.#wait(this.ruling.ledger, later.applying);
  }

  #apply(change: Change, now: number): void | Promise<void> {
    const { ledger, adjustments } = change;
    try {
      const answer = ledger.adjust(adjustments, now);
      if (answer instanceof Promise) {
        return answer.then(
          (outcome) => this.#note(change, outcome),
          (error) => this.#keep(change, error),
        );
      }
      this.#note(change, answer);
    } catch (error) {
      this.#keep(change, error);
    }
  }

  #note({ ledger, adjustments, spends, isHome }: Change, outcome: Outcome): void {
    if (spends.some((amounts) => amounts.some((amount) => amount > 0))) {
      const { now, marks } = outcome;
      this.#spent.push({ ledger, at: now, marks, counted: adjustments, amounts: spends });
    }
    if (isHome) this.show({ layers: this.ruling.layers, charges: this.ruling.charges, outcome });
  }

  #keep(change: Change, error: unknown): void {
    // What may have been given back is not given back a second time: that would widen a limit.
    if (!isInDoubt(error))
      for (const { spending, c, g, amount } of change.taken) addTo(spending, c, g, amount);
    if (change.ledger.keep === undefined) this.#services.report(error);
    else change.ledger.keep(this, true);
  }

  #wait(ledger: Ledger, applying: Promise<unknown>): Promise<void> {
    return ledger.patience?.(applying) ?? applying.then(() => {});
  }
}

function addTo({ amounts }: Spending, c: number, g: number, amount: number): void {
  const row = amounts[c] as number[];
  row[g] = (row[g] as number) + amount;
}
