export { type FieldOptions, type Fields, rateLimitFields, writeFields } from "./fields.ts";
export { type Refusal, type RefusalProblem, refusal } from "./refusal.ts";
