import type { Clock } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import { show } from "../core/show.ts";

/** A clock that moves only when a test moves it. Moving it calls the due timers, each at its own time. */
export interface FakeClock extends Clock {
  /** Moves the clock forward by this many milliseconds; a negative number sets it back. */
  advance(ms: number): void;
  /** Moves the clock to this moment, in milliseconds since 1970-01-01T00:00Z. */
  set(ms: number): void;
}

interface Due {
  readonly at: number;
  run(): void;
}

/** @param startMs milliseconds since 1970-01-01T00:00Z; default 2026-01-01T00:00Z. */
export function fakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startMs;
  const due = new Set<Due>();
  checkMoment(startMs);

  function move(to: number): void {
    checkMoment(to);
    for (let next = firstDue(to); next !== undefined; next = firstDue(to)) {
      due.delete(next);
      now = Math.max(now, next.at);
      next.run();
    }
    now = to;
  }

  /**
   * Returns the first timer that is due up to this moment. Timers with the same time come in the order in which they
   * were set.
   */
  function firstDue(to: number): Due | undefined {
    let first: Due | undefined;
    for (const one of due) if (one.at <= to && (first === undefined || one.at < first.at)) first = one;
    return first;
  }

  return {
    now: () => now,
    advance: (ms) => move(typeof ms === "number" ? now + ms : ms),
    set: move,
    after(ms, run) {
      const one = { at: now + ms, run };
      due.add(one);
      return () => void due.delete(one);
    },
  };
}

function checkMoment(ms: unknown): void {
  if (typeof ms === "number" && Number.isFinite(ms)) return;
  throw new HeadgateError("option-invalid", `A fake clock takes milliseconds as a number, got ${show(ms)}.`);
}
