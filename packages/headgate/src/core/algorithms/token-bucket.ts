import { greatestCommonDivisor, type Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/** How full the bucket was at a stamp. It drains as time passes; full means that nothing is free. */
export interface Bucket {
  stamp: number;
  /** In ticks: see `scaleOf`. */
  level: number;
}

/**
 * The generic cell rate algorithm (ITU-T I.371): a bucket of `quota` units that drains evenly over the window.
 * For weighted budgets and for pacing; it can go into debt when a true cost is settled.
 *
 * Error, by design: a full burst and the refill of a window may meet in one interval, so that up to `2 * quota - 1`
 * units are admitted within one window.
 */
export const tokenBucket: Algorithm<Bucket> = {
  blank: () => ({ stamp: 0, level: 0 }),

  waitMs(bucket, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    const scale = scaleOf(limit);
    return drainMs(levelAt(bucket, scale, now) + need * scale.ticksPerUnit - scale.capacity, scale);
  },

  remaining(bucket, limit, now) {
    const scale = scaleOf(limit);
    return Math.max(0, Math.floor((scale.capacity - levelAt(bucket, scale, now)) / scale.ticksPerUnit));
  },

  resetMs(bucket, limit, now) {
    const scale = scaleOf(limit);
    const level = levelAt(bucket, scale, now);
    if (level === 0) return 0;
    const next = tokenBucket.remaining(bucket, limit, now) + 1;
    return drainMs(level + next * scale.ticksPerUnit - scale.capacity, scale);
  },

  charge(bucket, limits, now, amount) {
    const scale = scaleOf(only(limits));
    const before = levelAt(bucket, scale, now);
    bucket.stamp = Math.max(bucket.stamp, now);
    bucket.level = before + amount * scale.ticksPerUnit;
    return before;
  },

  /**
   * The mark is the level before the charge. Without the charge, that level would have run dry sooner, and what had
   * drained from then on would have been lost: so much is not given back, or the refund would widen the limit.
   */
  refund(bucket, limits, now, amount, chargedAt, mark) {
    const scale = scaleOf(only(limits));
    const drained = (now - chargedAt) * scale.ticksPerMs;
    const lost = Math.max(0, drained - mark);
    const given = Math.max(0, amount * scale.ticksPerUnit - lost);
    const level = levelAt(bucket, scale, now);
    bucket.stamp = Math.max(bucket.stamp, now);
    bucket.level = Math.max(0, level - given);
  },

  blankAt(bucket, limits) {
    return bucket.level === 0 ? 0 : bucket.stamp + drainMs(bucket.level, scaleOf(only(limits)));
  },

  copy: (bucket) => ({ ...bucket }),
};

/**
 * Whole numbers only, so that no decision hangs on a rounding: a tick is the largest step of which both one unit and
 * what drains in one millisecond are multiples. `defineLimit` refuses limits whose capacity exceeds 2^53 ticks.
 */
interface Scale {
  ticksPerUnit: number;
  ticksPerMs: number;
  capacity: number;
}

const scales = new WeakMap<Limit, Scale>();

function scaleOf(limit: Limit): Scale {
  let scale = scales.get(limit);
  if (scale === undefined) {
    const divisor = greatestCommonDivisor(limit.quota, limit.windowMs);
    const ticksPerUnit = limit.windowMs / divisor;
    scale = { ticksPerUnit, ticksPerMs: limit.quota / divisor, capacity: limit.quota * ticksPerUnit };
    scales.set(limit, scale);
  }
  return scale;
}

function levelAt(bucket: Bucket, scale: Scale, now: number): number {
  const elapsed = now - bucket.stamp;
  if (elapsed <= 0) return bucket.level;
  return Math.max(0, bucket.level - elapsed * scale.ticksPerMs);
}

function drainMs(ticks: number, scale: Scale): number {
  return ticks <= 0 ? 0 : Math.ceil(ticks / scale.ticksPerMs);
}

/** Buckets are never shared: each limit drains at a rate of its own. */
function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
