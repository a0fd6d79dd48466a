import type { State } from "./algorithms/index.ts";
import type { Limit } from "./limit.ts";
import type { LimitGroup, LimitSet } from "./limit-set.ts";
import type { Charge, Reading } from "./store.ts";

/** The states of one partition, one for each group of its limits. */
export type States = readonly State[];

export function blankStates(limits: LimitSet): State[] {
  return limits.groups.map((group) => group.algorithm.blank());
}

/** The longest wait among the limits of one charge: 0 where it is admitted. */
export function waitOf(states: States, charge: Charge, now: number): number {
  const { groups } = charge.limits;
  let longest = 0;
  for (let g = 0; g < groups.length; g += 1) {
    const group = groups[g] as LimitGroup;
    const need = charge.needs[g] as number;
    if (need === 0) continue;
    for (const limit of group.limits) {
      const wait = group.algorithm.waitMs(states[g], limit, now, need);
      if (wait > longest) longest = wait;
    }
  }
  return longest;
}

/**
 * Spends what a charge asks for, without asking whether it is free. Returns the marks, one a group.
 *
 * @param kept for each group, every limit that still reads its state: none of them may lose what it counts.
 */
export function spend(
  states: States,
  limits: LimitSet,
  kept: readonly (readonly Limit[])[],
  spends: readonly number[],
  now: number,
): number[] {
  const { groups } = limits;
  const marks = new Array<number>(groups.length);
  for (let g = 0; g < groups.length; g += 1) {
    const { algorithm } = groups[g] as LimitGroup;
    marks[g] = algorithm.charge(states[g], kept[g] as readonly Limit[], now, spends[g] as number);
  }
  return marks;
}

/** Reads every limit, in the order in which the limits were written. */
export function readLimits(
  states: States,
  limits: LimitSet,
  now: number,
  waits: readonly number[] | undefined,
): Reading[] {
  return limits.limits.map((limit, index) => {
    const g = limits.groupOf[index] as number;
    const { algorithm } = limits.groups[g] as LimitGroup;
    const state = states[g];
    return {
      remaining: algorithm.remaining(state, limit, now),
      waitMs: waits === undefined ? 0 : (waits[index] as number),
      resetMs: algorithm.resetMs(state, limit, now),
    };
  });
}

/** How long each limit makes this charge wait, in the order in which the limits were written. */
export function waitsOf(states: States, charge: Charge, now: number): number[] {
  const { limits, groups, groupOf } = charge.limits;
  return limits.map((limit, index) => {
    const g = groupOf[index] as number;
    const need = charge.needs[g] as number;
    return need === 0 ? 0 : (groups[g] as LimitGroup).algorithm.waitMs(states[g], limit, now, need);
  });
}

/** From this moment on the states are worth no more than blank ones. */
export function blankAt(states: States, limits: LimitSet, kept: readonly (readonly Limit[])[]): number {
  let latest = 0;
  for (let g = 0; g < states.length; g += 1) {
    const at = (limits.groups[g] as LimitGroup).algorithm.blankAt(states[g], kept[g] as readonly Limit[]);
    if (at > latest) latest = at;
  }
  return latest;
}

export function copyStates(states: States, limits: LimitSet): State[] {
  return limits.groups.map((group, g) => group.algorithm.copy(states[g]));
}
