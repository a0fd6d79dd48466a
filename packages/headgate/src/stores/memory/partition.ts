import type { State } from "../../core/algorithms/index.ts";
import { blankAt, blankStates, copyStates } from "../../core/deciding.ts";
import type { Limit } from "../../core/limit.ts";
import type { LimitGroup, LimitSet } from "../../core/limit-set.ts";

/** What one caller of one layer has spent. */
export interface Partition {
  limits: LimitSet;
  /** One for each group of `limits`. */
  states: State[];
  /** For each group, every limit that reads its state: more than the group's own where limits vary by caller. */
  kept: readonly (readonly Limit[])[];
  /** From this moment on the partition may be forgotten. */
  blankAt: number;
  /** States under other limits that this partition was also seen with, by the group's id. */
  others: Map<string, Held> | undefined;
}

interface Held {
  group: LimitGroup;
  state: State;
  kept: readonly Limit[];
}

export function createPartition(limits: LimitSet): Partition {
  return { limits, states: blankStates(limits), kept: limits.limitsOfGroup, blankAt: 0, others: undefined };
}

export function copyPartition(from: Partition): Partition {
  const others =
    from.others &&
    new Map(
      [...from.others].map(([id, held]) => [id, { ...held, state: held.group.algorithm.copy(held.state) }]),
    );
  return { ...from, states: copyStates(from.states, from.limits), others };
}

/** Makes `states` those of these limits. Nothing spent under other limits is forgotten. */
export function showLimits(partition: Partition, limits: LimitSet): void {
  if (partition.limits === limits) return;
  const held = new Map(partition.others);
  partition.limits.groups.forEach((group, g) => {
    held.set(group.id, { group, state: partition.states[g], kept: partition.kept[g] as readonly Limit[] });
  });
  const shown = limits.groups.map((group) => {
    const found = held.get(group.id);
    held.delete(group.id);
    if (found === undefined) return { state: group.algorithm.blank(), kept: group.limits };
    return { state: found.state, kept: [...new Set([...found.kept, ...group.limits])] };
  });
  partition.limits = limits;
  partition.states = shown.map(({ state }) => state);
  partition.kept = shown.map(({ kept }) => kept);
  partition.others = held.size > 0 ? held : undefined;
}

/** Call it after every change to the states. */
export function updateBlankAt(partition: Partition): void {
  let latest = blankAt(partition.states, partition.limits, partition.kept);
  for (const { group, state, kept } of partition.others?.values() ?? []) {
    latest = Math.max(latest, group.algorithm.blankAt(state, kept));
  }
  partition.blankAt = latest;
}
