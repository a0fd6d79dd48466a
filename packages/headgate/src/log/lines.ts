import type { DecidedBy, Refused, WaitsFor } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import type { PolicyDocument } from "../policy-document/index.ts";

/** The version of the format. It increases when a reader of the previous version would misread a line. */
export const logVersion = 1;

/** The members of every line. */
interface AnyLine {
  v: typeof logVersion;
  /** The number of the line within its process, from 1 up. A missing number is a line that was lost or cut. */
  n: number;
  /** The process that wrote the line: 8 random hexadecimal digits, chosen when its log was created. */
  process: string;
  /** When the event was applied: milliseconds since 1970-01-01T00:00Z, by the store's clock. */
  at: number;
  /**
   * The order of changes within one millisecond of a shared store: the lower number came first. Absent if the store
   * does not report it (this process's memory, where `n` gives the order; a Redis Cluster, whose nodes have separate
   * clocks).
   */
  order?: number;
}

interface LimiterLine extends AnyLine {
  /** The name of the limiter. */
  limiter: string;
}

/** A partition: the layer, and the pseudonym of its key. */
export interface LoggedPartition {
  layer: string;
  /**
   * 16 characters, the same for the same key within a segment. `unidentified` and `overlong` are shared by all such
   * callers.
   */
  partition: string;
}

/** A partition that a decision charged or checked. */
export interface DecidedPartition extends LoggedPartition {
  /** The caller's plan, if the layer has plans. */
  plan?: string;
  /** The caller's limits, if the layer looks them up for each caller. */
  limits?: string;
}

/** The log of a limiter begins here, or continues after a rotation or a loss. */
export interface BeginLine extends LimiterLine {
  type: "begin";
  /** The name of the store. */
  store: string;
  /** Whether other processes count in the same store. */
  shared: boolean;
  /** Identifies the secret of the pseudonyms: logs with the same segment use the same pseudonyms. */
  segment: string;
}

/** The policy that is in force in this process from this line on. */
export interface PolicyLine extends LimiterLine {
  type: "policy";
  /** The hash that decisions refer to. */
  hash: string;
  policy: PolicyDocument;
}

/** One decision of `admit`. */
export interface DecisionLine extends LimiterLine {
  type: "decision";
  /** Later lines of the same process and limiter refer to the decision by this number. */
  id: number;
  /** The id of the request, if it is known. */
  request?: string;
  admitted: boolean;
  by: DecidedBy;
  /** The hash of the policy. */
  policy: string;
  partitions: DecidedPartition[];
  /** The cost as passed to `admit`. */
  cost?: Cost;
  /** If admitted: the remaining units of the tightest limit. */
  left?: number;
  /** If refused: the reason. */
  reason?: Refused["reason"];
  /** If refused: the limit with the longest wait. */
  limit?: string;
  /** If refused: the wait in milliseconds; `null` if no wait helps. */
  waitMs?: number | null;
  waitsFor?: WaitsFor;
  /** If the refusal repeats an earlier answer of the store: when the store gave that answer. */
  asOf?: { at: number; order?: number };
  /**
   * The operators' overrides for the caller. If a partition has its own override and an override by prefix, both are
   * listed: its own decides, and the limits of the refusal are those of the override by prefix.
   */
  overrides?: LoggedOverride[];
}

/** An override that applied to a decision or a penalty. */
export interface LoggedOverride {
  layer: string;
  limits: string;
  /** Milliseconds since 1970-01-01T00:00Z; `null` if the override has no end. */
  until: number | null;
  /** Set if the override is for all callers whose keys begin with a prefix: the pseudonym of the prefix. */
  prefix?: string;
}

/**
 * The use of an admitted request so far, as recorded by the store. If ending the request changes nothing, there is no
 * line.
 */
export interface SettledLine extends LimiterLine {
  type: "settled";
  /** The `id` of the decision. */
  decision: number;
  /** The total use, by unit. All 0: the request was refunded. */
  used: Cost;
  ended: boolean;
}

/** An admitted request asked to hold more. */
export interface ExtendedLine extends LimiterLine {
  type: "extended";
  decision: number;
  cost: Cost;
  admitted: boolean;
  by: DecidedBy;
  /** When the store gave the answer, if the refusal repeats it, as for a decision. */
  asOf?: { at: number; order?: number };
}

/** An override, a block, or the end of either (then without `limits`). */
export interface OverrideLine extends LimiterLine, LoggedPartition {
  type: "override";
  /**
   * Set if the override is for all callers whose keys begin with a prefix: `partition` is then the pseudonym of the
   * prefix.
   */
  byPrefix?: true;
  limits?: string;
  /** Milliseconds since 1970-01-01T00:00Z; `null` if the override has no end. */
  until?: number | null;
}

export interface ResetLine extends LimiterLine {
  type: "reset";
  partitions: LoggedPartition[];
}

export interface PenaltyLine extends LimiterLine {
  type: "penalty";
  partitions: DecidedPartition[];
  cost: Cost;
  /** The operators' overrides that the penalty was charged under. */
  overrides?: LoggedOverride[];
}

/** The number of lines lost before this one. */
export interface LostLine extends AnyLine {
  type: "lost";
  lines: number;
  /** The last error of the writer; absent if the writer was only too slow. */
  reason?: string;
}

/** One line of a decision log, as JSON. */
export type LogLine =
  | BeginLine
  | PolicyLine
  | DecisionLine
  | SettledLine
  | ExtendedLine
  | OverrideLine
  | ResetLine
  | PenaltyLine
  | LostLine;
