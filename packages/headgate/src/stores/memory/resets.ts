import { noteReset, type Reset, resetInForce } from "../../core/reset.ts";

/** The maximum number of separately remembered resets. */
const mostResets = 100_000;

/** The resets after which a refund may still come, by space and key. */
export class Resets {
  readonly #most: number;
  readonly #resets = new Map<string, Reset>();
  /** The latest reset that was dropped for lack of space: charges before it are not given back in any partition. */
  #evicted: Reset | undefined;
  /** The store's time of the latest reset that is remembered, ms. */
  latestAt = Number.NEGATIVE_INFINITY;

  constructor(most = mostResets) {
    this.#most = most;
  }

  find(space: string, key: string, now: number): Reset | undefined {
    const reset = this.#resets.size === 0 ? undefined : this.#resets.get(idOf(space, key));
    return resetInForce(reset, now) ?? resetInForce(this.#evicted, now);
  }

  /** @param until when the last forgotten unit would have left its window; 0 if nothing is forgotten. */
  note(space: string, key: string, now: number, until: number): void {
    const id = idOf(space, key);
    const reset = noteReset(this.#resets.get(id), now, until);
    this.#resets.delete(id);
    if (reset === undefined) return;
    this.#makeRoom(now);
    this.#resets.set(id, reset);
    this.latestAt = Math.max(this.latestAt, reset.at);
  }

  /** Each new reset checks the two oldest, so that expired ones are removed without a timer. */
  #makeRoom(now: number): void {
    let looks = 2;
    for (const [id, reset] of this.#resets) {
      const isFull = this.#resets.size >= this.#most;
      if (looks === 0 && !isFull) return;
      looks = Math.max(0, looks - 1);
      const isOver = resetInForce(reset, now) === undefined;
      if (!isOver && !isFull) continue;
      this.#resets.delete(id);
      if (!isOver) this.#evict(reset);
    }
  }

  #evict({ at, until }: Reset): void {
    const { at: atBefore = at, until: untilBefore = until } = this.#evicted ?? {};
    this.#evicted = { at: Math.max(at, atBefore), again: true, until: Math.max(until, untilBefore) };
  }
}

function idOf(space: string, key: string): string {
  return `${space}\u0000${key}`;
}
