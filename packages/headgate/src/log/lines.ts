import type { DecidedBy, Refused, WaitsFor } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import type { PolicyDocument } from "../policy-document/index.ts";

/** The version of the format: it is raised where a reader of the version before would misread a line. */
export const logVersion = 1;

/** What every line has. */
interface AnyLine {
  v: typeof logVersion;
  /** Numbers the lines of one process, from 1 up. A number that is missing is a line that was lost or cut. */
  n: number;
  /** The process that wrote it: 8 hexadecimal digits, drawn when its log was made. */
  process: string;
  /** When it was applied: milliseconds since 1970-01-01T00:00Z, by the store's clock. */
  at: number;
  /**
   * The order of changes that a shared store made in one millisecond: the lower number came first. Absent if the
   * store does not say (this process's memory, where `n` gives the order; a Redis Cluster, whose nodes have
   * separate clocks).
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
  /** 16 characters, the same for the same key within a segment; `unidentified` and `overlong` are shared by all such callers. */
  partition: string;
}

/** A partition that a decision was about. */
export interface DecidedPartition extends LoggedPartition {
  /** The caller's plan, where the layer has plans. */
  plan?: string;
  /** The caller's own limits, where the layer looks them up for each caller. */
  limits?: string;
}

/** The log of a limiter begins, or continues after a rotation or a loss. */
export interface BeginLine extends LimiterLine {
  type: "begin";
  /** The name of the store. */
  store: string;
  /** Whether other processes count in the same store. */
  shared: boolean;
  /** Names the secret of the pseudonyms: logs with the same segment have the same pseudonyms. */
  segment: string;
}

/** The policy that is in force from now on, in this process. */
export interface PolicyLine extends LimiterLine {
  type: "policy";
  /** As decisions name it. */
  hash: string;
  policy: PolicyDocument;
}

/** One decision of `admit`. */
export interface DecisionLine extends LimiterLine {
  type: "decision";
  /** What later lines of the same process and limiter name it by. */
  id: number;
  /** The id of the request, where it is known. */
  request?: string;
  admitted: boolean;
  by: DecidedBy;
  /** The hash of the policy. */
  policy: string;
  partitions: DecidedPartition[];
  /** As it was given. */
  cost?: Cost;
  /** Of an admitted one: what is left of its tightest limit. */
  left?: number;
  /** Of a refused one. */
  reason?: Refused["reason"];
  /** Of a refused one: the limit that binds. */
  limit?: string;
  /** Of a refused one: the wait in milliseconds; `null` where no wait helps. */
  waitMs?: number | null;
  waitsFor?: WaitsFor;
  /** Where it repeats an earlier answer of the store: when the store gave that answer. */
  asOf?: { at: number; order?: number };
  /** What operators decided for the caller; `until` is `null` where it has no end. */
  overrides?: { layer: string; limits: string; until: number | null }[];
}

/**
 * What an admitted request has used so far, as recorded by the store. If its end changes nothing, there is no line.
 */
export interface SettledLine extends LimiterLine {
  type: "settled";
  /** The `id` of the decision. */
  decision: number;
  /** In all, by unit. All of them 0: it was given back. */
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
  /** As of a decision. */
  asOf?: { at: number; order?: number };
}

/** An override, a block, or the end of either (then without `limits`). */
export interface OverrideLine extends LimiterLine, LoggedPartition {
  type: "override";
  /** Set where it is for all callers whose keys begin so: `partition` is then the pseudonym of that prefix. */
  byPrefix?: true;
  limits?: string;
  /** Milliseconds since 1970-01-01T00:00Z; `null` where it has no end. */
  until?: number | null;
}

export interface ResetLine extends LimiterLine {
  type: "reset";
  partitions: LoggedPartition[];
}

export interface PenaltyLine extends LimiterLine {
  type: "penalty";
  partitions: LoggedPartition[];
  cost: Cost;
}

/** The number of lines lost before this one. */
export interface LostLine extends AnyLine {
  type: "lost";
  lines: number;
  /** The last error of the writer; absent where it was only too slow. */
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
