import { type Holdings, lapse, noHoldings, overAt } from "../../core/holdings.ts";

/** The maximum number of partitions with holds. */
const mostPartitions = 1_000_000;

/** The holds of each partition. It only contains partitions that hold something, or did a moment ago. */
export class Held {
  readonly #most: number;
  #partitions = new Map<string, Holdings>();
  #walk = this.#partitions.entries();

  constructor(most = mostPartitions) {
    this.#most = most;
  }

  /** The number of kept partitions. */
  get size(): number {
    return this.#partitions.size;
  }

  /** Whether this many partitions can be added. If not, it first looks for expired ones. */
  hasRoomFor(count: number, now: number): boolean {
    if (this.#partitions.size + count <= this.#most) return true;
    this.#forget(now, 16);
    return this.#partitions.size + count <= this.#most;
  }

  /** The holds of a partition, after expired ones have lapsed. */
  find(space: string, key: string, now: number): Holdings | undefined {
    if (this.#partitions.size === 0) return undefined;
    const holdings = this.#partitions.get(idOf(space, key));
    if (holdings !== undefined) lapse(holdings, now);
    return holdings;
  }

  /** The holdings of a partition, which are kept from now on if there is room. */
  open(space: string, key: string, now: number): Holdings {
    const id = idOf(space, key);
    let holdings = this.#partitions.get(id);
    if (holdings === undefined) {
      this.#forget(now, 2);
      holdings = noHoldings();
      if (this.hasRoomFor(1, now)) this.#partitions.set(id, holdings);
    }
    lapse(holdings, now);
    return holdings;
  }

  /** Each new partition checks some others, in a circle, so that expired ones are removed without a timer. */
  #forget(now: number, most: number): void {
    for (let looks = 0; looks < most; looks += 1) {
      const next = this.#walk.next();
      if (next.done === true) {
        this.#walk = this.#partitions.entries();
        return;
      }
      const [id, holdings] = next.value;
      lapse(holdings, now);
      if (overAt(holdings) <= now) this.#partitions.delete(id);
    }
  }
}

function idOf(space: string, key: string): string {
  return `${space}\u0000${key}`;
}
