import { beginOverride, blocked, type Override, type OverrideTerms } from "../core/override.ts";
import type { Charge, Outcome } from "../core/store.ts";
import { PartitionMap } from "../refusals/partition-map.ts";

interface Known {
  readonly override: Override;
  /** When it ends, by the limiter's clock. */
  readonly until: number;
  readonly heardAt: number;
}

/**
 * The blocks that this process has met, for as long as the store cannot be asked: a block must not end because a store is
 * down. It knows only those whom it refused, or blocked, itself.
 */
export interface KnownBlocks {
  /** Learns from an answer of the store. */
  learn(charges: readonly Charge[], outcome: Outcome, now: number): void;
  /** This process has blocked them. */
  begin(
    partitions: readonly { readonly space: string; readonly key: string }[],
    terms: OverrideTerms,
    now: number,
  ): void;
  forget(partitions: readonly { readonly space: string; readonly key: string }[]): void;
  /** How the store would refuse these charges; `undefined` where no block is known. */
  find(charges: readonly Charge[], now: number): Outcome | undefined;
}

/** @param most how many are kept; the oldest go first. */
export function createKnownBlocks(most: number): KnownBlocks {
  const known = new PartitionMap<Known>();

  function keep(
    { space, key }: { space: string; key: string },
    override: Override,
    until: number,
    now: number,
  ) {
    known.setNewest(space, key, { override, until, heardAt: now });
    while (known.size > most) known.deleteOldest(({ heardAt }) => heardAt);
  }

  return {
    learn(charges, outcome, now) {
      const { overrides, refusedFor } = outcome;
      if (overrides === undefined && known.size === 0) return;
      // Where a reservation is the reason, nothing was said of blocks.
      if (overrides === undefined && refusedFor !== undefined) return;
      for (let c = 0; c < charges.length; c += 1) {
        const charge = charges[c] as Charge;
        const override = overrides?.[c];
        if (override?.limits === blocked) keep(charge, override, override.until - outcome.now + now, now);
        else known.delete(charge.space, charge.key);
      }
    },

    begin(partitions, terms, now) {
      if (terms.limits !== blocked) return;
      const override = beginOverride(terms, now);
      for (const partition of partitions) keep(partition, override, override.until, now);
    },

    forget(partitions) {
      for (const { space, key } of partitions) known.delete(space, key);
    },

    find(charges, now) {
      if (known.size === 0) return undefined;
      const overrides = charges.map(({ space, key }): Override | undefined => {
        const one = known.get(space, key);
        return one !== undefined && one.until > now ? { ...one.override, until: one.until } : undefined;
      });
      if (overrides.every((one) => one === undefined)) return undefined;
      return { admitted: false, now, readings: [], marks: [], refusedFor: "blocked", overrides };
    },
  };
}
