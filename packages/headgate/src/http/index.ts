export { callerAddress, normalizeAddress } from "./address.ts";
export { parseTrustProxy, type TrustProxy } from "./address-trust.ts";
export { type FieldOptions, type Fields, rateLimitFields, writeFields } from "./fields.ts";
export { type Refusal, type RefusalProblem, refusal } from "./refusal.ts";
