import { beginOverride, blocked, type Override, type OverrideTerms } from "../core/override.ts";
import type { Charge, Outcome } from "../core/store.ts";
import { PartitionMap } from "../remote/refusal-memory/partition-map.ts";

interface Partition {
  readonly space: string;
  readonly key: string;
}

interface Known {
  /** The override; absent if the store has just reported that none is in force. */
  readonly override: Override | undefined;
  /** When the override ends, by the limiter's clock. */
  readonly until: number;
  readonly heardAt: number;
}

/** How long this process relies on the store's report that a blocked caller has no override, ms. */
const noneForMs = 1000;

/**
 * The overrides that this process knows. A request is made under them in its first round trip. They stay in force while
 * the store cannot be reached, because an outage must not end a block. A process knows only overrides of callers that
 * it decided or overrode itself. A forgotten override costs one more round trip.
 */
export interface KnownOverrides {
  /** Whether no override is known. */
  readonly isEmpty: boolean;
  /** Increases with each change by this process. An answer to an earlier call does not include the change. */
  readonly changes: number;
  /**
   * Learns from an answer of the store.
   *
   * @param asOf the value of `changes` when the store was called.
   */
  learn(charges: readonly Charge[], outcome: Outcome, now: number, asOf: number): void;
  /** Records an override that this process has set. */
  begin(partitions: readonly Partition[], terms: OverrideTerms, now: number): void;
  forget(partitions: readonly Partition[]): void;
  /** Returns, for each charge, the override with other limits in force; `undefined` if no charge has one. */
  findLimits(charges: readonly Partition[], now: number): (Override | undefined)[] | undefined;
  /** Returns the refusal that the store would return for these charges; `undefined` if no block is known. */
  findBlock(charges: readonly Charge[], now: number): Outcome | undefined;
  /** Whether the store has reported within the last second that no override is in force. */
  hasNone(partition: Partition, now: number): boolean;
  /** Records that the store has just reported that no override is in force. */
  noteNone(partition: Partition, now: number): void;
}

/** @param most the maximum number of overrides that are kept. The oldest are dropped first. */
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
      // A refusal because of a reservation says nothing about overrides.
      if (overrides === undefined && refusedFor !== undefined) return;
      for (let c = 0; c < charges.length; c += 1) {
        const charge = charges[c] as Charge;
        // The store decided under this override, so it is in force.
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
