/** The maximum time that answers may block the event loop, in milliseconds. */
const TURN_MS = 5;

/** Shares the event loop between many answers and everything else. */
export interface FairTurns {
  /** Resolves in order of arrival, in the current iteration of the event loop if time is left in it. */
  take(): Promise<void>;
}

/**
 * Lets answers work for a few milliseconds, and then lets the event loop continue: new connections, /health and timers
 * get their turn, however many answers run. Without it, hundreds of answers that are ready at the same time would delay
 * everything else until all of them had worked.
 *
 * @param now in milliseconds
 */
export function createFairTurns(now: () => number = () => performance.now()): FairTurns {
  const waiting: (() => void)[] = [];
  /** The index of the next one in `waiting`: removing the first element of a long list would move all others. */
  let next = 0;
  /** When the first answer of this turn of the event loop began. */
  let startedAt: number | undefined;
  let isGiving = false;

  /** The next turn of the event loop has begun. */
  function begin(): void {
    startedAt = undefined;
    giveTurn();
  }

  function giveTurn(): void {
    isGiving = false;
    const start = waiting[next];
    if (start === undefined) return;
    if (startedAt === undefined) {
      startedAt = now();
      setImmediate(begin);
    } else if (now() - startedAt >= TURN_MS) return;
    next += 1;
    // While answers are always waiting, the list is never empty: without this, it would grow without bound.
    if (next * 2 >= waiting.length) {
      waiting.splice(0, next);
      next = 0;
    }
    start();
    giveNext();
  }

  /** A tick runs after all microtasks, so after everything that the previous answer can do without waiting. */
  function giveNext(): void {
    if (isGiving) return;
    isGiving = true;
    queueMicrotask(() => process.nextTick(giveTurn));
  }

  return {
    take() {
      return new Promise((resolve) => {
        waiting.push(resolve);
        giveNext();
      });
    },
  };
}
