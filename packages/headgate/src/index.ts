export type {
  Admission,
  Admitted,
  AppliedOverride,
  ClaimEnd,
  DecidedBy,
  Extension,
  Known,
  LimitReading,
  Peek,
  Refused,
  WaitsFor,
} from "./core/admission.ts";
export type { Claim, ClaimChange, KnownClaim } from "./core/claim.ts";
export { claimPartition } from "./core/claim-state.ts";
export type { Clock } from "./core/clock.ts";
export type { Cost } from "./core/cost.ts";
export { HeadgateError, type HeadgateErrorCode } from "./core/errors.ts";
export { parseLimits } from "./core/grammar.ts";
export {
  type AlgorithmName,
  defineLimit,
  formatLimit,
  type Limit,
  type LimitOptions,
} from "./core/limit.ts";
export type { LimitSet, LimitsInput } from "./core/limit-set.ts";
export type {
  ChangedEvent,
  DecisionPartition,
  DecisionPlace,
  EventPartition,
  ExtendedEvent,
  Moment,
  SettledEvent,
} from "./core/limiter-events.ts";
export type { OutageOption, OutagePolicy } from "./core/outage-policy.ts";
export type { Override, OverrideTerms } from "./core/override.ts";
export {
  adjustStates,
  type DecidedStates,
  decideStates,
  type KeptState,
  type LoadState,
  overrideStates,
  type PartitionState,
  resetStates,
} from "./core/partition-state.ts";
export type {
  Layer,
  LayerOptions,
  LayerWithLimits,
  LayerWithLimitsByCaller,
  LayerWithPlans,
  Policy,
} from "./core/policy.ts";
export type { Adjustment, Charge, Hold, Outcome, Reading, Refund, SharedText, Store } from "./core/store.ts";
export type { UnitsOf } from "./core/units.ts";
export type {
  ClaimOptions,
  DecisionEvent,
  DecisionOptions,
  EndEvent,
  KnownEvent,
  Limiter,
  LimiterObserver,
  LimiterOptions,
  LimiterStatus,
  PeekOptions,
  Timeouts,
} from "./limiter/contract.ts";
export {
  type CallId,
  type GuardedFunctionOptions,
  guard,
  KnownError,
  RefusedError,
} from "./limiter/guard.ts";
export { createLimiter } from "./limiter/limiter.ts";
export type { LayerChange } from "./limiter/live-policy.ts";
export type { WaitOptions } from "./limiter/waiting.ts";
export type { PrefixOverride, PrefixTarget } from "./overriding/prefixes.ts";
export type {
  BlockOptions,
  OverrideOptions,
  OverrideTarget,
  PrefixOverrideOptions,
} from "./overriding/terms.ts";
export type { BreakerState, OutageEvent, StoreCounters, StoreStatus } from "./remote/index.ts";
export type { ShadowLayerReport, ShadowReport } from "./shadow/report.ts";
export type { ShadowEvent } from "./shadow/shadow.ts";
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from "./stores/memory/index.ts";
