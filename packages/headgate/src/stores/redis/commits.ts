import type { Limit } from "../../core/limit.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import type { Ask, SlotShare } from "./slots.ts";

/** Attempts of a partition are sent at the latest when there are this many. */
const mostOfPartition = 64;
/** The maximum number of partitions remembered. The oldest go first: their slots will soon treat the attempts as admitted. */
const mostPartitions = 10_000;

/** If fewer units than this are left, or fewer than half of the quota, a request may be refused soon. */
const fewUnits = 16;

/**
 * Reports to slots which attempts all slots have admitted, so that a slot can refuse requests because of them. The report
 * is sent at once if little of a quota is left. Otherwise a refusal is not near, and the report is sent later together
 * with others, or never.
 */
export interface Commits {
  /** @param readings what the slot read after it had charged the attempt. */
  add(share: SlotShare<Charge>, attempt: string, readings: Outcome["readings"]): void;
  /** Sends the reports of these partitions that have not been sent yet. @returns whether there were any. */
  send(share: SlotShare<Charge>): boolean;
}

export function createCommits(ask: Ask): Commits {
  const unsaid = new Map<string, string[]>();

  function say(slot: number, of: string): boolean {
    const attempts = unsaid.get(of);
    if (attempts === undefined) return false;
    unsaid.delete(of);
    // If the report is lost, the slot treats the attempt as admitted after a while.
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
