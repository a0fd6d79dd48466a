/** Clears expired rows, a little at a time, while there is traffic. */
export interface Sweeper {
  /** Call it after a trip: sweeps if it is time. Resolves when that is done; nobody has to wait for it. */
  afterTrip(now: number): Promise<void>;
  /** Lets no sweep begin. One that is under way is not waited for: its connection may be closing too. */
  stop(): void;
}

const everyMs = 10_000;
/** How soon again after a sweep that found as much as it may delete. */
const soonMs = 250;

/**
 * @param sweep looks at the pages from `firstPage` on, a negative one for any, and tells where to go on.
 */
export function createSweeper(
  sweep: (firstPage: number) => Promise<{ nextPage: number; full: boolean }>,
): Sweeper {
  // Processes that start together do not sweep together, nor begin at the same page.
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
      // Nothing is lost by a missed round, and whatever is wrong the next decision reports.
      dueAt = now + everyMs;
    }
    underWay = undefined;
  }

  return {
    async afterTrip(now) {
      dueAt ??= now + Math.random() * everyMs;
      // A clock that was set back must not stop it for long.
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
