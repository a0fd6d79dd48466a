import { beginOverride, blocked, type Override, type OverrideTerms } from "../core/override.ts";
import type { Charge, Outcome } from "../core/store.ts";
import { PartitionMap } from "../remote/refusal-memory/partition-map.ts";

interface Partition {
  readonly space: string;
  readonly key: string;
}

interface Known {
  /** Absent: the store has just said that none is in force. */
  readonly override: Override | undefined;
  /** When it ends, by the limiter's clock. */
  readonly until: number;
  readonly heardAt: number;
}

/** For so long a caller who is refused without the store is known to have no override. */
const noneForMs = 1000;

/**
 * The overrides that this process has met. A request is asked for under them at once, in one trip; and while the store
 * cannot be asked they stay in force, as no block may end because a store is down. It knows only those of callers whom it
 * decided, or overrode, itself; one that it has forgotten costs a trip.
 */
export interface KnownOverrides {
  /** Whether nothing is known of anybody. */
  readonly isEmpty: boolean;
  /** Grows with each change of this process's own: an answer that was asked for before says nothing of it. */
  readonly changes: number;
  /**
   * Learns from an answer of the store.
   *
   * @param asOf what `changes` was when it was asked for.
   */
  learn(charges: readonly Charge[], outcome: Outcome, now: number, asOf: number): void;
  /** This process has put it into force. */
  begin(partitions: readonly Partition[], terms: OverrideTerms, now: number): void;
  forget(partitions: readonly Partition[]): void;
  /** For each charge, the other limits in force; `undefined` where none are known anywhere. */
  findLimits(charges: readonly Partition[], now: number): (Override | undefined)[] | undefined;
  /** How the store would refuse these charges; `undefined` where no block is known. */
  findBlock(charges: readonly Charge[], now: number): Outcome | undefined;
  /** Whether the store has said within the last second that nothing is in force. */
  hasNone(partition: Partition, now: number): boolean;
  /** The store has just said so. */
  noteNone(partition: Partition, now: number): void;
}

/** @param most how many are kept; the oldest go first. */
export function createKnownOverrides(most: number): KnownOverrides {
  const known = new PartitionMap<Known>();
  let changes = 0;

  function keep({ space, key }: Partition, override: Override | undefined, until: number, now: number) {
    known.setNewest(space, key, { override, until, heardAt: now });
    while (known.size > most) known.deleteOldest(({ heardAt }) => heardAt);
  }

  function find({ space, key }: Partition, now: number): Known | undefined {
    const one = known.get(space, key);
    return one !== undefined && one.until > now ? one : undefined;
  }

  return {
    get isEmpty() {
      return known.size === 0;
    },

    get changes() {
      return changes;
    },

    learn(charges, outcome, now, asOf) {
      const { overrides, refusedFor } = outcome;
      if (asOf !== changes) return;
      // Where a reservation is the reason, nothing was said of overrides.
      if (overrides === undefined && refusedFor !== undefined) return;
      for (let c = 0; c < charges.length; c += 1) {
        const charge = charges[c] as Charge;
        // Decided under an override, it is the one in force.
        const override = overrides === undefined ? charge.override : overrides[c];
        if (override === undefined) known.delete(charge.space, charge.key);
        else keep(charge, override, override.until - outcome.now + now, now);
      }
    },

    begin(partitions, terms, now) {
      changes += 1;
      const override = beginOverride(terms, now);
      for (const partition of partitions) keep(partition, override, override.until, now);
    },

    forget(partitions) {
      changes += 1;
      for (const { space, key } of partitions) known.delete(space, key);
    },

    findLimits(charges, now) {
      if (known.size === 0) return undefined;
      let found: (Override | undefined)[] | undefined;
      for (let c = 0; c < charges.length; c += 1) {
        const override = find(charges[c] as Partition, now)?.override;
        if (override === undefined || override.limits === blocked) continue;
        found ??= charges.map(() => undefined);
        found[c] = override;
      }
      return found;
    },

    findBlock(charges, now) {
      if (known.size === 0) return undefined;
      const overrides = charges.map((charge): Override | undefined => {
        const one = find(charge, now);
        return one?.override && { ...one.override, until: one.until };
      });
      if (!overrides.some((override) => override?.limits === blocked)) return undefined;
      return { admitted: false, now, readings: [], marks: [], refusedFor: "blocked", overrides };
    },

    hasNone(partition, now) {
      const one = find(partition, now);
      return one !== undefined && one.override === undefined;
    },

    noteNone(partition, now) {
      keep(partition, undefined, now + noneForMs, now);
    },
  };
}
