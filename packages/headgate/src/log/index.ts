export {
  type DecisionLog,
  type DecisionLogOptions,
  type DecisionLogStatus,
  decisionLog,
  type LoggedLimiter,
} from "./decision-log.ts";
export type { LineWriter } from "./line-buffer.ts";
export type {
  BeginLine,
  DecidedPartition,
  DecisionLine,
  ExtendedLine,
  LoggedOverride,
  LoggedPartition,
  LogLine,
  LostLine,
  OverrideLine,
  PenaltyLine,
  PolicyLine,
  ResetLine,
  SettledLine,
} from "./lines.ts";
export { logVersion } from "./lines.ts";
export { type LogFilesOptions, logFiles } from "./log-files.ts";
