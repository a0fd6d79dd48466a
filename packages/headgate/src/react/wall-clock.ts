import { useMemo, useSyncExternalStore } from "react";
import type { Client, Clock } from "../client/index.ts";

/** Never longer than this between two looks at the clock, since a timer above 2^31 ms fires at once. */
const longestStepMs = 60_000;

/**
 * What brings a page back: a tab that is shown, focused, or taken out of the back-forward cache. Where there are no such
 * events, as in a native app, the next timer has to do.
 */
const wakeEvents = ["visibilitychange", "focus", "pageshow"];

/** What something is at a moment: the same object unless it has changed; and the moments at which it may change. */
export type Timed<Value> = [value: Value, ...changesAtMs: number[]];

/**
 * Follows a value that changes by itself as time goes by. It looks again whenever the value may change, and at once when
 * the page comes back from sleep, since timers do not run meanwhile.
 *
 * @param makeReader makes what tells the subject's value at a moment; the same function from render to render.
 * @param unknown the value on a server, and while a page is being hydrated.
 * @param follow calls back when there is other news; returns what ends it. The same function from render to render.
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
