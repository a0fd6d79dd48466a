/** Where time comes from. Injected everywhere, so that tests move it and nothing sleeps. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z. Readers drop fractions. */
  now(): number;
  /** Calls back after `ms` milliseconds. Default: the runtime's timers. @returns a function that cancels it. */
  after?(ms: number, run: () => void): () => void;
}

/**
 * A clock that never runs backwards, over one that may.
 *
 * When the wall clock is set back, time goes on from where it was: windows keep their true length, nobody is let in
 * twice, and nobody waits for the wall clock to catch up. (Freezing until it caught up was rejected: a clock set
 * back by a year would refuse callers for a year.)
 *
 * @param onNonsense called if the clock throws or returns no time: time stops meanwhile, which admits nobody twice.
 */
export function monotonic(clock: Clock, onNonsense?: (told: unknown) => void): Clock {
  let latest = Number.NEGATIVE_INFINITY;
  let ahead = 0;
  return {
    ...(clock.after === undefined ? {} : { after: clock.after.bind(clock) }),
    now() {
      let now = Number.NaN;
      let told: unknown;
      try {
        told = clock.now();
        now = Math.floor(told as number) + ahead;
      } catch (error) {
        told = error;
      }
      if (!Number.isFinite(now)) {
        onNonsense?.(told);
        return Math.max(0, latest);
      }
      if (now < latest) {
        ahead += latest - now;
        now = latest;
      }
      latest = now;
      return now;
    },
  };
}
