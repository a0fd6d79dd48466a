export type { BreakerState, OutageEvent } from "./breaker.ts";
export { guardStore } from "./guarded-store.ts";
export { decideByPolicies } from "./policies.ts";
export { LocalLedger } from "./reconcile/local-ledger.ts";
export type { StoreCounters, StoreStatus } from "./status.ts";
