/** How long answers may keep the event loop at a time. */
const TURN_MS = 5;

/** Shares the event loop between many answers and everything else. */
export interface FairTurns {
  /** Waits for a turn: first come, first served, and in this turn of the loop where it has time. */
  take(): Promise<void>;
}

/**
 * Lets answers work for a few milliseconds, then lets the event loop go round: new connections, /health and timers have
 * their turn however many answers run. Without it, hundreds of answers that are ready at once keep everything else waiting
 * until each has had its turn.
 *
 * @param now in milliseconds
 */
export function createFairTurns(now: () => number = () => performance.now()): FairTurns {
  const waiting: (() => void)[] = [];
  /** Where the next one in `waiting` is: taking from the front of a long list would move all others. */
  let next = 0;
  /** When the first of this turn of the loop began. */
  let startedAt: number | undefined;
  let isGiving = false;

  /** The loop has gone round. */
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
    // Where somebody always waits, the list would never be empty, and grow for ever.
    if (next * 2 >= waiting.length) {
      waiting.splice(0, next);
      next = 0;
    }
    start();
    giveNext();
  }

  /** A tick comes after all microtasks, and so after all that the one before has to do at once. */
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
