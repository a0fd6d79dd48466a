import type { Clock } from "../core/clock.ts";
import { processWide } from "../core/copies.ts";

/**
 * Calls `run` after `ms` milliseconds, by the clock's timers or else the runtime's. @returns a function that cancels
 * the timer
 */
export function later(clock: Clock, ms: number, run: () => void): () => void {
  if (clock.after !== undefined) return clock.after(ms, run);
  const timer = setTimeout(run, Math.ceil(ms));
  return () => clearTimeout(timer);
}

/**
 * The clock of this process. It starts at the wall clock's time when it is first read, and advances with the machine's
 * monotonic clock. Steps of the wall clock, in either direction, neither widen a window nor lengthen a wait. Fake
 * timers that replace `performance.now` (those of Vitest, Jest and Sinon do) move it, whenever they are installed.
 */
export const systemClock: Clock = /* @__PURE__ */ processWide("system-clock", createSystemClock);

function createSystemClock(): Clock {
  let now: number | undefined;
  let last = 0;
  let source: unknown;
  /** The times of the wall clock and of this clock when `performance.now` last changed to another function. */
  let anchor = { wall: 0, now: 0 };

  /**
   * Called when `performance.now` is another function, which counts from another start. Fake timers may have advanced
   * before the first read. They also fake the wall clock, so it shows by how much.
   */
  function atAnotherSource(): number {
    const wall = Date.now();
    const passed = now === undefined ? 0 : wall - anchor.wall - (now - anchor.now);
    const moved = (now ?? wall) + Math.max(0, passed);
    anchor = { wall, now: moved };
    return moved;
  }

  return {
    now() {
      const read = performance.now;
      const passed = performance.now();
      if (read === source && now !== undefined) {
        if (passed > last) now += passed - last;
      } else {
        now = atAnotherSource();
      }
      source = read;
      last = passed;
      return now;
    },
  };
}
