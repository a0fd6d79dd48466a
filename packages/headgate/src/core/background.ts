import type { Clock } from "./clock.ts";

/**
 * Calls `run` after `ms` milliseconds of real time. The timer does not keep the process alive.
 *
 * @returns a function that cancels the timer
 */
export function inBackground(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  if (typeof timer === "object" && "unref" in timer) timer.unref();
  return () => clearTimeout(timer);
}

/** Like `inBackground`, but uses the clock's timers if it has any. */
export function inBackgroundBy(clock: Pick<Clock, "after">, ms: number, run: () => void): () => void {
  return clock.after === undefined ? inBackground(ms, run) : clock.after(ms, run);
}
