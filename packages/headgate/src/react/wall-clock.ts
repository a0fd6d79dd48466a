import { useMemo, useSyncExternalStore } from "react";
import type { Client, Clock } from "../client/index.ts";

/** The longest timer before the clock is checked again. A timer above 2^31 ms would fire immediately. */
const longestStepMs = 60_000;

/**
 * Events when a page becomes active again: the tab is shown, focused, or restored from the back-forward cache. Without
 * these events, as in a native app, the value is updated by the next timer.
 */
const wakeEvents = ["visibilitychange", "focus", "pageshow"];

/** A value, the same object unless it has changed, and the times at which it may change. */
export type Timed<Value> = [value: Value, ...changesAtMs: number[]];

/**
 * Follows a value that changes with time. Reads the value again whenever it may change, and immediately when the page
 * wakes up, because timers do not run during sleep.
 *
 * @param makeReader returns a function that reads the subject's value at a given time. Must be the same function in
 *   each render.
 * @param unknown the value on a server and during hydration.
 * @param follow subscribes to other changes, and returns a function that unsubscribes. Must be the same function in
 *   each render.
 */
export function useTimed<Subject, Value>(
  clock: Clock,
  subject: Subject,
  makeReader: (subject: Subject) => (nowMs: number) => Timed<Value>,
  unknown: Value,
  follow?: Client["subscribe"],
): Value {
  const [subscribe, get] = useMemo(() => {
    const read = makeReader(subject);
    function subscribe(listener: () => void): () => void {
      let timer: ReturnType<typeof setTimeout> | undefined;
      function look(): void {
        clearTimeout(timer);
        const nowMs = clock.now();
        const [, ...changesAtMs] = read(nowMs);
        const nextMs = Math.min(...changesAtMs.filter((edge) => edge > nowMs)) - nowMs;
        if (nextMs < Infinity) timer = setTimeout(look, Math.min(nextMs, longestStepMs));
        listener();
      }
      const unfollow = follow?.(look);
      for (const event of wakeEvents) globalThis.addEventListener?.(event, look, true);
      look();
      return () => {
        clearTimeout(timer);
        unfollow?.();
        for (const event of wakeEvents) globalThis.removeEventListener?.(event, look, true);
      };
    }
    return [subscribe, () => read(clock.now())[0]];
  }, [clock, subject, makeReader, follow]);
  return useSyncExternalStore(subscribe, get, () => unknown);
}
