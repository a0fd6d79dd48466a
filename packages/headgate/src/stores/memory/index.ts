import { blankStates, readLimits, spend, waitOf, waitsOf } from "../../core/deciding.ts";
import { HeadgateError } from "../../core/errors.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Outcome, Reading, Store } from "../../core/store.ts";
import { type Partition, showLimits, updateBlankAt } from "./partition.ts";
import { type Room, Space } from "./space.ts";

export interface MemoryStoreOptions {
  /**
   * How many partitions are told apart at most, over all layers; 1,000,000 by default. Beyond it, unseen callers
   * share accounts, which may refuse early but never widens a limit.
   */
  maxPartitions?: number;
}

/** The store of this process. Everything is answered at once, without a promise. */
export interface MemoryStore extends Store {
  readonly name: "memory";
  readonly remote: false;
  decide(charges: readonly Charge[], now: number, peek: boolean): Outcome;
  adjust(adjustments: readonly Adjustment[], now: number): Outcome;
  reset(partitions: readonly { space: string; key: string; limits: LimitSet }[], now: number): void;
  /** How full it is. */
  readonly size: { readonly partitions: number; readonly maxPartitions: number };
}

const defaultMaxPartitions = 1_000_000;

/**
 * Counts in the memory of this process: synchronous, exact, without timers, and bounded.
 *
 * @throws HeadgateError `option-invalid`
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { maxPartitions = defaultMaxPartitions } = options;
  if (!Number.isSafeInteger(maxPartitions) || maxPartitions < 1) {
    throw new HeadgateError(
      "option-invalid",
      `maxPartitions must be a whole number from 1 up, got ${String(maxPartitions)}.`,
    );
  }

  const room: Room = { held: 0, most: maxPartitions };
  const spaces = new Map<string, Space>();

  function spaceOf(name: string): Space {
    let space = spaces.get(name);
    if (space === undefined) {
      space = new Space(room);
      spaces.set(name, space);
    }
    return space;
  }

  return {
    name: "memory",
    remote: false,

    get size() {
      return { partitions: room.held, maxPartitions };
    },

    decide(charges, now, peek) {
      const count = charges.length;
      const partitions = new Array<Partition | undefined>(count);
      let admitted = true;
      for (let c = 0; c < count; c += 1) {
        const charge = charges[c] as Charge;
        const partition = spaceOf(charge.space).find(charge.key, now);
        if (partition !== undefined) showLimits(partition, charge.limits);
        partitions[c] = partition;
        if (waitOf(statesOf(partition, charge.limits), charge, now) > 0) admitted = false;
      }

      const readings = new Array<Reading[]>(count);
      const marks = new Array<number[]>(count);
      for (let c = 0; c < count; c += 1) {
        const charge = charges[c] as Charge;
        const { limits } = charge;
        if (!admitted || peek) {
          const states = statesOf(partitions[c], limits);
          readings[c] = readLimits(states, limits, now, waitsOf(states, charge, now));
          continue;
        }
        const space = spaceOf(charge.space);
        const partition = space.open(charge.key, limits, now);
        showLimits(partition, limits);
        marks[c] = spend(partition.states, limits, partition.kept, charge.spends, now);
        settleBlankAt(space, partition);
        readings[c] = readLimits(partition.states, limits, now, undefined);
      }
      return { admitted, now, readings, marks: admitted && !peek ? marks : [] };
    },

    adjust(adjustments, now) {
      const readings = adjustments.map(({ space: name, key, limits, refunds, renewals, spends }) => {
        const space = spaceOf(name);
        const spending = spends.some((amount) => amount > 0);
        const partition = spending ? space.open(key, limits, now) : space.find(key, now);
        if (partition === undefined)
          return { marks: [], readings: readLimits(blank(limits), limits, now, undefined) };
        showLimits(partition, limits);
        for (const { group, amount, chargedAt, mark } of refunds) {
          const algorithm = limits.groups[group]?.algorithm;
          algorithm?.refund(
            partition.states[group],
            limits.limitsOfGroup[group] ?? [],
            now,
            amount,
            chargedAt,
            mark,
          );
        }
        for (const { group, mark } of renewals) {
          const algorithm = limits.groups[group]?.algorithm;
          algorithm?.renew?.(partition.states[group], limits.limitsOfGroup[group] ?? [], now, mark);
        }
        const marks = spend(partition.states, limits, partition.kept, spends, now);
        settleBlankAt(space, partition);
        return { marks, readings: readLimits(partition.states, limits, now, undefined) };
      });
      return {
        admitted: true,
        now,
        readings: readings.map((each) => each.readings),
        marks: readings.map((each) => each.marks),
      };
    },

    reset(partitions, now) {
      for (const { space, key, limits } of partitions) spaceOf(space).reset(key, limits, now);
    },

    close() {
      spaces.clear();
      room.held = 0;
    },
  };
}

function settleBlankAt(space: Space, partition: Partition): void {
  updateBlankAt(partition);
  space.noteOverflow(partition);
}

function statesOf(partition: Partition | undefined, limits: LimitSet): readonly unknown[] {
  return partition?.states ?? blank(limits);
}

/** Reading a blank state changes nothing, so that one serves all. */
const blanks = new WeakMap<LimitSet, readonly unknown[]>();

function blank(limits: LimitSet): readonly unknown[] {
  let states = blanks.get(limits);
  if (states === undefined) {
    states = blankStates(limits);
    blanks.set(limits, states);
  }
  return states;
}
