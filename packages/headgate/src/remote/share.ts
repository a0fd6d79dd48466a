import { defineLimit, type Limit } from "../core/limit.ts";
import type { LimitSet } from "../core/limit-set.ts";

const shares = new WeakMap<LimitSet, Map<number, LimitSet>>();
/** How many shares of a set of limits are kept, newest first: the number of processes changes. */
const mostShares = 16;
const wholes = new WeakMap<LimitSet, LimitSet>();

/**
 * The same limits with a share of each quota, rounded down, at least one unit: windows, names and grouping stay. A
 * share that would make a token bucket too fine for whole numbers is rounded down further.
 *
 * @param instances how many instances share the quotas, from 1 up; 1 returns the limits themselves, as `unlimited` does.
 */
export function shareOf(limits: LimitSet, instances: number): LimitSet {
  if (instances === 1 || limits.word !== undefined) return limits;
  let known = shares.get(limits);
  if (known === undefined) {
    known = new Map();
    shares.set(limits, known);
  }
  let shared = known.get(instances);
  if (shared === undefined) {
    shared = compileShare(limits, instances);
    if (known.size >= mostShares) known.clear();
    known.set(instances, shared);
    wholes.set(shared, limits);
  }
  return shared;
}

/** Returns the limits that these are a share of, or the limits themselves if they are not a share. */
export function wholeOf(limits: LimitSet): LimitSet {
  return wholes.get(limits) ?? limits;
}

function compileShare(limits: LimitSet, instances: number): LimitSet {
  const shared = new Map<Limit, Limit>(limits.limits.map((limit) => [limit, shareOfLimit(limit, instances)]));
  const of = (limit: Limit) => shared.get(limit) as Limit;
  const groups = limits.groups.map((group) => ({ ...group, limits: group.limits.map(of) }));
  return {
    ...limits,
    limits: limits.limits.map(of),
    groups,
    limitsOfGroup: groups.map((group) => group.limits),
  };
}

function shareOfLimit(limit: Limit, instances: number): Limit {
  const quota = Math.max(1, Math.floor(limit.quota / instances));
  for (let step = 1; step <= quota; step *= 10) {
    try {
      return defineLimit({ ...limit, quota: quota - (quota % step) });
    } catch {
      // Too fine for a token bucket: a rounder quota shares more factors with the window.
    }
  }
  return defineLimit({ ...limit, quota: 1 });
}
