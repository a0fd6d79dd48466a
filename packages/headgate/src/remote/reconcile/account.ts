import { isForgotten, noteReset, type Reset, resetInForce } from "../../core/reset.ts";
import type { Ledger, Unsettled } from "../../core/ruling.ts";
import type { Adjustment, Charge, Outcome, Refund } from "../../core/store.ts";
import { mintRid } from "../../reservation/rid.ts";
import { countsUntil, outstanding } from "./outstanding.ts";

/** A partition and the limits that count it. */
export type Place = Pick<Charge, "space" | "key" | "limits">;

/** The units spent in one moment, by group. */
interface Entry {
  at: number;
  readonly amounts: number[];
  /** Set once the entry is sent to the store. */
  told: Told | undefined;
}

/** Totals sent to the store under one id. They can be sent again without being charged again. */
interface Told {
  readonly rid: string;
  seq: number;
  /** By this process's clock: units that still counted at this time are charged. */
  asOf: number;
  /** By group: the total to charge. */
  used: number[];
  /** By group: the total that the store has acknowledged; unknown until it has answered. */
  known: number[] | undefined;
  /** When the store charged it, by the store's clock. */
  at: number;
  marks: readonly number[];
}

export interface AccountServices {
  /** The store, if changes can be sent to it. It must have `keep`. */
  readonly store: Ledger;
  now(): number;
  /** The store has been charged for what this process admitted. */
  onCharged(): void;
}

/** At most this many moments are kept apart; beyond that, two adjacent moments are merged into the later one. */
const mostEntries = 16;

/**
 * The units that one partition spent while the store could not be called, and those of them sent to the store since.
 * The store charges units that still count, at the moment at which they arrive.
 */
export class Account implements Unsettled {
  readonly #place: Place;
  readonly #services: AccountServices;
  #entries: Entry[] = [];
  #reset: Reset | undefined;
  #applying: Promise<void> | undefined;

  /** @param place with the limits of the policy, not a share of them. */
  constructor(place: Place, services: AccountServices) {
    this.#place = place;
    this.#services = services;
  }

  /** Whether something has yet to be sent to the store. */
  get owes(): boolean {
    return this.#entries.some(({ told }) => told === undefined || isDue(told));
  }

  /** @param amounts units by group. */
  spend(at: number, amounts: readonly number[]): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.told === undefined && last.at === at) {
      amounts.forEach((amount, g) => {
        last.amounts[g] = (last.amounts[g] ?? 0) + amount;
      });
    } else {
      if (this.#entries.length >= mostEntries) this.#condense(at);
      this.#entries.push({ at, amounts: [...amounts], told: undefined });
    }
    this.#keep();
  }

  /** Gives units back, also to the store if they have been sent to it. */
  refund({ group, amount, chargedAt, mark }: Refund): void {
    if (this.#reset !== undefined && isForgotten(this.#reset, { chargedAt, mark })) return;
    const moment = this.#entries.find(({ at }) => at >= chargedAt)?.at;
    let left = amount;
    // While a moment is being sent to the store, more of the same moment is a separate entry, behind.
    for (let i = this.#entries.length - 1; i >= 0 && left > 0; i -= 1) {
      const entry = this.#entries[i] as Entry;
      if (entry.at !== moment) continue;
      const taken = Math.min(left, entry.amounts[group] ?? 0);
      this.#takeFrom(entry, group, taken);
      left -= taken;
    }
  }

  #takeFrom({ told, amounts }: Entry, group: number, taken: number): void {
    const before = told === undefined ? 0 : this.#counting(group, told, told.asOf);
    amounts[group] = (amounts[group] ?? 0) - taken;
    if (told === undefined) return;
    const given = Math.min(before - this.#counting(group, told, told.asOf), told.used[group] ?? 0);
    if (given <= 0) return;
    told.used[group] = (told.used[group] ?? 0) - given;
    this.#keep();
  }

  /** Forgets entries that no longer count. Returns whether nothing is left. */
  prune(now: number): boolean {
    const { groups } = this.#place.limits;
    this.#entries = this.#entries.filter(
      ({ at, amounts, told }) =>
        (told !== undefined && isDue(told)) ||
        groups.some((group, g) => (amounts[g] ?? 0) > 0 && now < at + 2 * (countsUntil(group, at) - at)),
    );
    this.#reset = resetInForce(this.#reset, now);
    return this.#entries.length === 0 && this.#reset === undefined;
  }

  /** From now on, this account sends nothing and gives nothing back. */
  forget(now: number): void {
    const { groups } = this.#place.limits;
    const until = this.#entries.flatMap(({ at }) => groups.map((group) => countsUntil(group, at)));
    this.#reset = noteReset(this.#reset, now, Math.max(0, ...until));
    this.#entries = [];
  }

  sync(): void | Promise<void> {
    if (this.#applying !== undefined) return;
    const now = this.#services.now();
    this.prune(now);
    this.#tellUntold(now);
    const due = [...new Set(this.#entries.map(({ told }) => told))].filter(
      (told) => told !== undefined && isDue(told),
    );
    if (due.length === 0) return;

    const sent = (due as Told[]).map((told) => ({ told, used: [...told.used] }));
    const adjustments = sent.map(({ told, used }) => this.#adjustmentOf(told, used));
    const { store } = this.#services;
    const applied = ({ now: at, marks }: Outcome) => {
      for (const [n, { told, used }] of sent.entries()) {
        if (told.known === undefined) {
          told.at = at;
          told.marks = marks[n] ?? [];
          if (used.some((units) => units > 0)) this.#services.onCharged();
        }
        told.known = used;
      }
    };
    // It may have been applied all the same. The totals are then sent again, which changes nothing.
    const failed = () => store.keep?.(this, true);
    try {
      const answer = store.adjust(adjustments, now);
      if (!(answer instanceof Promise)) return applied(answer);
      this.#applying = answer.then(applied, failed).then(() => {
        this.#applying = undefined;
        // Units spent or given back during the call.
        if (this.owes) store.keep?.(this, false);
      });
      return store.patience?.(this.#applying);
    } catch {
      failed();
    }
  }

  /** Sends the entries that have not been sent or acknowledged, as far as they still count. */
  #tellUntold(now: number): void {
    const told: Told = { rid: mintRid(), seq: 0, asOf: now, used: [], known: undefined, at: now, marks: [] };
    for (const entry of this.#entries) entry.told ??= told;
    for (const one of new Set(this.#entries.map((entry) => entry.told))) {
      if (one === undefined || one.known !== undefined) continue;
      one.asOf = now;
      one.used = this.#place.limits.groups.map((_, g) => this.#counting(g, one, now));
    }
    // Entries that no longer count need not be sent, unless the store may have received them before.
    this.#entries = this.#entries.filter(
      ({ told: one }) =>
        one === undefined || one.known !== undefined || one.seq > 0 || one.used.some((units) => units > 0),
    );
  }

  #adjustmentOf(told: Told, used: readonly number[]): Adjustment {
    told.seq += 1;
    const known = told.known ?? used.map(() => 0);
    return {
      ...this.#place,
      rid: told.rid,
      seq: told.seq,
      ended: false,
      raises: false,
      known,
      used,
      held: used.map(() => 0),
      refunds: known.map((amount, group) => ({
        group,
        amount,
        chargedAt: told.at,
        mark: told.marks[group] ?? 0,
      })),
    };
  }

  #keep(): void {
    if (this.#applying === undefined) this.#services.store.keep?.(this, false);
  }

  /** @param told the call that sent it; `undefined` for what has not been sent. */
  #counting(group: number, told: Told | undefined, now: number): number {
    const spent = this.#entries
      .filter((entry) => entry.told === told)
      .map(({ at, amounts }) => ({ at, amount: amounts[group] ?? 0 }));
    const mine = this.#place.limits.groups[group];
    return mine === undefined ? 0 : outstanding(mine, spent, now);
  }

  /** Merges adjacent moments into the later one. The total never decreases. */
  #condense(now: number): void {
    this.prune(now);
    const entries = this.#entries;
    const condensed: Entry[] = [];
    for (let i = 0; i < entries.length; i += 1) {
      const entry = entries[i] as Entry;
      const next = entries[i + 1];
      if (next === undefined || next.told !== entry.told) {
        condensed.push(entry);
        continue;
      }
      const amounts = next.amounts.map((amount, g) => amount + (entry.amounts[g] ?? 0));
      condensed.push({ at: next.at, amounts, told: next.told });
      i += 1;
    }
    // Entries that were sent long ago are only needed for refunds: drop the oldest.
    while (condensed.length >= mostEntries) {
      const oldest = condensed.findIndex(({ told }) => told?.known !== undefined && !isDue(told));
      if (oldest < 0) break;
      condensed.splice(oldest, 1);
    }
    this.#entries = condensed;
  }
}

/** Whether the store knows other totals, or none yet. */
function isDue({ used, known }: Told): boolean {
  return known === undefined || used.some((units, g) => units !== known[g]);
}
