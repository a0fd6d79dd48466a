import type { Clock } from "../core/clock.ts";
import { StoreTimeoutError } from "./time-limit.ts";

/** Distinguishes a store that is slow, and may still answer earlier calls, from one that is down. */
export interface Slowness {
  /** Whether the store has not failed except by time limits, and was not silent for too long. */
  readonly isSlow: boolean;
  /** A call has been sent. */
  asked(): void;
  /** A call was answered in time. */
  heard(): void;
  /** @param call the call, if it may still be answered. */
  failed(error: unknown, call?: Promise<unknown>): void;
}

/** @param longestMs a store that has not answered for this long is down, by the limiter's clock. */
export function createSlowness(clock: Clock, longestMs: number): Slowness {
  /** When the first call since the last answer was sent. An idle store is not silent. */
  let silentSince: number | undefined;
  let isBroken = false;

  function heard(): void {
    silentSince = undefined;
    isBroken = false;
  }

  return {
    get isSlow() {
      if (isBroken || longestMs === 0) return false;
      return silentSince === undefined || clock.now() - silentSince < longestMs;
    },

    asked() {
      silentSince ??= clock.now();
    },

    heard,

    failed(error, call) {
      isBroken = !(error instanceof StoreTimeoutError);
      // A late answer shows that the store is not down. A late failure shows nothing: clients give up by themselves.
      if (!isBroken) call?.then(heard, () => {});
    },
  };
}
