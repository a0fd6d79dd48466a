import type { Clock } from "../client/index.ts";
import { type Timed, useTimed } from "./wall-clock.ts";

/** The state of a countdown. */
export interface Countdown {
  /** Whole seconds to the deadline, rounded up; 0 without one. */
  seconds: number;
  /** Whether the deadline has passed, or there is none. */
  done: boolean;
}

/**
 * Counts down to a deadline, and renders only when the whole second changes. It uses the wall clock, so it is correct
 * immediately after the tab or the machine slept.
 *
 * On a server, and during hydration, it returns 0 seconds and not done.
 *
 * @param deadline milliseconds since the epoch, any time ahead, even `Infinity`. `null` or `undefined` for no deadline.
 * @param options.clock default: the system's clock.
 * @throws {TypeError} for a deadline that is not a number, such as `NaN` or a `Date`.
 */
export function useCountdown(
  deadline: number | null | undefined,
  options: { clock?: Clock } = {},
): Countdown {
  const at = deadline ?? 0;
  // NaN would count as a deadline that has passed.
  if (at !== +at) throw TypeError(`useCountdown: the deadline must be a number, got ${deadline}`);
  const seconds = useTimed(options.clock ?? Date, at, secondsTo, -1);
  return { seconds: Math.max(0, seconds), done: !seconds };
}

function secondsTo(deadline: number): (nowMs: number) => Timed<number> {
  return (nowMs) => {
    const seconds = Math.ceil(Math.max(0, deadline - nowMs) / 1000);
    // The value changes when a whole second less is left. An infinite wait never changes.
    return [seconds, deadline - (seconds - 1) * 1000];
  };
}
