import { isInDoubt, type Unsettled } from "../core/ruling.ts";
import type { Adjustment, Outcome } from "../core/store.ts";
import type { AccountServices, Place } from "./account.ts";

/**
 * A place of a `concurrent` limit that was given while the store could not be asked. Each is told by itself: one that
 * is no longer renewed must end by itself too.
 */
export class Lease implements Unsettled {
  readonly #place: Place;
  readonly #group: number;
  readonly #services: AccountServices;
  #held: number;
  #expiresAt: number;
  /** Where the store holds it, once it has been told. */
  #told: { at: number; mark: number } | undefined;
  #due = 0;
  #renew = false;
  #applying: Promise<void> | undefined;

  /** @param at when it was given, by this process's clock. */
  constructor(place: Place, group: number, amount: number, at: number, services: AccountServices) {
    this.#place = place;
    this.#group = group;
    this.#held = amount;
    this.#services = services;
    this.#expiresAt = at + this.#windowMs;
    services.store.keep?.(this, false);
  }

  get #windowMs(): number {
    return this.#place.limits.groups[this.#group]?.limits[0]?.windowMs ?? 0;
  }

  /** Whether the store has yet to be told of something. */
  get owes(): boolean {
    return this.#told === undefined ? this.#held > 0 : this.#due > 0 || this.#renew;
  }

  /** Whether it has ended, here as in the store. */
  isOver(now: number): boolean {
    return this.#expiresAt <= now || (this.#held === 0 && !this.owes);
  }

  refund(amount: number): void {
    const given = Math.min(amount, this.#held);
    this.#held -= given;
    if (this.#told === undefined && this.#applying === undefined) return;
    this.#due += given;
    this.#keep();
  }

  renew(now: number): void {
    // One that has ended is not brought back to life: its place may have been taken.
    if (this.#expiresAt <= now) return;
    this.#expiresAt = now + this.#windowMs;
    if (this.#told === undefined) return;
    this.#renew = true;
    this.#keep();
  }

  sync(): void | Promise<void> {
    const now = this.#services.now();
    if (this.#applying !== undefined || this.isOver(now) || !this.owes) return;
    const told = this.#told;
    const due = this.#due;
    const spends = this.#place.limits.groups.map((_, g) =>
      told === undefined && g === this.#group ? this.#held : 0,
    );
    const group = this.#group;
    const adjustment: Adjustment = {
      ...this.#place,
      refunds:
        told !== undefined && due > 0 ? [{ group, amount: due, chargedAt: told.at, mark: told.mark }] : [],
      renewals: told !== undefined && this.#held > 0 ? [{ group, mark: told.mark }] : [],
      spends,
    };
    const { store } = this.#services;
    if (told !== undefined) this.#due = 0;
    this.#renew = false;
    const applied = ({ now: at, marks }: Outcome) => {
      if (told !== undefined) return;
      this.#told = { at, mark: marks[0]?.[group] ?? 0 };
      this.#services.onCharged();
    };
    const failed = (error: unknown) => {
      if (told !== undefined && !isInDoubt(error)) this.#due += due;
      // It was not told after all: what was given back meanwhile has left `held` already.
      if (told === undefined) this.#due = 0;
      store.keep?.(this, true);
    };
    try {
      const answer = store.adjust([adjustment], now);
      if (!(answer instanceof Promise)) return applied(answer);
      this.#applying = answer.then(applied, failed).then(() => {
        this.#applying = undefined;
        if (this.owes) store.keep?.(this, false);
      });
      return store.patience?.(this.#applying);
    } catch (error) {
      failed(error);
    }
  }

  #keep(): void {
    if (this.#applying === undefined) this.#services.store.keep?.(this, false);
  }
}
