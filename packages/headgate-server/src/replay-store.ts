import { type Adjustment, memoryStore, type Store } from "headgate";

/** A memory store in which each reservation lives as long as it did when the log was recorded. */
export interface ReplayStore extends Store {
  /**
   * The last heartbeat of the request that is admitted or extended next: `Infinity` if the log has its end, otherwise the
   * last time at which the log mentions its process.
   */
  nextLivesUntil: number;
}

export function replayStore(maxPartitions: number): ReplayStore {
  const inner = memoryStore({ maxPartitions });
  /** The last heartbeats of reservations whose end is not in the log. */
  const livesUntil = new Map<string, number>();

  /** Makes a late adjustment have no effect: the store ignores calls whose sequence number is not new. */
  function withoutLate(adjustment: Adjustment, now: number): Adjustment {
    const last = livesUntil.get(adjustment.rid);
    return last !== undefined && now > last
      ? { ...adjustment, seq: 0, ended: false, used: adjustment.known, held: [] }
      : adjustment;
  }

  const store: ReplayStore = {
    name: "memory",
    remote: false,
    nextLivesUntil: Number.POSITIVE_INFINITY,
    decide(charges, now, peek, hold) {
      const outcome = inner.decide(charges, now, peek, hold);
      if (outcome.admitted && !peek && hold !== undefined && Number.isFinite(store.nextLivesUntil))
        livesUntil.set(hold.rid, store.nextLivesUntil);
      return outcome;
    },
    adjust(adjustments, now) {
      const timely = adjustments.map((one) => withoutLate(one, now));
      for (const { ended, rid } of adjustments) if (ended) livesUntil.delete(rid);
      return inner.adjust(timely, now);
    },
    reset: (partitions, now) => inner.reset(partitions, now),
    override: (partitions, terms, now) => inner.override?.(partitions, terms, now),
    readShared: (limiter, version) => inner.readShared(limiter, version),
    writeShared: (limiter, version, next) => inner.writeShared(limiter, version, next),
  };
  return store;
}
