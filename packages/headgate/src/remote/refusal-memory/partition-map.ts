/**
 * Values by space and key, in the order in which they were set. In a map for each space: to put both into one text, and to
 * hash that, takes longer than everything else that a remembered refusal needs.
 */
export class PartitionMap<Value> {
  readonly #spaces = new Map<string, Map<string, Value>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(space: string, key: string): Value | undefined {
    return this.#spaces.get(space)?.get(key);
  }

  /** Also where there was one before, it is the newest from now on. */
  setNewest(space: string, key: string, value: Value): void {
    let values = this.#spaces.get(space);
    if (values === undefined) {
      values = new Map();
      this.#spaces.set(space, values);
    }
    if (!values.delete(key)) this.#size += 1;
    values.set(key, value);
  }

  delete(space: string, key: string): void {
    const values = this.#spaces.get(space);
    if (values === undefined || !values.delete(key)) return;
    this.#size -= 1;
    if (values.size === 0) this.#spaces.delete(space);
  }

  /** @param timeOf when a value was set, which never decreases: spaces are compared by it. */
  deleteOldest(timeOf: (value: Value) => number): void {
    let oldest: { space: string; key: string; time: number } | undefined;
    for (const [space, values] of this.#spaces) {
      for (const [key, value] of values) {
        const time = timeOf(value);
        if (oldest === undefined || time < oldest.time) oldest = { space, key, time };
        break;
      }
    }
    if (oldest !== undefined) this.delete(oldest.space, oldest.key);
  }
}
