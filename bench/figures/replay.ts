import { type Admission, createLimiter } from "headgate";
import { fakeClock } from "headgate/testing";

/** Times of requests, in milliseconds from the beginning, in order. */
export type Moments = readonly number[];

/** The times of admitted and refused requests. */
export interface Outcome {
  readonly admitted: Moments;
  readonly refused: Moments;
}

/** Midnight, so that calendar windows begin on whole minutes. */
const midnight = Date.UTC(2026, 0, 1);

/**
 * Decides one caller's requests with one limit, using the library and a clock that it moves.
 *
 * @param limits one limit, as a text
 * @param servedMs how long an admitted request holds its place
 */
export function replay(limits: string, moments: Moments, servedMs: number): Outcome {
  const clock = fakeClock(midnight);
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits }],
    clock,
  });
  const admitted: number[] = [];
  const refused: number[] = [];
  let inFlight: { endsAtMs: number; end(): void }[] = [];

  function endUntil(ms: number): void {
    for (const { endsAtMs, end } of inFlight.filter((one) => one.endsAtMs <= ms)) {
      clock.set(midnight + endsAtMs);
      end();
    }
    inFlight = inFlight.filter((one) => one.endsAtMs > ms);
  }

  for (const moment of moments) {
    endUntil(moment);
    clock.set(midnight + moment);
    // The memory store returns a value, not a promise.
    const admission = limiter.admit("one") as Admission;
    if (!admission.admitted) {
      refused.push(moment);
      continue;
    }
    admitted.push(moment);
    inFlight.push({ endsAtMs: moment + servedMs, end: () => void admission.end() });
  }
  endUntil(Number.POSITIVE_INFINITY);
  void limiter.close();
  return { admitted, refused };
}

/** Returns the maximum number of moments in any interval `(t - windowMs, t]`. */
export function mostInAnyWindow(moments: Moments, windowMs: number): number {
  return Math.max(
    0,
    ...moments.map((end) => moments.filter((ms) => end - windowMs < ms && ms <= end).length),
  );
}

const stepMs = 500;

/**
 * Returns the most requests that one caller can get admitted in any window, by starting at the worst moment
 * and sending without a pause. Tries every start within a window, in steps of half a second, and sends for
 * two windows.
 */
export function mostByTrying(limits: string, windowMs: number): number {
  const steps = windowMs / stepMs;
  const tries = Array.from({ length: steps }, (_, beginning) => {
    const asks = Array.from({ length: 2 * steps }, (_, n) => (beginning + n) * stepMs);
    return mostInAnyWindow(replay(limits, asks, 0).admitted, windowMs);
  });
  return Math.max(...tries);
}
