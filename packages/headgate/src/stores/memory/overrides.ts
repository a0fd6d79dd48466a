import { HeadgateError } from "../../core/errors.ts";
import { beginOverride, inForce, type Override, type OverrideTerms } from "../../core/override.ts";
import type { Charge } from "../../core/store.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";

/** The maximum number of overridden partitions: an override in force is never dropped for another. */
export const mostOverrides = 100_000;
/** A power of two: with few overrides, almost no other key has the same bits. */
const cells = 2 ** 18;
const hash: KeyHash = { high: 0, low: 0 };

/** Overrides, by space and key. They are separate from the counts, because a flood of callers may fill those. */
export class Overrides {
  readonly #most: number;
  /** For some bits of a key's hash: how many kept keys have them. */
  readonly #cells = new Uint16Array(cells);
  readonly #spaces = new Map<string, Map<string, Override>>();
  #size = 0;

  constructor(most = mostOverrides) {
    this.#most = most;
  }

  find(space: string, key: string, now: number): Override | undefined {
    return inForce(this.#spaces.get(space)?.get(key), now);
  }

  /** Whether a key of this hash may be overridden in any space. Checked for every decision, if anything is overridden. */
  mayHave({ low }: KeyHash): boolean {
    return this.#cells[low & (cells - 1)] !== 0;
  }

  /** What is in force for each charge; `undefined` if nothing is in force for any. */
  findAll(charges: readonly Charge[], now: number): (Override | undefined)[] | undefined {
    let found: (Override | undefined)[] | undefined;
    for (let c = 0; c < charges.length; c += 1) {
      const { space, key } = charges[c] as Charge;
      const override = this.find(space, key, now);
      if (override === undefined) continue;
      found ??= charges.map(() => undefined);
      found[c] = override;
    }
    return found;
  }

  /** @throws HeadgateError `store-full` if too many are in force; nothing has changed then. */
  set(partitions: readonly { space: string; key: string }[], terms: OverrideTerms, now: number): void {
    const added = partitions.filter(({ space, key }) => this.#spaces.get(space)?.has(key) !== true).length;
    if (this.#size + added > this.#most) this.#forget(now);
    if (this.#size + added > this.#most) {
      throw new HeadgateError(
        "store-full",
        `The memory store keeps at most ${this.#most} blocks and overrides, and all of them are in force: end some with ` +
          "endOverride, give them an end, or use a shared store.",
      );
    }
    for (const { space, key } of partitions) {
      let keys = this.#spaces.get(space);
      if (keys === undefined) {
        keys = new Map();
        this.#spaces.set(space, keys);
      }
      if (!keys.has(key)) this.#count(key, 1);
      keys.set(key, beginOverride(terms, now));
    }
  }

  end(space: string, key: string): void {
    const keys = this.#spaces.get(space);
    if (keys?.delete(key) !== true) return;
    this.#count(key, -1);
    if (keys.size === 0) this.#spaces.delete(space);
  }

  #count(key: string, change: 1 | -1): void {
    this.#size += change;
    hashKey(key, hash);
    const cell = hash.low & (cells - 1);
    this.#cells[cell] = (this.#cells[cell] as number) + change;
  }

  #forget(now: number): void {
    for (const [space, keys] of this.#spaces) {
      for (const [key, { until }] of keys) if (until <= now) this.end(space, key);
    }
  }
}
