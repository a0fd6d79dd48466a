import { OrderedMap } from "../../core/ordered-map.ts";

/**
 * Values by space and key, in the order in which they were set. Each space has its own map: joining space and key into
 * one text and hashing it would take longer than everything else that a remembered refusal needs.
 */
export class PartitionMap<Value> {
  readonly #spaces = new Map<string, OrderedMap<Value>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(space: string, key: string): Value | undefined {
    return this.#spaces.get(space)?.get(key);
  }

  /** Makes this key the newest, even if it was set before. */
  setNewest(space: string, key: string, value: Value): void {
    let values = this.#spaces.get(space);
    if (values === undefined) {
      values = new OrderedMap();
      this.#spaces.set(space, values);
    }
    if (values.setNewest(key, value)) this.#size += 1;
  }

  delete(space: string, key: string): void {
    const values = this.#spaces.get(space);
    if (values === undefined || !values.delete(key)) return;
    this.#size -= 1;
    if (values.size === 0) this.#spaces.delete(space);
  }

  /** @param timeOf the time at which a value was set. It never decreases, and compares the oldest keys of the spaces. */
  deleteOldest(timeOf: (value: Value) => number): void {
    let oldest: { space: string; key: string; time: number } | undefined;
    for (const [space, values] of this.#spaces) {
      const key = values.oldest() as string;
      const time = timeOf(values.get(key) as Value);
      if (oldest === undefined || time < oldest.time) oldest = { space, key, time };
    }
    if (oldest !== undefined) this.delete(oldest.space, oldest.key);
  }
}
