import type { Clock } from "../core/clock.ts";
import { processWide } from "../core/copies.ts";

/** Calls back after this much time of a clock; of the runtime, if the clock has no timers. @returns a function that cancels it */
export function later(clock: Clock, ms: number, run: () => void): () => void {
  if (clock.after !== undefined) return clock.after(ms, run);
  const timer = setTimeout(run, Math.ceil(ms));
  return () => clearTimeout(timer);
}

/**
 * The clock of this process: it begins with what the wall clock says when it is first read, and passes as the machine's monotonic
 * clock does. Steps of the wall clock, in either direction, neither widen a window nor lengthen a wait. Fake timers that
 * replace `performance.now` (those of Vitest, Jest and Sinon do) move it, whenever they are installed.
 */
export const systemClock: Clock = /* @__PURE__ */ processWide("system-clock", createSystemClock);

function createSystemClock(): Clock {
  let now: number | undefined;
  let last = 0;
  let source: unknown;
  /** What the wall clock said, and this one, when `performance.now` was last another function. */
  let anchor = { wall: 0, now: 0 };

  /**
   * Another source counts from a beginning of its own. What fake timers have passed since they were installed, and before
   * anybody asked, the wall clock tells: it is theirs as well.
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
