import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/**
 * The state: how many numbers the leases take, the lowest id that no lease has had; then the leases in the order of
 * arrival, three numbers each: id, weight, expiry.
 */
const size = 0;
const next = 1;
const first = 2;

const idsPerMs = 256;

/**
 * "No more than `quota` at the same time": leases that are given back, renewed by a heartbeat, or end by themselves
 * when the heartbeat stops for `windowMs`. Exact, without error.
 *
 * The wait is until enough leases have ended if none is renewed and none is given back: whoever gives back sooner
 * makes it shorter, whoever goes on renewing makes it longer. No algorithm can know which.
 */
export const concurrent: Algorithm = {
  length: (row, at) => endOf(row, at) - at,
  growth: 3,

  waitMs(row, at, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    let over = weightAt(row, at, now) + need - limit.quota;
    if (over <= 0) return 0;
    for (const [weight, expiry] of byExpiry(row, at, now)) {
      over -= weight;
      if (over <= 0) return expiry - now;
    }
    return 0;
  },

  read(row, at, limit, now, into, place) {
    const left = Math.max(0, limit.quota - weightAt(row, at, now));
    into[place] = left;
    into[place + 1] = left === limit.quota ? 0 : concurrent.waitMs(row, at, limit, now, left + 1);
  },

  charge(row, at, limits, now, amount) {
    if (amount === 0) return 0;
    concurrent.tidy?.(row, at, now);
    // Ids grow with time, so that a state which was reset or forgotten never gives one out again: a late release must
    // not end somebody else's lease.
    const id = Math.max(num(row, at + next), 1, now * idsPerMs);
    const end = endOf(row, at);
    row[at + next] = id + 1;
    row[end] = id;
    row[end + 1] = amount;
    row[end + 2] = now + only(limits).windowMs;
    row[at + size] = end + 3 - at - first;
    return id;
  },

  refund(row, at, _limits, _now, amount, _chargedAt, mark) {
    const end = endOf(row, at);
    for (let i = at + first; i < end; i += 3) {
      if (row[i] !== mark) continue;
      const left = num(row, i + 1) - amount;
      row[i + 1] = left;
      if (left > 0) return;
      row.copyWithin(i, i + 3, end);
      row[at + size] = num(row, at + size) - 3;
      return;
    }
  },

  renew(row, at, limits, now, mark) {
    const end = endOf(row, at);
    for (let i = at + first; i < end; i += 3) {
      // One that has ended is not brought back to life: its place may have been taken.
      if (row[i] !== mark || num(row, i + 2) <= now) continue;
      row[i + 2] = Math.max(num(row, i + 2), now + only(limits).windowMs);
    }
  },

  tidy(row, at, now) {
    const end = endOf(row, at);
    let kept = at + first;
    for (let i = kept; i < end; i += 3) {
      if (num(row, i + 2) <= now) continue;
      row.copyWithin(kept, i, i + 3);
      kept += 3;
    }
    row[at + size] = kept - at - first;
  },

  blankAt(row, at) {
    const end = endOf(row, at);
    let latest = 0;
    for (let i = at + first; i < end; i += 3) latest = Math.max(latest, num(row, i + 2));
    return latest;
  },
};

function num(row: Float64Array, index: number): number {
  return row[index] as number;
}

function endOf(row: Float64Array, at: number): number {
  return at + first + num(row, at + size);
}

function weightAt(row: Float64Array, at: number, now: number): number {
  const end = endOf(row, at);
  let weight = 0;
  for (let i = at + first; i < end; i += 3) if (num(row, i + 2) > now) weight += num(row, i + 1);
  return weight;
}

function byExpiry(row: Float64Array, at: number, now: number): [weight: number, expiry: number][] {
  const end = endOf(row, at);
  const live: [number, number][] = [];
  for (let i = at + first; i < end; i += 3) {
    const expiry = num(row, i + 2);
    if (expiry > now) live.push([num(row, i + 1), expiry]);
  }
  return live.sort((a, b) => a[1] - b[1]);
}

function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
