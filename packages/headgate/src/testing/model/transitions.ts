import { changeClaim, hasCounted, isPaid, meetClaim, withoutRequests } from "../../core/claim.ts";
import {
  adjustHoldings,
  type Holdings,
  heldBy,
  heldOf,
  hold,
  lapse,
  type Spending,
  standingOf,
  tidy,
  waitFor,
} from "../../core/holdings.ts";
import { refusedByOverrides } from "../../core/override.ts";

/** Changes the used amount of a unit. A mutant may charge it at a moment other than the call. */
export type ChangeUsed = (
  unit: string,
  change: number,
  last: Spending | undefined,
  at?: number,
) => readonly number[] | undefined;

type AdjustParameters = Parameters<typeof adjustHoldings>;

/**
 * The transitions of `core/holdings.ts`, `core/override.ts` and `core/claim.ts`, as the model calls them. A test of the
 * model replaces a transition with a faulty version.
 */
export interface Transitions {
  readonly lapse: typeof lapse;
  readonly standingOf: typeof standingOf;
  readonly heldOf: typeof heldOf;
  readonly heldBy: typeof heldBy;
  readonly hold: typeof hold;
  readonly waitFor: typeof waitFor;
  readonly tidy: typeof tidy;
  readonly refusedByOverrides: typeof refusedByOverrides;
  readonly meetClaim: typeof meetClaim;
  readonly changeClaim: typeof changeClaim;
  readonly withoutRequests: typeof withoutRequests;
  readonly isPaid: typeof isPaid;
  readonly hasCounted: typeof hasCounted;
  /** Changes the counts of a partition after an override begins or ends. */
  override(counts: Map<string, unknown>): void;
  adjustHoldings(
    holdings: Holdings,
    adjustment: AdjustParameters[1],
    units: readonly string[],
    now: number,
    leaseMs: number,
    changeUsed: ChangeUsed,
  ): void;
}

export const coreTransitions: Transitions = {
  lapse,
  standingOf,
  heldOf,
  heldBy,
  hold,
  waitFor,
  tidy,
  refusedByOverrides,
  meetClaim,
  changeClaim,
  withoutRequests,
  isPaid,
  hasCounted,
  // An override forgets nothing.
  override() {},
  adjustHoldings,
};
