import type { Limit } from "../../core/limit.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import type { Ask, SlotShare } from "./slots.ts";

/** So many attempts of a partition are sent at once, if not before. */
const mostOfPartition = 64;
/** So many partitions are remembered. The oldest go first: their slots take their attempts for granted soon. */
const mostPartitions = 10_000;

/** Where fewer units than this are left, or than half of the quota, somebody may be refused soon. */
const fewUnits = 16;

/**
 * Tells slots which attempts are admitted everywhere, so that a refusal there can rest on them. That is said at once where little of a
 * quota is left. Elsewhere nobody is refused soon, and it is said later together with others, or never.
 */
export interface Commits {
  /** @param readings what the slot read after it had charged the attempt. */
  add(share: SlotShare<Charge>, attempt: string, readings: Outcome["readings"]): void;
  /** Says what has not been said yet of these partitions. @returns whether there was anything. */
  send(share: SlotShare<Charge>): boolean;
}

export function createCommits(ask: Ask): Commits {
  const unsaid = new Map<string, string[]>();

  function say(slot: number, of: string): boolean {
    const attempts = unsaid.get(of);
    if (attempts === undefined) return false;
    unsaid.delete(of);
    // If it is lost, the slot takes it for granted after a while.
    ask(slot, { do: "commit", at: 0, of, keys: [], parts: [], attempts }).catch(() => {});
    return true;
  }

  return {
    add({ slot, keys, parts }, attempt, readings) {
      for (let p = 0; p < keys.length; p += 1) {
        const key = keys[p] as string;
        let attempts = unsaid.get(key);
        if (attempts === undefined) {
          attempts = [];
          unsaid.set(key, attempts);
        }
        attempts.push(attempt);
        const limits = parts[p]?.limits.limits ?? [];
        const isLow = readings[p]?.some(
          ({ remaining }, l) => remaining < Math.max(fewUnits, (limits[l] as Limit).quota / 2),
        );
        if (isLow || attempts.length >= mostOfPartition) say(slot, key);
      }
      if (unsaid.size <= mostPartitions) return;
      for (const oldest of unsaid.keys()) {
        unsaid.delete(oldest);
        break;
      }
    },

    send: ({ slot, keys }) => keys.map((key) => say(slot, key)).includes(true),
  };
}
