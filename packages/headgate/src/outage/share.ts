import { defineLimit, type Limit } from "../core/limit.ts";
import type { LimitSet } from "../core/limit-set.ts";

const shares = new WeakMap<LimitSet, Map<number, LimitSet>>();
const wholes = new WeakMap<LimitSet, LimitSet>();

/**
 * The same limits with a share of each quota, rounded down, at least one unit: windows, names and grouping stay. A
 * share that would make a token bucket too fine for whole numbers is rounded down further.
 *
 * @param share above 0, at most 1; 1 gives the limits themselves.
 */
export function shareOf(limits: LimitSet, share: number): LimitSet {
  if (share === 1) return limits;
  let known = shares.get(limits);
  if (known === undefined) {
    known = new Map();
    shares.set(limits, known);
  }
  let shared = known.get(share);
  if (shared === undefined) {
    shared = compileShare(limits, share);
    known.set(share, shared);
    wholes.set(shared, limits);
  }
  return shared;
}

/** The limits of which these are a share; themselves where they are whole. */
export function wholeOf(limits: LimitSet): LimitSet {
  return wholes.get(limits) ?? limits;
}

function compileShare(limits: LimitSet, share: number): LimitSet {
  const shared = new Map<Limit, Limit>(limits.limits.map((limit) => [limit, shareOfLimit(limit, share)]));
  const of = (limit: Limit) => shared.get(limit) as Limit;
  const groups = limits.groups.map((group) => ({ ...group, limits: group.limits.map(of) }));
  return {
    ...limits,
    limits: limits.limits.map(of),
    groups,
    limitsOfGroup: groups.map((group) => group.limits),
  };
}

function shareOfLimit(limit: Limit, share: number): Limit {
  // 0.7 * 10 is 7.000000000000001 in some orders and 6.999999999999999 in others: what is that close is whole.
  const quota = Math.max(1, Math.floor(limit.quota * share + 1e-9));
  for (let step = 1; step <= quota; step *= 10) {
    try {
      return defineLimit({ ...limit, quota: quota - (quota % step) });
    } catch {
      // Too fine for a token bucket: a rounder quota shares more factors with the window.
    }
  }
  return defineLimit({ ...limit, quota: 1 });
}
