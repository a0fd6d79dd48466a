/** The state of one limit of a caller. */
export interface LimitStanding {
  name: string;
  quota: number;
  unit: string;
  remaining: number;
  /** Milliseconds until the remaining units grow; `null` if they never do. */
  resetMs: number | null;
}

/** A block or override that is in force for a caller. */
export interface OverrideStanding {
  layer: string;
  limits: string;
  /** When the override ends: milliseconds since 1970-01-01T00:00Z; `null` if an operator must end it. */
  until: number | null;
  reason: string | null;
  by: string | null;
}

/** The current state of a caller. */
export interface Standing {
  plan: string | null;
  blocked: boolean;
  /**
   * Whether the state comes from the store. If not, the store did not answer, and the counts are only this process's.
   */
  shared: boolean;
  limits: LimitStanding[];
  overrides: OverrideStanding[];
}

/** What an operator decides for one caller. `of` names the caller. */
export type CallerDecision =
  | { what: "reset" | "end"; of: string; reason?: string }
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
  /** For a change of policy: the hash of the policy before and after it. */
  before?: string | null;
  after?: string | null;
}

/**
 * The console's access to callers, through your own services. `limiterDesk` creates a desk that needs no service.
 * Methods throw an {@link OperatorMistake} for mistakes that the operator can correct.
 */
export interface CallerDesk {
  /** Explains how to type a caller; shown below the search field. */
  hint: string;
  /**
   * Whether a text has the form of a caller's name, known or not. Such a text is never looked up as a request's id, which the
   * client may have chosen. Default: an e-mail address, and `account:…`, `user:…`, `visitor:…` and `ip:…`.
   */
  isCaller?(of: string): boolean;
  /** Returns the name of a caller that a layer counts; `undefined` if several callers share the key. */
  nameOf(layer: string, key: string, limiter: string): string | undefined;
  /** @returns `undefined` for an unknown caller */
  show(of: string): Promise<Standing | undefined>;
  /** @returns the caller's state afterwards, or `undefined` for an unknown caller */
  decide(decision: CallerDecision, by: string): Promise<Standing | undefined>;
  /** The blocks and overrides that are in force, newest first. */
  inForce(): Promise<Change[]>;
  /** The last actions, newest first, at most `most`. */
  log(most: number): Promise<Change[]>;
}

/** How much credit answers hold and have used, over all accounts. Amounts are formatted, with the currency. */
export interface CostNow {
  held: string;
  /** How many answers hold credit. */
  holders: number;
  usedInHour: string;
  usedInDay: string;
}

/** The console's access to credit, if the service has any. Amounts are as the operator typed them. */
export interface CreditDesk {
  currency: string;
  /** Returns what all processes hold and have used. Called every few seconds. Default: the page shows no cost. */
  cost?(): Promise<CostNow>;
  /**
   * @param id identifies the grant, so that a repeated request adds to the account only once
   * @returns a sentence that describes the result, or `undefined` for an unknown account
   */
  grant(
    of: string,
    amount: string,
    by: string,
    id: string,
    reason: string | undefined,
  ): Promise<string | undefined>;
  /** @returns the code, which is shown once */
  issueCode(
    amount: string,
    days: number | undefined,
    by: string,
    reason: string | undefined,
  ): Promise<string>;
}

/** The error of an operator's request that cannot be carried out. The message says what would be right. */
export class OperatorMistake extends Error {
  override readonly name = "OperatorMistake";
}
