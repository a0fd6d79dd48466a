import { useMemo, useSyncExternalStore } from "react";
import type { Client, LimitQuota, Quota, RateLimitedError } from "../client/index.ts";
import { quotaAt } from "./quota-at.ts";
import { timedStore } from "./wall-clock.ts";

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
const getUnknown = () => unknown;

/**
 * Follows what a client knows: renders again when a response brings news, when a limit grows back, and when the
 * deadline of a refusal has come.
 *
 * @param client made once, outside of the component.
 * @returns the state, and `clear()`, which forgets the refusal.
 */
export function useRateLimit(client: Client): RateLimitState & { clear: () => void } {
  const store = useMemo(() => clientStore(client), [client]);
  const state = useSyncExternalStore(store.subscribe, store.get, getUnknown);
  return { ...state, clear: client.clear };
}

function clientStore(client: Client) {
  const time = timedStore(client.clock, (nowMs) => readState(client, nowMs), isSameState);
  return {
    get: time.get,
    subscribe(listener: () => void) {
      const stopTime = time.subscribe(listener);
      const stopClient = client.subscribe(time.look);
      return () => {
        stopClient();
        stopTime();
      };
    },
  };
}

function readState(client: Client, nowMs: number): { value: RateLimitState; nextMs: number } {
  const known = client.quota();
  const latest = client.refusal();
  const refusal = latest && latest.deadline > nowMs ? latest : undefined;
  const quota = known && quotaAt(known, nowMs);
  const tightest = quota?.tightest;
  const edges = (known?.limits ?? []).flatMap(({ resetSeconds, windowSeconds = 0 }) =>
    [resetSeconds, windowSeconds].map((seconds) => (known?.at ?? 0) + seconds * 1000),
  );
  const ahead = [...edges, refusal?.deadline ?? 0].filter((edge) => edge > nowMs);
  const usedShare = tightest?.quota ? Math.min(1, Math.max(0, 1 - tightest.remaining / tightest.quota)) : 0;
  return {
    value: { quota, tightest, usedShare, refusal },
    nextMs: ahead.length && Math.min(...ahead) - nowMs,
  };
}

function isSameState(a: RateLimitState, b: RateLimitState): boolean {
  // What grows back makes new objects of old news.
  return a.refusal === b.refusal && JSON.stringify(a.quota) === JSON.stringify(b.quota);
}
