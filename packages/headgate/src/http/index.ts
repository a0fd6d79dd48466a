export {
  type AddressSource,
  callerAddress,
  type HeaderFields,
  normalizeAddress,
  parseTrustProxy,
  type TrustProxy,
  type TrustProxyOptions,
} from "./address/address.ts";
export type { BodySource, ByteStream } from "./body/body-source.ts";
export { boundedJson } from "./body/bounded-json.ts";
export { JsonBodyError, type JsonBodyReason } from "./body/json-body-error.ts";
export type { JsonBounds } from "./body/json-scan.ts";
export {
  type FieldForm,
  type FieldOptions,
  type Fields,
  rateLimitFields,
  writeFields,
} from "./fields/fields.ts";
export type { RequestId } from "./guard/request-id.ts";
export { type KnownAnswer, type KnownProblem, knownAnswer } from "./refusal/known-answer.ts";
export {
  type CapacityProblem,
  type QuotaProblem,
  type Refusal,
  type RefusalBody,
  type RefusalOptions,
  type RefusalProblem,
  refusal,
} from "./refusal/refusal.ts";
