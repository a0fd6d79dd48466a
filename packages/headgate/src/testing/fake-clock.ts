import type { Clock } from "../core/clock.ts";

/** A clock that stands still until it is moved. */
export interface FakeClock extends Clock {
  /** Moves on by so many milliseconds; a negative number sets it back. */
  advance(ms: number): void;
  /** Moves to this moment, in milliseconds since 1970-01-01T00:00Z. */
  set(ms: number): void;
}

/** @param startMs milliseconds since 1970-01-01T00:00Z; default 2026-01-01T00:00Z. */
export function fakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startMs;
  return {
    now: () => now,
    advance(ms) {
      now += ms;
    },
    set(ms) {
      now = ms;
    },
  };
}
