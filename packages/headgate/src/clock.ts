import type { Clock } from "./core/clock.ts";

/** The wall clock of this machine. */
export const systemClock: Clock = { now: Date.now };
