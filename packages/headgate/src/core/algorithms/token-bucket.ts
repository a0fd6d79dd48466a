import { greatestCommonDivisor, type Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/** The state: how full the bucket was, in ticks (see `scaleOf`), and when. It drains as time passes. */
const stamp = 0;
const level = 1;

/**
 * The generic cell rate algorithm (ITU-T I.371): a bucket of `quota` units that drains evenly over the window.
 * For weighted budgets and for pacing; it can go into debt when a true cost is settled.
 *
 * Error, by design: a full burst and the refill of a window may meet in one interval, so that up to `2 * quota - 1`
 * units are admitted within one window.
 */
export const tokenBucket: Algorithm = {
  length: () => 2,
  growth: 0,

  waitMs(row, at, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    const scale = scaleOf(limit);
    return drainMs(levelAt(row, at, scale, now) + need * scale.ticksPerUnit - scale.capacity, scale);
  },

  read(row, at, limit, now, into, place) {
    const scale = scaleOf(limit);
    const full = levelAt(row, at, scale, now);
    const free = Math.max(0, Math.floor((scale.capacity - full) / scale.ticksPerUnit));
    into[place] = free;
    into[place + 1] =
      full === 0 ? 0 : drainMs(full + (free + 1) * scale.ticksPerUnit - scale.capacity, scale);
  },

  charge(row, at, limits, now, amount) {
    const scale = scaleOf(only(limits));
    const before = levelAt(row, at, scale, now);
    row[at + stamp] = Math.max(row[at + stamp] as number, now);
    row[at + level] = before + amount * scale.ticksPerUnit;
    return before;
  },

  /**
   * The mark is the level before the charge. Without the charge, that level would have run dry sooner, and what had
   * drained from then on would have been lost: so much is not given back, or the refund would widen the limit.
   */
  refund(row, at, limits, now, amount, chargedAt, mark) {
    const scale = scaleOf(only(limits));
    const drained = (now - chargedAt) * scale.ticksPerMs;
    const lost = Math.max(0, drained - mark);
    const given = Math.max(0, amount * scale.ticksPerUnit - lost);
    const before = levelAt(row, at, scale, now);
    row[at + stamp] = Math.max(row[at + stamp] as number, now);
    row[at + level] = Math.max(0, before - given);
  },

  blankAt(row, at, limits) {
    const full = row[at + level] as number;
    return full === 0 ? 0 : (row[at + stamp] as number) + drainMs(full, scaleOf(only(limits)));
  },
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

function levelAt(row: Float64Array, at: number, scale: Scale, now: number): number {
  const full = row[at + level] as number;
  const elapsed = now - (row[at + stamp] as number);
  return elapsed <= 0 ? full : Math.max(0, full - elapsed * scale.ticksPerMs);
}

function drainMs(ticks: number, scale: Scale): number {
  return ticks <= 0 ? 0 : Math.ceil(ticks / scale.ticksPerMs);
}

/** Buckets are never shared: each limit drains at a rate of its own. */
function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
