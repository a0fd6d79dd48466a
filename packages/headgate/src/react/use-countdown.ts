import { useMemo, useSyncExternalStore } from "react";
import type { Clock } from "../client/index.ts";
import { timedStore } from "./wall-clock.ts";

/** Where a countdown stands. */
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
  const clock = options.clock ?? Date;
  const store = useMemo(
    () =>
      timedStore(clock, (nowMs) => {
        const leftMs = Math.max(0, (deadline ?? 0) - nowMs);
        const seconds = Math.ceil(leftMs / 1000);
        // The next edge is where one second less is left; an endless wait has none.
        const nextMs = seconds < Number.POSITIVE_INFINITY ? leftMs - (seconds - 1) * 1000 : 0;
        return { value: seconds, nextMs: seconds && nextMs };
      }),
    [deadline, clock],
  );
  const seconds = useSyncExternalStore(store.subscribe, store.get, unknownOnServer);
  return { seconds: Math.max(0, seconds), done: seconds === 0 };
}

const unknownOnServer = () => -1;
