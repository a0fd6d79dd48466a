import type { Clock } from "./core/clock.ts";

let now: number | undefined;
let last = 0;
let source: unknown;

/**
 * The clock of this process: it begins with what the wall clock says when it is first read, and passes as the machine's monotonic
 * clock does. Steps of the wall clock, in either direction, neither widen a window nor lengthen a wait. Fake timers that
 * replace `performance.now` (those of Vitest, Jest and Sinon do) move it, whenever they are installed.
 */
export const systemClock: Clock = {
  now() {
    const read = performance.now;
    const passed = performance.now();
    now ??= Date.now();
    // Another source counts from a beginning of its own.
    if (read === source && passed > last) now += passed - last;
    source = read;
    last = passed;
    return now;
  },
};
