import type { LimitSet } from "../../core/limit-set.ts";
import { keyedHash } from "./keyed-hash.ts";
import { copyPartition, createPartition, type Partition } from "./partition.ts";

/** How many partitions all spaces of a store hold together, and how many they may. */
export interface Room {
  held: number;
  readonly most: number;
}

/** Unseen callers share this many accounts a space once the store is full. A power of two. */
export const overflowAccounts = 4096;

/**
 * The partitions of one layer.
 *
 * No timer: whoever comes new looks at a few others and forgets those whose windows are over, so that memory follows
 * the callers who are active and no pause grows with their number. Nobody who still has something spent is ever
 * forgotten. When the store is full, unseen callers are counted in shared overflow accounts, chosen by a hash with a
 * secret of this process: limits may then refuse a little early, and are never widened.
 */
export class Space {
  readonly #partitions = new Map<string, Partition>();
  readonly #room: Room;
  #sweep: MapIterator<[string, Partition]>;
  #overflow: (Partition | undefined)[] | undefined;
  /** Until then an overflow account may hold something. */
  #overflowUntil = 0;

  constructor(room: Room) {
    this.#room = room;
    this.#sweep = this.#partitions.entries();
  }

  /** What this caller has spent, or `undefined` for nothing. Creates nothing. */
  find(key: string, now: number): Partition | undefined {
    return this.#partitions.get(key) ?? this.#overflowOf(key, now);
  }

  /** The partition to charge this caller to. */
  open(key: string, limits: LimitSet, now: number): Partition {
    const own = this.#partitions.get(key);
    if (own !== undefined) return own;
    this.#forget(now, 2);
    if (this.#room.held >= this.#room.most) this.#forget(now, 64);
    if (this.#room.held >= this.#room.most) return this.#openOverflow(key, limits, now);
    return this.#insert(key, limits, now);
  }

  /** Forgets what a caller has spent, also where it was counted together with others. */
  reset(key: string, limits: LimitSet, now: number): void {
    if (this.#partitions.delete(key)) this.#room.held -= 1;
    const shared = this.#overflowOf(key, now);
    if (shared === undefined) return;
    // An empty partition of its own hides the shared account for as long as that may hold this caller's spending.
    const blank = createPartition(limits);
    blank.blankAt = shared.blankAt;
    this.#partitions.set(key, blank);
    this.#room.held += 1;
  }

  /** Call it when the blank time of a partition has moved: overflow accounts live as long as any of them counts. */
  noteOverflow(partition: Partition): void {
    if (this.#overflow !== undefined && partition.blankAt > this.#overflowUntil) {
      this.#overflowUntil = partition.blankAt;
    }
  }

  #insert(key: string, limits: LimitSet, now: number): Partition {
    // Whoever was counted in an overflow account takes its count along: a fresh start would widen the limit.
    const shared = this.#overflowOf(key, now);
    const partition = shared === undefined ? createPartition(limits) : copyPartition(shared);
    this.#partitions.set(key, partition);
    this.#room.held += 1;
    return partition;
  }

  #overflowOf(key: string, now: number): Partition | undefined {
    if (this.#overflow === undefined) return undefined;
    if (now >= this.#overflowUntil) {
      this.#overflow = undefined;
      return undefined;
    }
    return this.#overflow[keyedHash(key) & (overflowAccounts - 1)];
  }

  #openOverflow(key: string, limits: LimitSet, now: number): Partition {
    if (now >= this.#overflowUntil) this.#overflow = undefined;
    this.#overflow ??= new Array<Partition | undefined>(overflowAccounts).fill(undefined);
    const index = keyedHash(key) & (overflowAccounts - 1);
    let partition = this.#overflow[index];
    if (partition === undefined) {
      partition = createPartition(limits);
      this.#overflow[index] = partition;
    }
    return partition;
  }

  /** Looks at the next few partitions, in a circle. */
  #forget(now: number, looks: number): void {
    for (let look = 0; look < looks; look += 1) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = this.#partitions.entries();
        return;
      }
      const [key, partition] = next.value;
      if (partition.blankAt <= now) {
        this.#partitions.delete(key);
        this.#room.held -= 1;
      }
    }
  }
}
