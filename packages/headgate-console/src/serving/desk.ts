/** How one limit of a caller stands. */
export interface LimitStanding {
  name: string;
  quota: number;
  unit: string;
  remaining: number;
  /** Until more is left, in milliseconds; `null` where it never is. */
  resetMs: number | null;
}

/** What an operator decided for a caller, and is in force. */
export interface OverrideStanding {
  layer: string;
  limits: string;
  /** Milliseconds since 1970-01-01T00:00Z; `null`: until somebody ends it. */
  until: number | null;
  reason: string | null;
  by: string | null;
}

/** How a caller stands now. */
export interface Standing {
  plan: string | null;
  blocked: boolean;
  /** Whether the store says so; else it did not answer, and this process alone reckons. */
  shared: boolean;
  limits: LimitStanding[];
  overrides: OverrideStanding[];
}

/** What an operator decides for one caller. `of` names the caller. */
export type CallerDecision =
  | { what: "reset" | "end"; of: string }
  | { what: "block"; of: string; forMs?: number; reason?: string }
  | { what: "override"; of: string; limits: string; forMs?: number; reason?: string };

/** One line of the audit log. */
export interface Change {
  at: number;
  what: string;
  of: string;
  limits: string | null;
  until: number | null;
  reason: string | null;
  by: string | null;
  /** Of a change of policy: the hash of the policy before it, and after it. */
  before?: string | null;
  after?: string | null;
}

/**
 * What the console can do about callers: your service's own ways. `limiterDesk` makes one that needs nothing else.
 * Methods throw an {@link OperatorMistake} for what the operator can put right.
 */
export interface CallerDesk {
  /** How a caller is written: shown below the search field. */
  hint: string;
  /**
   * Whether words have the form of a caller's name, known or not: they are never taken for a request's id, which whoever asks may
   * have chosen. Default: an e-mail address, and `account:…`, `user:…`, `visitor:…` and `ip:…`.
   */
  isCaller?(of: string): boolean;
  /** How a caller that a layer counts is written; `undefined` where it is nobody's own, such as what all callers share. */
  nameOf(layer: string, key: string, limiter: string): string | undefined;
  /** @returns `undefined` for a caller whom nobody knows */
  show(of: string): Promise<Standing | undefined>;
  /** @returns how the caller stands afterwards, or `undefined` for a caller whom nobody knows */
  decide(decision: CallerDecision, by: string): Promise<Standing | undefined>;
  /** The blocks and overrides that are in force, the newest first. */
  inForce(): Promise<Change[]>;
  /** What was done last, the newest first, at most `most`. */
  log(most: number): Promise<Change[]>;
}

/** What the console can do about credit, where the service has any. Amounts are as the operator typed them. */
export interface CreditDesk {
  currency: string;
  /**
   * @param id the same for a grant that is sent again: it adds to the account once
   * @returns a sentence that says what was done, or `undefined` for an unknown account
   */
  grant(of: string, amount: string, by: string, id: string): Promise<string | undefined>;
  /** @returns the code, which is shown once */
  issueCode(amount: string, days: number | undefined, by: string): Promise<string>;
}

/** What the operator asked for cannot be done as it was asked; the message says what would be right. */
export class OperatorMistake extends Error {
  override readonly name = "OperatorMistake";
}
