import type { Clock } from "../core/clock.ts";

/** A clock that changes only when it is moved. Moving it calls the timers that are due. */
export interface FakeClock extends Clock {
  /** Moves the clock forward by this many milliseconds; a negative number sets it back. */
  advance(ms: number): void;
  /** Moves to this moment, in milliseconds since 1970-01-01T00:00Z. */
  set(ms: number): void;
}

/** @param startMs milliseconds since 1970-01-01T00:00Z; default 2026-01-01T00:00Z. */
export function fakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startMs;
  const due = new Set<{ readonly at: number; run(): void }>();

  function move(to: number): void {
    now = to;
    const reached = [...due].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    for (const one of reached) if (due.delete(one)) one.run();
  }

  return {
    now: () => now,
    advance: (ms) => move(now + ms),
    set: move,
    after(ms, run) {
      const one = { at: now + ms, run };
      due.add(one);
      return () => void due.delete(one);
    },
  };
}
