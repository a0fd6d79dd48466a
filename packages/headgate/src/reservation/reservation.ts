import type { Admitted, ClaimEnd, Decided, Extension } from "../core/admission.ts";
import { type Cost, checkCost, checkStated } from "../core/cost.ts";
import { Decision, RefusedRequest, type Shown } from "../core/decision.ts";
import {
  type EndingDelegate,
  endingDelegate,
  type ResponseEnd,
  responseEnd,
} from "../core/ending-delegate.ts";
import { HeadgateError } from "../core/errors.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import { show } from "../core/show.ts";
import { Book, type Owner, type ReservationServices } from "./book.ts";
import { checkClaimEnd } from "./claim-end.ts";

/**
 * An admitted request. Most requests need nothing after their admission, so the `Book` is made on the first call, or at
 * once if the request holds something.
 */
export class Reservation extends Decision implements Admitted, Owner {
  readonly #services: ReservationServices;
  /** The counted charges, under the limits of the policy. */
  readonly #question: Question;
  #book: Book | undefined;
  #delegate: EndingDelegate | undefined;
  #claimEnd: ClaimEnd | undefined;

  /**
   * @param question the same charges as in `ruling`, under the limits of the policy.
   * @param asked the whole question, if the ruling is about a part of it.
   */
  constructor(
    ruling: Ruling,
    question: Question,
    cost: Cost | undefined,
    services: ReservationServices,
    asked: Question = question,
  ) {
    super(ruling, cost, asked);
    this.#services = services;
    this.#question = question;
    if (ruling.hold !== undefined) this.#open();
  }

  get admitted(): true {
    return true;
  }

  get holds(): boolean {
    return this.#book?.holds ?? false;
  }

  get attempt(): number | undefined {
    return this.ruling.outcome.attempt;
  }

  get granted(): Cost {
    return this.#open().granted;
  }

  [endingDelegate](delegate: EndingDelegate): void {
    this.#delegate = delegate;
  }

  [responseEnd](how: ResponseEnd): void {
    this.#delegate?.responseWas?.(how);
  }

  override toJSON(): Decided & { readonly admitted: true } {
    const { admitted, attempt } = this;
    return { admitted, ...(attempt === undefined ? {} : { attempt }), ...super.toJSON() };
  }

  report(used: Cost): void | Promise<void> {
    checkStated(used, this.#services.units);
    return this.#open().report(used);
  }

  end(used?: Cost | "nothing", claim?: ClaimEnd): void | Promise<void> {
    if (typeof used === "string") checkEnd(used);
    else checkCost(used, this.#services.units);
    if (claim !== undefined) checkClaimEnd(claim);
    // The last caller of `end` need not know the result of the id.
    this.#claimEnd = claim ?? this.#claimEnd;
    if (used === undefined && this.#delegate !== undefined) return this.#delegate.responseOver();
    return this.#open().end(used, this.#claimEnd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#delegate === undefined ? this.end() : this.#delegate.scopeOver());
  }

  extend(more: Cost & { readonly atLeast?: number }): Extension | Promise<Extension> {
    if (typeof more !== "object" || more === null || Array.isArray(more))
      checkStated(more, this.#services.units);
    checkAtLeastName(more);
    const { atLeast, ...cost } = more;
    checkCost(cost, this.#services.units);
    checkAtLeast(atLeast, cost);
    return this.#extend(cost, atLeast, mostTries);
  }

  #extend(cost: Cost, atLeast: number | undefined, tries: number): Extension | Promise<Extension> {
    const conclude = (extended: Ruling | "ended"): Extension | Promise<Extension> => {
      if (extended === "ended") return this.#refuse(cost);
      if (extended.outcome.admitted) return { admitted: true, granted: cost };
      const { charges } = extended;
      const refused = new RefusedRequest(extended, cost, { charges, policy: this.policy });
      const less = atLeast === undefined || tries === 0 ? undefined : affordable(refused, cost, atLeast);
      return less === undefined ? refused : this.#extend(less, atLeast, tries - 1);
    };
    const answer = this.#open().extend(cost);
    return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
  }

  /** Refuses an extension of a reservation that has ended. */
  #refuse(cost: Cost): Extension {
    const { ledger, layers, charges, outcome, decidedBy } = this.ruling;
    const { now, readings } = outcome;
    return new RefusedRequest(
      {
        ledger,
        layers,
        charges,
        decidedBy,
        outcome: { admitted: false, now, readings, marks: [], refusedFor: "ended" },
      },
      cost,
      { charges, policy: this.policy },
    );
  }

  #open(): Book {
    this.#book ??= new Book(this.ruling, this.#question, this.#services, this);
    return this.#book;
  }

  used(): Cost | undefined {
    return this.#delegate?.used?.();
  }

  shows(shown: Shown): void {
    this.show(shown);
  }
}

/** How often an extension with `atLeast` is tried again, because the affordable amount may change between two calls. */
const mostTries = 3;

/** The same units, reduced to what is free according to the refusal; `undefined` if that is too few. */
function affordable(refused: RefusedRequest, cost: Cost, atLeast: number): Cost | undefined {
  const free = refused.affordable;
  const less: Record<string, number> = {};
  for (const [unit, amount] of Object.entries(cost)) less[unit] = Math.min(amount, free[unit] ?? amount);
  const isEnough = Object.values(less).every((amount) => amount >= atLeast);
  const isLess = Object.entries(less).some(([unit, amount]) => amount < (cost[unit] ?? 0));
  return isEnough && isLess ? less : undefined;
}

function checkAtLeast(atLeast: number | undefined, cost: Cost): void {
  if (atLeast === undefined) return;
  const least = Math.min(...Object.values(cost));
  if (Number.isSafeInteger(atLeast) && atLeast >= 1 && atLeast <= least) return;
  throw new HeadgateError(
    "cost-invalid",
    `atLeast must be a whole number from 1 up to the requested amount, got ${show(atLeast)}.`,
  );
}

/** For a name that is not a unit: rejects a misspelt `atLeast`. */
function checkAtLeastName(more: object): void {
  for (const name in more) {
    if (name === "atLeast" || name.toLowerCase() !== "atleast") continue;
    throw new HeadgateError("cost-invalid", `extend has no option "${name}": did you mean "atLeast"?`);
  }
}

function checkEnd(used: string): void {
  if (used === "nothing") return;
  throw new HeadgateError(
    "cost-invalid",
    `end takes a cost such as { tokens: 1200 }, or "nothing", got ${show(used)}.`,
  );
}
