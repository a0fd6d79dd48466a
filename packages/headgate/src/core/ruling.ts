import type { DecidedBy } from "./admission.ts";
import { type Claim, withoutRequests } from "./claim.ts";
import type { Adjustment, Charge, Hold, Outcome } from "./store.ts";

/** What was asked of the store, or of what decides in its place. */
export interface Question {
  /** The layers that apply, in the order of the policy. */
  readonly layers: readonly string[];
  /** One for each of them. */
  readonly charges: readonly Charge[];
  /** The reservation that is asked for, where it holds something. */
  readonly hold?: Hold | undefined;
  /** The id that it claims. */
  readonly claim?: Claim | undefined;
  /** The hash of the policy that was in force. */
  readonly policy?: string | undefined;
}

/** An answer, and where what it charged can be changed later. */
export interface Ruling extends Question {
  /** For `charges`: those that were counted, under the limits by which they were. */
  readonly outcome: Outcome;
  readonly ledger: Ledger;
  readonly decidedBy: DecidedBy;
  /** For each of `charges`, its place in the question; absent where all were counted. */
  readonly places?: readonly number[];
  /** The question as it was asked in the end, where overrides are in force. */
  readonly asked?: Question;
  /** Whether it is refused for want of a store. */
  readonly unavailable?: boolean;
}

/** Where the charge of an admitted request is held and can be changed. A store is one. */
export interface Ledger {
  /** May throw or reject: nothing was applied then, unless the error is `inDoubt`. */
  adjust(adjustments: readonly Adjustment[], now: number): Outcome | Promise<Outcome>;
  /** The store in whose place this ledger counts; the counts are sent to it afterwards. */
  readonly upstream?: Ledger | undefined;
  /**
   * Keeps what has yet to be applied, and calls its `sync` once it can be. Where it is absent, a failure is reported
   * and that is all.
   *
   * @param failed whether applying it has just failed, so that it is not tried again at once.
   */
  keep?(unsettled: Unsettled, failed: boolean): void;
  /** Resolves when this is over, or when the caller has waited for long enough. Never rejects. */
  patience?(applying: Promise<unknown>): Promise<void>;
}

/** A change that has yet to be sent to the store. */
export interface Unsettled {
  /** Tells the store. Never rejects: what fails is kept again. */
  sync(): void | Promise<void>;
}

/**
 * Whether a call that failed may have been applied all the same: the connection broke while it was under way. Such a
 * call must not simply be repeated if repeating it would give something back twice. Stores that can tell say so by
 * `inDoubt: true` on the error.
 */
export function isInDoubt(error: unknown): boolean {
  return typeof error === "object" && error !== null && "inDoubt" in error && error.inDoubt === true;
}

/** The part of a question at these places. */
export function partOf({ layers, charges, policy }: Question, places: readonly number[]): Question {
  return {
    policy,
    layers: places.map((place) => layers[place] as string),
    charges: places.map((place) => charges[place] as Charge),
  };
}

/** The part of a question that was counted, one for one with the ruling. */
export function countedOf(question: Question, { places }: Ruling): Question {
  return places === undefined ? question : partOf(question, places);
}

/** The same partitions, asked for nothing. */
export function free({ layers, charges }: Question): Question {
  return {
    layers,
    charges: charges.map(({ space, key, limits }): Charge => {
      const none = limits.groups.map(() => 0);
      return { space, key, limits, needs: none, spends: none };
    }),
  };
}

/** A ruling for which nobody was asked, as nothing is charged by it. */
export function unasked({ layers, charges }: Question, ledger: Ledger, now: number): Ruling {
  const outcome = { admitted: true, now, readings: [], marks: [] };
  return { layers, charges, outcome, ledger, decidedBy: "store" };
}

/**
 * A ruling that repeats what the store answered a moment ago.
 *
 * @param places those of the question that the answer is about; absent for all of them.
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

/** The charges as the store counted them, where a later attempt at an id was not charged for requests. */
export function asCharged<Asked extends Question>(question: Asked, { attempt = 1 }: Outcome): Asked {
  return attempt === 1 ? question : { ...question, charges: withoutRequests(question.charges) };
}
