import type { Clock } from "../client/index.ts";

/** Never longer than this between two looks at the clock, since a timer above 2^31 ms fires at once. */
const longestStepMs = 60_000;

/**
 * What brings a page back: a tab that is shown, focused, or taken out of the back-forward cache. Where there are no such
 * events, as in a native app, the next timer has to do.
 */
const wakeEvents = ["visibilitychange", "focus", "pageshow"];

/** Something that changes by itself as time goes by, in the shape that `useSyncExternalStore` asks for. */
export interface TimedStore<Value> {
  subscribe: (listener: () => void) => () => void;
  get: () => Value;
}

/**
 * Makes a store of a value that depends on the time. It looks again whenever the value may change, and at once when the
 * page comes back from sleep, since timers do not run meanwhile. Without subscribers it has no timer.
 *
 * @param read the value, and in how many milliseconds it may next change: 0 or less for never.
 * @param isSame whether two values need not be told apart.
 */
export function timedStore<Value>(
  clock: Clock,
  read: (nowMs: number) => { value: Value; nextMs: number },
  isSame: (a: Value, b: Value) => boolean = Object.is,
): TimedStore<Value> & { look: () => void } {
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let { value } = read(clock.now());

  function look(): void {
    clearTimeout(timer);
    const next = read(clock.now());
    if (listeners.size && next.nextMs > 0)
      timer = setTimeout(look, Math.min(Math.ceil(next.nextMs), longestStepMs));
    if (isSame(value, next.value)) return;
    value = next.value;
    for (const listener of [...listeners]) listener();
  }

  return {
    subscribe(listener) {
      const entry = () => listener();
      listeners.add(entry);
      if (listeners.size === 1)
        for (const event of wakeEvents) globalThis.addEventListener?.(event, look, true);
      look();
      return () => {
        listeners.delete(entry);
        if (listeners.size) return;
        clearTimeout(timer);
        for (const event of wakeEvents) globalThis.removeEventListener?.(event, look, true);
      };
    },
    get: () => value,
    look,
  };
}
