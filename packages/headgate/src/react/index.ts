export { type NoticeLabels, noticeLabels, shortWait, spokenWait } from "./labels.ts";
export { QuotaMeter, type QuotaMeterProps } from "./quota-meter.tsx";
export { RateLimitNotice, type RateLimitNoticeProps } from "./rate-limit-notice.tsx";
export { type Countdown, useCountdown } from "./use-countdown.ts";
export { type RateLimitState, useRateLimit } from "./use-rate-limit.ts";
