import type { Client, LimitQuota, Quota, RateLimitedError } from "../client/index.ts";
import { quotaAt, usedOf } from "./quota-at.ts";
import { type Timed, useTimed } from "./wall-clock.ts";

/** The current state of a client's limits. */
export interface RateLimitState {
  /** The last known quota, plus the units that have become free since then. */
  quota: Quota | undefined;
  /** The limit with the fewest units left: see `Quota.tightest`. */
  tightest: LimitQuota | undefined;
  /** How much of the tightest limit is used, from 0 to 1; 0 if its quota is not known. */
  usedShare: number;
  /**
   * The last refusal of this tab or another, until its deadline. For a notice that offers to send again after the
   * deadline, use the error of your own request instead.
   */
  refusal: RateLimitedError | undefined;
}

const unknown: RateLimitState = { quota: undefined, tightest: undefined, usedShare: 0, refusal: undefined };

/**
 * Follows a client's quota and refusal. Renders again when a response changes them, when units become free, and when
 * the deadline of a refusal passes.
 *
 * @param client a client that is created once, outside the component.
 * @returns the state, and `clear()`, which forgets the refusal.
 */
export function useRateLimit(client: Client): RateLimitState & { clear: () => void } {
  const state = useTimed(client.clock, client, stateReader, unknown, client.subscribe);
  return { ...state, clear: client.clear };
}

function stateReader(client: Client): (nowMs: number) => Timed<RateLimitState> {
  let state = unknown;
  return (nowMs) => {
    const known = client.quota();
    const latest = client.refusal();
    const refusal = latest && latest.deadline > nowMs ? latest : undefined;
    const quota = known && quotaAt(known, nowMs);
    // `quotaAt` may return a new object with the same values.
    if (refusal !== state.refusal || JSON.stringify(quota) !== JSON.stringify(state.quota)) {
      const tightest = quota?.tightest;
      state = {
        quota,
        tightest,
        usedShare: tightest?.quota ? usedOf(tightest) / tightest.quota : 0,
        refusal,
      };
    }
    const { limits = [], at = 0 } = known ?? {};
    const changesInSeconds = limits.flatMap((limit) => [limit.resetSeconds, limit.windowSeconds ?? 0]);
    return [state, refusal?.deadline ?? 0, ...changesInSeconds.map((seconds) => at + seconds * 1000)];
  };
}
