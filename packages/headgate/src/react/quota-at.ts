import { type Quota, quotaOf } from "../client/quota.ts";

/**
 * The quota as it must at least be at a later moment if nobody spent meanwhile: one more after a limit's reset, all of
 * it after its window.
 *
 * @param quota as received.
 * @param nowMs the later moment, in milliseconds since the epoch.
 * @returns the same object while nothing has changed.
 */
export function quotaAt(quota: Quota, nowMs: number): Quota {
  const elapsedSeconds = (nowMs - quota.at) / 1000;
  let changed = false;
  const limits = quota.limits.map((limit) => {
    const { quota: most, windowSeconds, remaining, resetSeconds } = limit;
    if (!resetSeconds || elapsedSeconds < resetSeconds) return limit;
    changed = true;
    const whole = most !== undefined && windowSeconds !== undefined && elapsedSeconds >= windowSeconds;
    return whole
      ? { ...limit, remaining: most, resetSeconds: 0 }
      : { ...limit, remaining: Math.min(most ?? Number.POSITIVE_INFINITY, remaining + 1) };
  });
  return changed ? quotaOf(limits, quota.at) : quota;
}
