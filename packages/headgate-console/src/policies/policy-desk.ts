import type { PolicyDocument } from "headgate/policy-document";

/** The policy of one limiter, and its shadow. */
export interface PolicyStanding {
  limiter: string;
  /** Whether operators can change the policy. */
  canChange: boolean;
  hash: string;
  document: PolicyDocument;
  /** Who set the policy, when and why; `null` if it is the policy of the settings. */
  set: { at: number; by: string; reason: string | null } | null;
  /** The policy to which a roll back returns; `null` if there is none. */
  before: { hash: string | null; isOfSettings: boolean } | null;
  shadow: ShadowStanding | null;
  /** Why the policy is not in force in this process, as a sentence. */
  trouble: string | null;
}

export interface ShadowStanding {
  hash: string;
  document: PolicyDocument;
  at: number;
  by: string;
}

/** The result of checking a valid policy. */
export interface PolicyCheck {
  hash: string;
  isInForce: boolean;
  /** Warnings about settings that are allowed but probably a mistake. */
  warnings: string[];
}

/** An operator's change of a limiter's policy. */
export interface PolicyOrder {
  limiter: string;
  what: "live" | "roll-back" | "shadow" | "end-shadow";
  /**
   * The hash of the policy that was in force when the operator started. If another policy is in force by now, nothing
   * is changed.
   */
  from: string;
  /** For `shadow` and `end-shadow`: the hash of the shadow that the operator saw. */
  fromShadow?: string | null;
  /** For `live` and `shadow`: the new policy. */
  document?: PolicyDocument;
  reason?: string;
}

/** A change, for the audit log. */
export interface PolicyChange {
  at: number;
  limiter: string;
  what: string;
  before: string | null;
  after: string | null;
  reason: string | null;
  by: string | null;
}

/** Decisions of a replay with the same result. */
export interface ReplayedGroup {
  decisions: number;
  callers: number;
}

/** What another policy would have done to logged traffic, as `summarize` of `headgate-server` returns it. */
export interface PolicyReplay {
  from: number;
  to: number;
  decisions: number;
  callers: number;
  logged: { admitted: ReplayedGroup; refused: ReplayedGroup };
  replayed: { admitted: ReplayedGroup; refused: ReplayedGroup };
  newlyRefused: ReplayedGroup;
  newlyAdmitted: ReplayedGroup;
  cutShort: ReplayedGroup;
  byLimit: readonly { limit: string; refused: number; newlyRefused: number }[];
  /** The waits of refusals, in milliseconds. `hopeless` counts the refusals for which no wait helps. */
  waits: { median: number; most: number; hopeless: number };
  /** The callers with the most changes. Callers are pseudonyms, as in the log. */
  callersMost: readonly {
    layer: string;
    partition: string;
    decisions: number;
    newlyRefused: number;
    newlyAdmitted: number;
  }[];
  caveats: readonly string[];
}

/**
 * Replays the decision log of one limiter under another policy.
 *
 * @param lastMs how far back to count decisions, in milliseconds; `undefined` for the whole log
 * @throws OperatorMistake if the replay is not possible, with the reason
 */
export type ReplayPolicy = (
  limiter: string,
  document: PolicyDocument,
  lastMs: number | undefined,
) => Promise<PolicyReplay>;

/**
 * The console's access to policies, as `livePolicies` creates it. Methods throw an `OperatorMistake` for mistakes that
 * the operator can correct, and a {@link PolicyConflict} if another operator was first.
 */
export interface PolicyDesk {
  list(): Promise<PolicyStanding[]>;
  /** Checks a policy, without changing anything. */
  check(limiter: string, document: PolicyDocument): PolicyCheck;
  /** @returns a sentence that describes the change */
  change(order: PolicyOrder, by: string): Promise<string>;
  /** Returns the latest changes, at most `most`, newest first. */
  log(most: number): Promise<PolicyChange[]>;
  /** Replays the decision log; absent if no log is kept. */
  replay?: ReplayPolicy;
}

/** The error if the policy in force is not the policy from which the change started. */
export class PolicyConflict extends Error {
  override readonly name = "PolicyConflict";
}
