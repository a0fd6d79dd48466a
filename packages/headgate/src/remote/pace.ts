import type { Charge } from "../core/store.ts";
import { PartitionMap } from "./refusal-memory/partition-map.ts";

/**
 * Spreads the local share over its windows while the store is slow: it still decides other requests, and may still decide
 * those that were not answered in time. One request of a partition is admitted at once, further ones at the pace of the share.
 */
export interface Pace {
  /** How long until a request of this partition may be admitted, ms; 0 if it may be now. */
  waitOf(charge: Charge, now: number): number;
  /** @param charges admitted now, with the share of the limits. */
  note(charges: readonly Charge[], now: number): void;
}

/** @param most the number of partitions kept. The oldest go first: the local share still limits them. */
export function createPace(most: number): Pace {
  const notes = new PartitionMap<{ readonly at: number; readonly nextAt: number }>();
  return {
    waitOf({ space, key, needs }, now) {
      if (!needs.some((need) => need > 0)) return 0;
      return Math.max(0, (notes.get(space, key)?.nextAt ?? now) - now);
    },

    note(charges, now) {
      for (const charge of charges) {
        const intervalMs = intervalOf(charge);
        if (intervalMs > 0)
          notes.setNewest(charge.space, charge.key, { at: now, nextAt: now + Math.ceil(intervalMs) });
      }
      while (notes.size > most) notes.deleteOldest(({ at }) => at);
    },
  };
}

/** How long the share takes to grow by what was charged, at the slowest of the limits. */
function intervalOf({ limits, needs }: Charge): number {
  const each = limits.limits.map(
    ({ quota, windowMs }, l) => ((needs[limits.groupOf[l] ?? 0] ?? 0) * windowMs) / quota,
  );
  return Math.max(0, ...each);
}
