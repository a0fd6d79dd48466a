import type { ClaimEnd, Extension } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import { type EndingDelegate, endingDelegate } from "../core/ending-delegate.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import type { ReservationServices } from "../reservation/book.ts";
import { Reservation } from "../reservation/reservation.ts";
import type { Trial } from "./trial.ts";

/**
 * An admitted request that a shadow also decides: reports, extensions and ends are passed on to the shadow, which
 * changes no answer.
 */
export class ShadowedReservation extends Reservation {
  readonly #trial: Trial;
  #isDelegated = false;

  constructor(
    ruling: Ruling,
    question: Question,
    cost: Cost | undefined,
    services: ReservationServices,
    asked: Question,
    trial: Trial,
  ) {
    super(ruling, question, cost, services, asked);
    this.#trial = trial;
  }

  override [endingDelegate](delegate: EndingDelegate): void {
    super[endingDelegate](delegate);
    this.#isDelegated = true;
  }

  override report(used: Cost): void | Promise<void> {
    const reporting = super.report(used);
    this.#trial.report(used);
    return reporting;
  }

  override extend(more: Cost & { readonly atLeast?: number }): Extension | Promise<Extension> {
    const extension = super.extend(more);
    this.#trial.extend(more);
    return extension;
  }

  override end(used?: Cost | "nothing", claim?: ClaimEnd): void | Promise<void> {
    const ending = super.end(used, claim);
    // If a delegate ends the admission, it calls `end` again with the use.
    if (used !== undefined || !this.#isDelegated) this.#trial.end(used);
    return ending;
  }
}
