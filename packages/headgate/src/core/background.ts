import type { Clock } from "./clock.ts";

/**
 * Calls back after `ms` milliseconds of real time. A process that is otherwise done does not stay alive for it.
 *
 * @returns a function that cancels it
 */
export function inBackground(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  if (typeof timer === "object" && "unref" in timer) timer.unref();
  return () => clearTimeout(timer);
}

/** The same, by a clock that has timers of its own. */
export function inBackgroundBy(clock: Pick<Clock, "after">, ms: number, run: () => void): () => void {
  return clock.after === undefined ? inBackground(ms, run) : clock.after(ms, run);
}
