import type { DecidedBy } from "./admission.ts";
import { type Claim, withoutRequests } from "./claim.ts";
import type { Adjustment, Charge, Hold, Outcome } from "./store.ts";

/** What the store, or the code that decides in its place, was asked. */
export interface Question {
  /** The layers that apply, in the order of the policy. */
  readonly layers: readonly string[];
  /** One charge for each layer. */
  readonly charges: readonly Charge[];
  /** The requested reservation, if it holds something. */
  readonly hold?: Hold | undefined;
  /** The claim, if the request has an id. */
  readonly claim?: Claim | undefined;
  /** The hash of the policy that was in force. */
  readonly policy?: string | undefined;
  /** The number of the decision, once it is made, if somebody observes decisions. */
  decision?: number;
}

/** An answer, and the ledger in which its charges can be changed later. */
export interface Ruling extends Question {
  /**
   * The answer for `charges`. In a ruling, these are the charges that were counted, with the limits that counted them.
   */
  readonly outcome: Outcome;
  readonly ledger: Ledger;
  readonly decidedBy: DecidedBy;
  /** For each of `charges`, its index in the question; absent if all were counted. */
  readonly places?: readonly number[];
  /** The final question, if overrides are in force. */
  readonly asked?: Question;
  /** Whether the request is refused because the store is unavailable. */
  readonly unavailable?: boolean;
  /**
   * The reservation that the store may have admitted, if its reply to this request was lost. The reservation reports its totals to the
   * store under this id: then it is charged once, whether the store has admitted it or not.
   */
  readonly doubtful?: string | undefined;
}

/** Holds the charge of an admitted request, and can change it. Every store is a ledger. */
export interface Ledger {
  /** If it throws or rejects, nothing was applied, unless the error is `inDoubt`. */
  adjust(adjustments: readonly Adjustment[], now: number): Outcome | Promise<Outcome>;
  /** The store that this ledger stands in for. The counts are sent to it afterwards. */
  readonly upstream?: Ledger | undefined;
  /**
   * Queues a change that is not yet applied, and calls its `sync` when the store can be reached. Without this method, a
   * failed change is only reported.
   *
   * @param failed whether applying the change has just failed: then it is not retried immediately.
   */
  keep?(unsettled: Unsettled, failed: boolean): void;
  /** Resolves when `applying` is settled, or when the caller has waited long enough. Never rejects. */
  patience?(applying: Promise<unknown>): Promise<void>;
}

/** A change that has not been sent to the store yet. */
export interface Unsettled {
  /** Sends the change to the store. Never rejects: a failed change is queued again. */
  sync(): void | Promise<void>;
}

/**
 * Whether a failed call may still have been applied, because the connection broke during the call. Such a call must not
 * be repeated if that would refund something twice. Stores that can detect this set `inDoubt: true` on the error.
 */
export function isInDoubt(error: unknown): boolean {
  return typeof error === "object" && error !== null && "inDoubt" in error && error.inDoubt === true;
}

/** Returns the part of a question at these indexes. */
export function partOf({ layers, charges, policy }: Question, places: readonly number[]): Question {
  return {
    policy,
    layers: places.map((place) => layers[place] as string),
    charges: places.map((place) => charges[place] as Charge),
  };
}

/** Returns the part of a question that was counted, in the order of the ruling's charges. */
export function countedOf(question: Question, { places }: Ruling): Question {
  return places === undefined ? question : partOf(question, places);
}

/** Returns a question about the same partitions that costs nothing. */
export function free({ layers, charges }: Question): Question {
  return {
    layers,
    charges: charges.map(({ space, key, limits }): Charge => {
      const none = limits.groups.map(() => 0);
      return { space, key, limits, needs: none, spends: none };
    }),
  };
}

/** Returns a ruling that charges nothing, for which no store was asked. */
export function unasked({ layers, charges }: Question, ledger: Ledger, now: number): Ruling {
  const outcome = { admitted: true, now, readings: [], marks: [] };
  return { layers, charges, outcome, ledger, decidedBy: "store" };
}

/**
 * Returns a ruling that repeats a recent answer of the store.
 *
 * @param places the indexes in the question that the answer is about; `undefined` for all.
 */
export function repeated(
  question: Question,
  outcome: Outcome,
  places: readonly number[] | undefined,
  ledger: Ledger,
): Ruling {
  const { layers, charges } = question;
  const decidedBy = "refusal-memory";
  if (places === undefined) return { layers, charges, outcome, ledger, decidedBy };
  return { ...partOf(question, places), places, outcome, ledger, decidedBy };
}

/** Returns the charges as the store counted them: a later attempt at an id was not charged for requests. */
export function asCharged<Asked extends Question>(question: Asked, { attempt = 1 }: Outcome): Asked {
  return attempt === 1 ? question : { ...question, charges: withoutRequests(question.charges) };
}
