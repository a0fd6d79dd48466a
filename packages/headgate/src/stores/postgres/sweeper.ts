/** Clears expired rows, a little at a time, while there is traffic. */
export interface Sweeper {
  /** Call this after a trip: sweeps if it is time. Resolves when the sweep is done; callers need not wait for it. */
  afterTrip(now: number): Promise<void>;
  /** Prevents further sweeps. Does not wait for a sweep under way: its connection may be closing too. */
  stop(): void;
}

const everyMs = 10_000;
/** The pause after a sweep that deleted as many rows as it may. */
const soonMs = 250;

/**
 * @param sweep checks the pages from `firstPage` on (negative: from any page), and resolves with the next page.
 */
export function createSweeper(
  sweep: (firstPage: number) => Promise<{ nextPage: number; full: boolean }>,
): Sweeper {
  // Processes that start together must not sweep together, nor start at the same page.
  let dueAt: number | undefined;
  let page = -1;
  let underWay: Promise<void> | undefined;
  let stopped = false;

  async function sweepOnce(now: number): Promise<void> {
    try {
      const { nextPage, full } = await sweep(page);
      page = nextPage;
      dueAt = now + (full ? soonMs : everyMs);
    } catch {
      // A missed sweep loses nothing, and the next decision reports the error.
      dueAt = now + everyMs;
    }
    underWay = undefined;
  }

  return {
    async afterTrip(now) {
      dueAt ??= now + Math.random() * everyMs;
      // If the clock was set back, sweeping must not stop for long.
      if (now < dueAt && now > dueAt - everyMs) return;
      if (underWay !== undefined || stopped) return;
      underWay = sweepOnce(now);
      await underWay;
    },

    stop() {
      stopped = true;
    },
  };
}
