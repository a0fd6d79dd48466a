export { type Client, type ClientOptions, createClient, type RetryOptions } from "./client.ts";
export { PaymentRequiredError, type Problem, RateLimitedError, type Refusal } from "./errors.ts";
export { type LimitQuota, type Quota, readQuota } from "./quota.ts";
export type { Clock, Timer } from "./wait.ts";
