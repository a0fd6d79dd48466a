export {
  type Collector,
  type CollectorOptions,
  type Counted,
  createCollector,
} from "./counting/collector.ts";
export type { RefusalRecord } from "./counting/recent-refusals.ts";
export type { ShadowTotals } from "./counting/shadow-totals.ts";
export type { StoredSummary, Summary } from "./counting/summary.ts";
export type { ManagedLimiter } from "./policies/held.ts";
export { memoryKeeper, type PolicyKeeper, type PolicyStep } from "./policies/keeper.ts";
export {
  type LivePolicies,
  type LivePoliciesOptions,
  livePolicies,
} from "./policies/live-policies.ts";
export {
  type PolicyChange,
  type PolicyCheck,
  PolicyConflict,
  type PolicyDesk,
  type PolicyOrder,
  type PolicyReplay,
  type PolicyStanding,
  type ReplayedGroup,
  type ReplayPolicy,
  type ShadowStanding,
} from "./policies/policy-desk.ts";
export { type ConsoleHandler, type ConsoleOptions, createConsole } from "./serving/console.ts";
export {
  type CallerDecision,
  type CallerDesk,
  type Change,
  type CostNow,
  type CreditDesk,
  type LimitStanding,
  OperatorMistake,
  type OverrideStanding,
  type Standing,
} from "./serving/desk.ts";
export {
  isOperatorsMistake,
  type LimiterDeskOptions,
  limiterDesk,
  overrideInForce,
  standingOf,
} from "./serving/limiter-desk.ts";
export {
  type Operator,
  type OperatorToken,
  type OperatorTokenOptions,
  operatorToken,
  type SignIn,
  type SignInAttempt,
} from "./serving/operator-token.ts";
export type { Link } from "./serving/view.ts";
