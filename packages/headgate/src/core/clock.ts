import { describe } from "./describe.ts";
import { HeadgateError } from "./errors.ts";

/** The source of time. Injected everywhere, so that tests move the clock and never sleep. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z. Readers drop fractions. */
  now(): number;
  /** Calls `run` after `ms` milliseconds. Default: the runtime's timers. @returns a function that cancels the timer. */
  after?(ms: number, run: () => void): () => void;
}

/**
 * Wraps a clock that may run backwards in a clock that never does.
 *
 * When the wall clock is set back, time continues from where it was. Windows keep their true length, no quota is
 * granted twice, and no caller waits for the wall clock to catch up. (Stopping time until the wall clock catches up was
 * rejected: if it were set back by a year, callers would be refused for a year.)
 *
 * @param onNonsense called if the clock throws or returns no valid time. Until it returns a valid time again, time
 *   stops, so that no quota is granted twice.
 */
export function monotonic(clock: Clock, onNonsense?: (given: unknown) => void): Clock {
  let latest = Number.NEGATIVE_INFINITY;
  let ahead = 0;
  return {
    ...(clock.after === undefined ? {} : { after: clock.after.bind(clock) }),
    now() {
      let now = Number.NaN;
      let given: unknown;
      try {
        given = clock.now();
        now = Math.floor(given as number) + ahead;
      } catch (error) {
        given = error;
      }
      if (!Number.isFinite(now)) {
        onNonsense?.(given);
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

/** @throws HeadgateError `option-invalid` for a value that is not a clock. */
export function checkClock(clock: Clock): Clock {
  if (typeof clock?.now !== "function" || !Number.isFinite(clock.now())) {
    throw new HeadgateError(
      "option-invalid",
      "clock must have now(), which returns milliseconds since 1970 as a number, such as { now: Date.now }.",
    );
  }
  checkTimers(clock);
  return clock;
}

/** @throws HeadgateError `option-invalid` for a clock whose timers are not functions. */
export function checkTimers(clock: Pick<Clock, "after">): void {
  if (typeof clock === "object" && clock !== null && ["undefined", "function"].includes(typeof clock.after))
    return;
  throw new HeadgateError(
    "option-invalid",
    `clock must be an object whose after(ms, run), if it has one, is a function, got ${describe(clock)}.`,
  );
}
