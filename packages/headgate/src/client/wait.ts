/** The source of time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Calls `callback` after `delayMs` milliseconds. Returns a function that cancels the timer. */
export type Timer = (callback: () => void, delayMs: number) => () => void;

/** The timer of the platform. */
export const platformTimer: Timer = (callback, delayMs) => {
  const handle = setTimeout(callback, delayMs);
  return () => clearTimeout(handle);
};

/**
 * The longest timer before the clock is checked again. A timer that runs while the machine sleeps is late by the length
 * of the sleep, and a timer above 2^31 ms fires immediately.
 */
const longestStepMs = 30_000;

/**
 * Waits until the clock reaches a deadline.
 *
 * @param deadline milliseconds since the epoch; may be any time ahead.
 * @param signal ends the wait early.
 * @throws the signal's reason if it is aborted.
 */
export async function waitUntil(
  deadline: number,
  clock: Clock,
  timer: Timer,
  signal: AbortSignal | null | undefined,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const leftMs = Math.ceil(deadline - clock.now());
    if (leftMs <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = timer(end, Math.min(leftMs, longestStepMs));
      signal?.addEventListener("abort", end);
      function end(): void {
        cancel();
        signal?.removeEventListener("abort", end);
        resolve();
      }
    });
  }
}
