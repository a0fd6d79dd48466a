export type { BreakerState, OutageEvent } from "./breaker.ts";
export { guardStore } from "./guarded-store.ts";
export { LocalLedger } from "./local-ledger.ts";
export { decideByPolicies } from "./policies.ts";
export type { StoreCounters, StoreStatus } from "./status.ts";
