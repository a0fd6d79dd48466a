import type { Unsettled } from "../../core/ruling.ts";
import { isWorker } from "../../core/runtime.ts";

export interface BacklogOptions {
  /** The maximum number of changes kept; the oldest is dropped. */
  readonly most: number;
  onDropped(): void;
}

/** Changes not yet sent to the store. */
export interface Backlog {
  readonly size: number;
  keep(unsettled: Unsettled): void;
  /**
   * Sends all changes that wait now, in groups: calls of one turn of the event loop are sent together. Changes that
   * fail wait again. Never rejects.
   *
   * @param mayGoOn whether changes can be sent to the store, and sending has not just failed.
   */
  tell(mayGoOn: () => boolean): Promise<void>;
}

const toldTogether = 100;

export function createBacklog({ most, onDropped }: BacklogOptions): Backlog {
  const waiting = new Set<Unsettled>();
  let telling: Promise<void> | undefined;

  async function tellAll(mayGoOn: () => boolean): Promise<void> {
    const all = [...waiting];
    for (let from = 0; from < all.length && mayGoOn(); from += toldTogether) {
      const together = all.slice(from, from + toldTogether).filter((one) => waiting.delete(one));
      await Promise.all(together.map((one) => one.sync()));
    }
  }

  return {
    get size() {
      return waiting.size;
    },

    keep(unsettled) {
      waiting.add(unsettled);
      for (const oldest of waiting) {
        if (waiting.size <= most) return;
        waiting.delete(oldest);
        onDropped();
      }
    },

    tell(mayGoOn) {
      if (isWorker) return tellAll(mayGoOn);
      telling ??= tellAll(mayGoOn).finally(() => {
        telling = undefined;
      });
      return telling;
    },
  };
}
