import type { Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";

/** Who is inside: `[id, weight, expiry, id, weight, expiry, …]`, in the order of arrival. */
export interface Leases {
  held: number[];
  /** No lease has had this id, nor a higher one. */
  next: number;
}

const idsPerMs = 256;

/**
 * "No more than `quota` at the same time": leases that are given back, renewed by a heartbeat, or end by themselves
 * when the heartbeat stops for `windowMs`. Exact, without error.
 *
 * The wait is until enough leases have ended if none is renewed and none is given back: whoever gives back sooner
 * makes it shorter, whoever goes on renewing makes it longer. No algorithm can know which.
 */
export const concurrent: Algorithm<Leases> = {
  blank: () => ({ held: [], next: 1 }),

  waitMs(leases, limit, now, need) {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    let over = weightAt(leases, now) + need - limit.quota;
    if (over <= 0) return 0;
    for (const [weight, expiry] of byExpiry(leases, now)) {
      over -= weight;
      if (over <= 0) return expiry - now;
    }
    return 0;
  },

  remaining(leases, limit, now) {
    return Math.max(0, limit.quota - weightAt(leases, now));
  },

  resetMs(leases, limit, now) {
    const left = concurrent.remaining(leases, limit, now);
    return left === limit.quota ? 0 : concurrent.waitMs(leases, limit, now, left + 1);
  },

  charge(leases, limits, now, amount) {
    if (amount === 0) return 0;
    dropEnded(leases, now);
    // Ids grow with time, so that a state which was reset or forgotten never gives one out again: a late release must
    // not end somebody else's lease.
    const id = Math.max(leases.next, now * idsPerMs);
    leases.next = id + 1;
    leases.held.push(id, amount, now + only(limits).windowMs);
    return id;
  },

  refund(leases, _limits, _now, amount, _chargedAt, mark) {
    const { held } = leases;
    for (let i = 0; i < held.length; i += 3) {
      if (held[i] !== mark) continue;
      const left = (held[i + 1] as number) - amount;
      if (left > 0) held[i + 1] = left;
      else held.splice(i, 3);
      return;
    }
  },

  renew(leases, limits, now, mark) {
    const { held } = leases;
    for (let i = 0; i < held.length; i += 3) {
      // One that has ended is not brought back to life: its place may have been taken.
      if (held[i] !== mark || (held[i + 2] as number) <= now) continue;
      held[i + 2] = Math.max(held[i + 2] as number, now + only(limits).windowMs);
    }
  },

  blankAt(leases) {
    let latest = 0;
    for (let i = 2; i < leases.held.length; i += 3) latest = Math.max(latest, leases.held[i] as number);
    return latest;
  },

  copy: ({ held, next }) => ({ held: held.slice(), next }),
};

function weightAt({ held }: Leases, now: number): number {
  let weight = 0;
  for (let i = 0; i < held.length; i += 3) if ((held[i + 2] as number) > now) weight += held[i + 1] as number;
  return weight;
}

function byExpiry({ held }: Leases, now: number): [weight: number, expiry: number][] {
  const live: [number, number][] = [];
  for (let i = 0; i < held.length; i += 3) {
    const expiry = held[i + 2] as number;
    if (expiry > now) live.push([held[i + 1] as number, expiry]);
  }
  return live.sort((a, b) => a[1] - b[1]);
}

function dropEnded(leases: Leases, now: number): void {
  const { held } = leases;
  let kept = 0;
  for (let i = 0; i < held.length; i += 3) {
    if ((held[i + 2] as number) <= now) continue;
    held[kept] = held[i] as number;
    held[kept + 1] = held[i + 1] as number;
    held[kept + 2] = held[i + 2] as number;
    kept += 3;
  }
  held.length = kept;
}

function only(limits: readonly Limit[]): Limit {
  return limits[0] as Limit;
}
