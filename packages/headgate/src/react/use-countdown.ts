import type { Clock } from "../client/index.ts";
import { type Timed, useTimed } from "./wall-clock.ts";

/** The state of a countdown. */
export interface Countdown {
  /** Whole seconds to the deadline, rounded up; 0 without one. */
  seconds: number;
  /** Whether the deadline has come, or there is none. */
  done: boolean;
}

/**
 * Counts down to a moment, and renders again only when the whole second changes. It goes by the wall clock, so it is
 * right at once after the tab or the machine slept.
 *
 * On a server, and while a page is being hydrated, nothing is known yet: 0 seconds and not done.
 *
 * @param deadline milliseconds since the epoch; any distance, even `Infinity`. `null` or `undefined` for none.
 * @param options.clock default: the system's clock.
 */
export function useCountdown(
  deadline: number | null | undefined,
  options: { clock?: Clock } = {},
): Countdown {
  const seconds = useTimed(options.clock ?? Date, deadline ?? 0, secondsTo, -1);
  return { seconds: Math.max(0, seconds), done: !seconds };
}

function secondsTo(deadline: number): (nowMs: number) => Timed<number> {
  return (nowMs) => {
    const seconds = Math.ceil(Math.max(0, deadline - nowMs) / 1000);
    // The next edge is where one second less is left; an endless wait has none.
    return [seconds, deadline - (seconds - 1) * 1000];
  };
}
