import { greatestCommonDivisor, type Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/**
 * The state:
 *
 * - when it was last updated, and how full the bucket was then, in ticks (see `Scale`)
 * - since when the bucket has not been empty
 * - the scale of the ticks: ticks per unit, and ticks drained per millisecond
 * - how many units have been given back since it was last empty
 */
const stamp = 0;
const level = 1;
const since = 2;
const perUnit = 3;
const perMs = 4;
const given = 5;

/**
 * The generic cell rate algorithm (ITU-T I.371): a bucket of `quota` units that drains evenly over the window. For
 * weighted budgets and for pacing. It can go into debt when the true cost is settled.
 *
 * Error, by design: a full burst and a window's refill may fall into the same interval, so up to `2 * quota - 1` units
 * are admitted within one window.
 */
export const tokenBucket: Algorithm = {
  length: () => 6,
  growth: 0,

  waitMs(row, at, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    const scale = scaleOf(limit);
    return drainMs(
      levelAt(row, at, scale, now) + need * scale.ticksPerUnit - scale.capacity,
      scale.ticksPerMs,
    );
  },

  read(row, at, limit, now, into, place) {
    const scale = scaleOf(limit);
    const full = levelAt(row, at, scale, now);
    const free = Math.max(0, Math.floor((scale.capacity - full) / scale.ticksPerUnit));
    into[place] = free;
    into[place + 1] =
      full === 0 ? 0 : drainMs(full + (free + 1) * scale.ticksPerUnit - scale.capacity, scale.ticksPerMs);
  },

  charge(row, at, limits, now, amount) {
    const scale = scaleOf(only(limits));
    const before = levelAt(row, at, scale, now);
    if (before === 0) begin(row, at, now);
    else if (isFaster(row, at, scale)) row[at + since] = row[at + stamp] as number;
    row[at + stamp] = Math.max(row[at + stamp] as number, now);
    row[at + level] = before + amount * scale.ticksPerUnit;
    row[at + perUnit] = scale.ticksPerUnit;
    row[at + perMs] = scale.ticksPerMs;
    return before + (row[at + given] as number) * scale.ticksPerUnit;
  },

  chargeAlong(row, at, _limits, now, amount) {
    const before = drained(row, at, now);
    if (before === 0) begin(row, at, now);
    row[at + stamp] = Math.max(row[at + stamp] as number, now);
    row[at + level] = before + amount * (row[at + perUnit] as number);
    return before + (row[at + given] as number) * (row[at + perUnit] as number);
  },

  /** Otherwise a caller refused under a slower rate would be admitted once the old rate has drained the bucket. */
  adapt(row, at, limits, now) {
    const scale = scaleOf(only(limits));
    if (isOfScale(row, at, scale) || drained(row, at, now) === 0) return false;
    const full = convertedLevel(row, at, scale);
    if (isFaster(row, at, scale)) row[at + since] = row[at + stamp] as number;
    row[at + level] = full;
    row[at + perUnit] = scale.ticksPerUnit;
    row[at + perMs] = scale.ticksPerMs;
    return true;
  },

  /**
   * The mark is the level before the charge plus what had been given back by then. Without the charge, that level would
   * have run dry sooner, and everything that drained after that would have been lost. That amount is not given back, or
   * the refund would widen the limit. Units given back since then may have been part of that level, so they are
   * subtracted from it. A charge from before the bucket was last empty gives nothing back.
   */
  refund(row, at, limits, now, amount, chargedAt, mark) {
    const ticksPerUnit = row[at + perUnit] as number;
    const ticksPerMs = row[at + perMs] as number;
    const emptyAt = row[at + since] as number;
    // While the clock is set back, a new charge seems older than `emptyAt`.
    if (ticksPerUnit === 0 || (chargedAt < emptyAt && emptyAt <= now)) return;
    const scale = scaleOf(only(limits));
    // Convert the mark to the scale of the state, which other limits may have changed since.
    const marked =
      scale.ticksPerUnit === ticksPerUnit ? mark : Math.floor((mark / scale.ticksPerUnit) * ticksPerUnit);
    const before = Math.max(0, marked - (row[at + given] as number) * ticksPerUnit);
    const lost = Math.max(0, (now - chargedAt) * ticksPerMs - before);
    const back = Math.max(0, amount * ticksPerUnit - lost);
    const left = Math.max(0, drained(row, at, now) - back);
    row[at + stamp] = Math.max(row[at + stamp] as number, now);
    row[at + level] = left;
    row[at + given] = (row[at + given] as number) + amount;
  },

  countsAfter: (limits, now) => now - only(limits).windowMs,

  /**
   * Everything that drained since the bucket was last empty was spent since then. Assume that it was spent as late as
   * possible.
   */
  spentAfter(row, at, _limits, now, after) {
    const full = drained(row, at, now);
    if (full === 0) return 0;
    const ms = Math.max(0, Math.min(now - after, now - (row[at + since] as number)));
    return Math.ceil(full / (row[at + perUnit] as number) + ratePerMs(row, at) * ms);
  },

  adopt(row, at, limits, now, other, otherAt) {
    const scale = scaleOf(only(limits));
    const full = levelAt(other, otherAt, scale, now);
    if (full <= (row[at + level] as number)) return;
    row[at + since] = other[otherAt + (isFaster(other, otherAt, scale) ? stamp : since)] as number;
    row[at + stamp] = Math.max(other[otherAt + stamp] as number, now);
    row[at + level] = full;
    row[at + perUnit] = scale.ticksPerUnit;
    row[at + perMs] = scale.ticksPerMs;
    row[at + given] = other[otherAt + given] as number;
  },

  blankAt(row, at) {
    const full = row[at + level] as number;
    return full === 0 ? 0 : (row[at + stamp] as number) + drainMs(full, row[at + perMs] as number);
  },
};

/**
 * How a bucket is counted in whole numbers, so that no decision depends on rounding. A tick is the largest step that
 * divides both one unit and what drains in one millisecond. `defineLimit` refuses limits whose capacity exceeds 2^53
 * ticks.
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

/** Starts a bucket that was empty until now. */
function begin(row: Float64Array, at: number, now: number): void {
  row[at + since] = now;
  row[at + given] = 0;
}

/** The level now, in ticks of this scale. */
function levelAt(row: Float64Array, at: number, scale: Scale, now: number): number {
  const full = drained(row, at, now);
  if (full === 0 || isOfScale(row, at, scale)) return full;
  const elapsed = Math.max(0, now - (row[at + stamp] as number));
  return Math.max(0, convertedLevel(row, at, scale) - elapsed * scale.ticksPerMs);
}

/** The level now, in ticks of the state's own scale. */
function drained(row: Float64Array, at: number, now: number): number {
  const full = row[at + level] as number;
  const elapsed = now - (row[at + stamp] as number);
  return elapsed <= 0 ? full : Math.max(0, full - elapsed * (row[at + perMs] as number));
}

/**
 * Returns the level that the bucket would have had at its stamp if this had been the quota since it was last empty.
 * Under a slower rate less would have drained, and the bucket might have been full. Under a faster rate the units stay
 * the same. Units are fractions here and are rounded up at the end. All stores do the same steps in the same order.
 */
function convertedLevel(row: Float64Array, at: number, scale: Scale): number {
  let units = (row[at + level] as number) / (row[at + perUnit] as number);
  const slower = ratePerMs(row, at) - scale.ticksPerMs / scale.ticksPerUnit;
  const ms = (row[at + stamp] as number) - (row[at + since] as number);
  if (slower > 0 && ms > 0) {
    units = Math.max(units, Math.min(scale.capacity / scale.ticksPerUnit, units + slower * ms));
  }
  return Math.ceil(units * scale.ticksPerUnit);
}

function ratePerMs(row: Float64Array, at: number): number {
  return (row[at + perMs] as number) / (row[at + perUnit] as number);
}

function isOfScale(row: Float64Array, at: number, { ticksPerUnit, ticksPerMs }: Scale): boolean {
  return row[at + perUnit] === ticksPerUnit && row[at + perMs] === ticksPerMs;
}

function isFaster(row: Float64Array, at: number, scale: Scale): boolean {
  return !isOfScale(row, at, scale) && scale.ticksPerMs / scale.ticksPerUnit > ratePerMs(row, at);
}

function drainMs(ticks: number, ticksPerMs: number): number {
  return ticks <= 0 ? 0 : Math.ceil(ticks / ticksPerMs);
}

/** Limits never share a bucket, because each drains at its own rate. */
function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
