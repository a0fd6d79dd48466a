import type { Limit } from "../../core/limit.ts";
import type { KeyHash } from "./key-hash.ts";
import type { PlannedGroup } from "./kinds.ts";

/** One group of the limits of a batch, its needed units, and the row that it reads. */
export interface Slot {
  group: PlannedGroup;
  readonly key: KeyHash;
  /** The index of its plan's first reading. */
  start: number;
  need: number;
  spend: number;
  row: number;
  numbers: Float64Array<ArrayBuffer>;
  at: number;
  /** The initial state of a new row; only if there is no row yet. */
  begun: Float64Array<ArrayBuffer> | undefined;
}

/** Writes what the group reads. */
export function read({ group, numbers, at, start }: Slot, now: number, into: number[]): void {
  readGroup(group, numbers, at, now, into, start);
}

/** Writes the readings of one group of limits. The readings of its plan begin at `start`. */
export function readGroup(
  { kind, limits, places }: PlannedGroup,
  row: Float64Array,
  at: number,
  now: number,
  into: number[],
  start: number,
): void {
  for (let l = 0; l < limits.length; l += 1) {
    kind.algorithm.read(row, at, limits[l] as Limit, now, into, start + (places[l] as number));
  }
}

/** Whether the needed units are free, according to the readings. */
export function hasRead({ group, need, start }: Slot, into: readonly number[]): boolean {
  if (need === 0) return true;
  const { places } = group;
  for (let l = 0; l < places.length; l += 1) {
    if ((into[start + (places[l] as number)] as number) < need) return false;
  }
  return true;
}

/** Whether the needed units are free, according to the wait. */
export function isFreeFor({ group, need, numbers, at }: Slot, now: number): boolean {
  const { kind, limits } = group;
  for (let l = 0; l < limits.length; l += 1) {
    if (kind.algorithm.waitMs(numbers, at, limits[l] as Limit, now, need) > 0) return false;
  }
  return true;
}
