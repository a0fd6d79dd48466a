import { type Adjustment, type Charge, type Hold, memoryStore, type Outcome, type Store } from "headgate";

/** A reservation in a replay, with the heartbeats of its process. */
interface Held {
  readonly partitions: readonly Pick<Charge, "space" | "key" | "limits">[];
  known: readonly (readonly number[])[];
  held: readonly (readonly number[])[];
  seq: number;
  beats: number;
  beatAt: number;
  /** The time of its process's last heartbeat. */
  readonly livesUntil: number;
}

/** A memory store that keeps reservations for as long as the log did. */
export interface ReplayStore extends Store {
  /**
   * The last heartbeat of the next admitted request: `Infinity` if the request ended, otherwise the last time that the
   * log mentions it.
   */
  nextLivesUntil: number;
  /** Sends the heartbeats of all reservations up to this time. Call it before each decision. */
  advance(now: number): void;
}

const beatsPerLease = 3;
/** The sequence step of a heartbeat: smaller than that of a call, so that it replaces no call of the reservation. */
const beatStep = 1e-9;

export function replayStore(maxPartitions: number): ReplayStore {
  const inner = memoryStore({ maxPartitions });
  /** Ordered by the last heartbeat, the oldest first. */
  const live = new Map<string, Held>();
  let everyMs = Number.POSITIVE_INFINITY;

  function noteHold(charges: readonly Charge[], now: number, hold: Hold): void {
    if (charges.every(({ holds }) => holds === undefined)) return;
    const before = live.get(hold.rid);
    live.delete(hold.rid);
    for (const { limits } of charges) everyMs = Math.min(everyMs, limits.leaseMs / beatsPerLease);
    live.set(hold.rid, {
      partitions: charges,
      known: charges.map(({ spends }, c) => spends.map((amount, g) => amount + (before?.known[c]?.[g] ?? 0))),
      held: charges.map(({ holds = [] }) => holds),
      seq: hold.seq,
      beats: 0,
      beatAt: now,
      livesUntil: before?.livesUntil ?? store.nextLivesUntil,
    });
  }

  function noteAdjustment(adjustments: readonly Adjustment[], now: number): void {
    const [first] = adjustments;
    const before = first === undefined ? undefined : live.get(first.rid);
    if (first === undefined || before === undefined) return;
    live.delete(first.rid);
    if (first.ended) return;
    const known = adjustments.map(({ used }) => used);
    const held = adjustments.map(({ held: left }) => left);
    live.set(first.rid, { ...before, known, held, seq: first.seq, beats: 0, beatAt: now });
  }

  function beat(rid: string, one: Held, now: number): void {
    live.delete(rid);
    if (now > one.livesUntil) return;
    one.beats += 1;
    one.beatAt = now;
    const seq = one.seq + one.beats * beatStep;
    const adjustments = one.partitions.map(({ space, key, limits }, c): Adjustment => {
      const used = one.known[c] ?? [];
      return {
        space,
        key,
        limits,
        rid,
        seq,
        ended: false,
        raises: false,
        known: used,
        used,
        held: one.held[c] ?? [],
        refunds: [],
      };
    });
    inner.adjust(adjustments, now);
    live.set(rid, one);
  }

  const store: ReplayStore = {
    name: "memory",
    remote: false,
    nextLivesUntil: Number.POSITIVE_INFINITY,
    advance(now) {
      for (const [rid, one] of live) {
        if (one.beatAt + everyMs > now) return;
        // A heartbeat moves the reservation to the end of the map, where this loop visits it again.
        beat(rid, one, Math.floor(one.beatAt + everyMs));
      }
    },
    decide(charges, now, peek, hold): Outcome {
      const outcome = inner.decide(charges, now, peek, hold);
      if (outcome.admitted && !peek && hold !== undefined) noteHold(charges, now, hold);
      return outcome;
    },
    adjust(adjustments, now): Outcome {
      const outcome = inner.adjust(adjustments, now);
      noteAdjustment(adjustments, now);
      return outcome;
    },
    reset: (partitions, now) => inner.reset(partitions, now),
    override: (partitions, terms, now) => inner.override?.(partitions, terms, now),
  };
  return store;
}
