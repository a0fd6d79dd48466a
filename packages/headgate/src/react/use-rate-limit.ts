import type { Client, LimitQuota, Quota, RateLimitedError } from "../client/index.ts";
import { quotaAt, usedOf } from "./quota-at.ts";
import { type Timed, useTimed } from "./wall-clock.ts";

/** What a client knows of its limits, now. */
export interface RateLimitState {
  /** The last known quota, with what must have come back since. */
  quota: Quota | undefined;
  /** The limit of which the fewest are left. */
  tightest: LimitQuota | undefined;
  /** How much of the tightest limit is used, from 0 to 1; 0 where its quota is not known. */
  usedShare: number;
  /**
   * The last refusal while its deadline is ahead, of this tab or another. A notice that offers to send again outlives the deadline: give it
   * the error that your own request failed with.
   */
  refusal: RateLimitedError | undefined;
}

const unknown: RateLimitState = { quota: undefined, tightest: undefined, usedShare: 0, refusal: undefined };

/**
 * Follows what a client knows: renders again when a response brings news, when a limit grows back, and when the
 * deadline of a refusal has come.
 *
 * @param client made once, outside of the component.
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
    // What grows back makes new objects of old news.
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
