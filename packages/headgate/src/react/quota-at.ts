import { type LimitQuota, type Quota, quotaOf } from "../client/quota.ts";

/**
 * Returns the least that must remain of a quota at a later moment if nobody spends in between: one more unit after a
 * limit's reset, all units after its window.
 *
 * @param quota the quota as received.
 * @param nowMs the later moment, in milliseconds since the epoch.
 */
export function quotaAt({ limits, at }: Quota, nowMs: number): Quota {
  const elapsedSeconds = (nowMs - at) / 1000;
  const later = limits.map((limit) => {
    const { quota, windowSeconds, remaining, resetSeconds } = limit;
    if (!resetSeconds || elapsedSeconds < resetSeconds) return limit;
    return quota && windowSeconds && elapsedSeconds >= windowSeconds
      ? { ...limit, remaining: quota, resetSeconds: 0 }
      : { ...limit, remaining: Math.min(quota ?? Infinity, remaining + 1) };
  });
  return quotaOf(later, at);
}

/** Returns how much of a limit is used, always from 0 to its quota. */
export function usedOf({ quota = 0, remaining }: LimitQuota): number {
  return Math.min(quota, Math.max(0, quota - remaining));
}
