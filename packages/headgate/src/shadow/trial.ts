import type { Admission } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import type { ReservationServices } from "../reservation/book.ts";
import { Reservation } from "../reservation/reservation.ts";

/** What a trial needs from its shadow. */
export interface TrialServices {
  readonly reservation: ReservationServices;
  /** Decides on the shadow's counts. If this throws or rejects, the request stays undecided. */
  decide(
    question: Question,
    cost: Cost | undefined,
    conclude: (ruling: Ruling) => void,
  ): void | Promise<void>;
  /** Called once the limiter and the shadow have decided. */
  decided(ruling: Ruling, live: Admission, cost: Cost | undefined): void;
  /** @param error `undefined` if the store was known to be down. */
  undecided(error: unknown): void;
  extended(admitted: boolean): void;
  /** Called if a report, extension or end of the shadow's reservation failed. */
  failed(error: unknown): void;
}

/**
 * One request as a shadow decides it. The shadow is asked once, together with the live decision or after it. Later
 * reports, extensions and the end of the live reservation are repeated here. Nothing here throws or is awaited.
 */
export class Trial {
  readonly #services: TrialServices;
  readonly #question: Question | Promise<Question>;
  readonly #cost: Cost | undefined;
  readonly #waits: boolean;
  #isAsked = false;
  #isOver = false;
  #ruling: Ruling | undefined;
  /**
   * Kept only until both have decided: the reference would keep a lost reservation from being garbage-collected.
   */
  #live: Admission | undefined;
  #reservation: Reservation | undefined;
  /** Calls that wait for the shadow's decision; `undefined` after it. */
  #waiting: ((reservation: Reservation) => void)[] | undefined = [];

  /**
   * @param question the question of the shadow's policy.
   * @param waits whether the request waits, and may be refused several times before it is admitted.
   */
  constructor(
    question: Question | Promise<Question>,
    cost: Cost | undefined,
    services: TrialServices,
    waits: boolean,
  ) {
    this.#services = services;
    this.#question = question;
    this.#cost = cost;
    this.#waits = waits;
  }

  /** Asks the shadow, unless it has been asked already. */
  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const conclude = (ruling: Ruling) => this.#decide(ruling);
    const give = (error: unknown) => this.#giveUp(error);
    try {
      const question = this.#question;
      const answer =
        question instanceof Promise
          ? question.then((known) => this.#services.decide(known, this.#cost, conclude))
          : this.#services.decide(question, this.#cost, conclude);
      if (answer instanceof Promise) answer.catch(give);
    } catch (error) {
      give(error);
    }
  }

  /**
   * Records the limiter's answer. If the limiter answered without the store, the shadow is asked now. If the store is
   * down, the shadow is not asked.
   */
  answered(live: Admission): void {
    if (live.decidedBy === "outage-policy" && !this.#isAsked) {
      this.#isAsked = true;
      this.#giveUp(undefined);
    }
    this.ask();
    if (live.admitted || !this.#waits) this.concludes(live);
  }

  /** Records the limiter's final answer. */
  concludes(live: Admission): void {
    if (this.#isOver) return;
    this.#live = live;
    // The live request is refused: the shadow's estimate stays charged, and its holds end.
    if (!live.admitted) this.end(undefined);
    this.#reportIfDecided();
  }

  /** Undoes the request of a caller who has left. */
  abandon(): void {
    this.end("nothing");
  }

  report(used: Cost): void {
    this.#apply((reservation) => reservation.report(used));
  }

  end(used: Cost | "nothing" | undefined): void {
    this.#apply((reservation) => reservation.end(used));
  }

  extend(more: Cost & { readonly atLeast?: number }): void {
    this.#apply((reservation) => {
      const noted = (extension: Awaited<ReturnType<Reservation["extend"]>>) => {
        const ended = !extension.admitted && extension.reason === "ended";
        if (!ended) this.#services.extended(extension.admitted);
      };
      const answer = reservation.extend(more);
      return answer instanceof Promise ? answer.then(noted) : noted(answer);
    });
  }

  #decide(ruling: Ruling): void {
    this.#ruling = ruling;
    if (ruling.outcome.admitted)
      this.#reservation = new Reservation(ruling, ruling, this.#cost, this.#services.reservation);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const call of waiting) this.#apply(call);
    this.#reportIfDecided();
  }

  #giveUp(error: unknown): void {
    this.#waiting = undefined;
    this.#isOver = true;
    this.#services.undecided(error);
  }

  #apply(call: (reservation: Reservation) => void | Promise<void>): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(call);
      return;
    }
    if (this.#reservation === undefined) return;
    try {
      const applying = call(this.#reservation);
      if (applying instanceof Promise) applying.catch(this.#services.failed);
    } catch (error) {
      this.#services.failed(error);
    }
  }

  #reportIfDecided(): void {
    const ruling = this.#ruling;
    const live = this.#live;
    if (ruling === undefined || live === undefined) return;
    this.#ruling = undefined;
    this.#live = undefined;
    this.#isOver = true;
    this.#services.decided(ruling, live, this.#cost);
  }
}
