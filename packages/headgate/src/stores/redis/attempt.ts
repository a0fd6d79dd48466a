import type { Claim } from "../../core/claim.ts";
import { isInDoubt } from "../../core/ruling.ts";
import type { Charge, Hold, Outcome } from "../../core/store.ts";
import type { SlotShare } from "./slots.ts";

/**
 * An attempt that not all slots have answered within this many milliseconds is cancelled. During this time, slots answer
 * `contended` if a refusal depends on an attempt whose result they do not know yet.
 */
export const undecidedMs = 5_000;

/** One slot's answer, or the error; `undefined` if it has not answered yet or was not asked. */
export type Answer = Outcome | Error | undefined;

/** A request that is charged in one or more slots. */
export interface Attempt {
  readonly charges: readonly SlotShare<Charge>[];
  readonly at: number;
  readonly hold: Hold | undefined;
  /** The id that the attempt claims with one of its charges. An attempt with a claim has a hold. */
  readonly claim?: Claim | undefined;
}

/** The index of the share that keeps the claim; -1 if there is no claim. */
export function placeOfClaim(shares: readonly SlotShare<Charge>[], claim: Claim | undefined): number {
  if (claim === undefined) return -1;
  return shares.findIndex(({ parts }) =>
    parts.some(({ space, key }) => space === claim.space && key === claim.key),
  );
}

export function isKnown(answer: Answer): answer is Outcome {
  return answer !== undefined && !(answer instanceof Error) && answer.known !== undefined;
}

export function attemptOf(answer: Answer): number {
  return answer === undefined || answer instanceof Error ? 1 : (answer.attempt ?? 1);
}

export function isAdmitted(answer: Answer): boolean {
  return answer !== undefined && !(answer instanceof Error) && answer.admitted;
}

/** @throws the error of a failed slot; errors after which the charge is in doubt take precedence. */
export function throwFaultOf(answers: readonly Answer[]): void {
  const faults = answers.filter((answer) => answer instanceof Error);
  if (faults.length > 0) throw faults.find(isInDoubt) ?? faults[0];
}

/** @throws as `throwFaultOf` does. */
export function outcomesOf(answers: readonly Answer[]): Outcome[] {
  throwFaultOf(answers);
  return answers as Outcome[];
}
