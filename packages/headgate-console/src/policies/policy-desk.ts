import type { PolicyDocument } from "headgate/policy-document";

/** The policy of one limiter, and the shadow that is tried with it. */
export interface PolicyStanding {
  limiter: string;
  /** Whether operators may change it. */
  canChange: boolean;
  hash: string;
  document: PolicyDocument;
  /** What put it in force; `null`: it is the one of the settings. */
  set: { at: number; by: string; reason: string | null } | null;
  /** What a roll back returns to; `null` where there is nothing before it. */
  before: { hash: string | null; isOfSettings: boolean } | null;
  shadow: ShadowStanding | null;
  /** Why the policy that was set is not in force here, in words. */
  trouble: string | null;
}

export interface ShadowStanding {
  hash: string;
  document: PolicyDocument;
  at: number;
  by: string;
}

/** What is known of a policy before it is tried. */
export interface PolicyCheck {
  hash: string;
  isInForce: boolean;
  /** What is allowed but is probably a mistake, in words. */
  warnings: string[];
}

/** What an operator wants done to a limiter's policy. */
export interface PolicyOrder {
  limiter: string;
  what: "live" | "roll-back" | "shadow" | "end-shadow";
  /** The hash of the policy in force when the operator began: where another is in force by now, nothing is done. */
  from: string;
  /** Of `shadow` and `end-shadow`: the hash of the shadow that the operator saw. */
  fromShadow?: string | null;
  /** Of `live` and `shadow`. */
  document?: PolicyDocument;
  reason?: string;
}

/** What was done, for the audit log. */
export interface PolicyChange {
  at: number;
  limiter: string;
  what: string;
  before: string | null;
  after: string | null;
  reason: string | null;
  by: string | null;
}

/** One kind of decisions in a replay. */
export interface ReplayedGroup {
  decisions: number;
  callers: number;
}

/** What another policy would have done to logged traffic: what `summarize` of `headgate-server` returns. */
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
  /** Milliseconds. */
  waits: { median: number; most: number; hopeless: number };
  /** Callers are pseudonyms, as in the log. */
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
 * @param lastMs how far back decisions are counted, in milliseconds; `undefined`: all that is kept
 * @throws OperatorMistake where it cannot, saying why
 */
export type ReplayPolicy = (
  limiter: string,
  document: PolicyDocument,
  lastMs: number | undefined,
) => Promise<PolicyReplay>;

/**
 * What the console can do about policies: `livePolicies` makes it. Methods throw an `OperatorMistake` for what the operator can put right,
 * and a {@link PolicyConflict} where somebody else was first.
 */
export interface PolicyDesk {
  list(): Promise<PolicyStanding[]>;
  /** Changes nothing. */
  check(limiter: string, document: PolicyDocument): PolicyCheck;
  /** @returns a sentence that says what was done */
  change(order: PolicyOrder, by: string): Promise<string>;
  /** What was done last, the newest first, at most `most`. */
  log(most: number): Promise<PolicyChange[]>;
  /** Absent where no decision log is kept. */
  replay?: ReplayPolicy;
}

/** The policy is no longer the one that a change was made from. */
export class PolicyConflict extends Error {
  override readonly name = "PolicyConflict";
}
