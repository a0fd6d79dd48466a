import { MemoryStore } from "hono-rate-limiter";
import type { Limit } from "../../traffic.ts";
import type { MemoryContender } from "../contender.ts";

/** https://github.com/rhinobase/hono-rate-limiter#stores: the memory store is the default, one for each limiter. */
export const honoRateLimiter: MemoryContender = {
  open({ peersLimits }) {
    const { userPerMinute, userPerHour, ipPerMinute } = peersLimits;
    const minute = storeOf(userPerMinute);
    const hour = storeOf(userPerHour);
    const address = storeOf(ipPerMinute);
    return {
      now({ user, ip }) {
        if (minute.increment(user).totalHits > userPerMinute.quota) return false;
        if (hour.increment(user).totalHits > userPerHour.quota) return false;
        return address.increment(ip).totalHits <= ipPerMinute.quota;
      },
    };
  },
};

function storeOf({ windowMs }: Limit): MemoryStore {
  const store = new MemoryStore();
  // The store reads only this option.
  store.init({ windowMs } as Parameters<typeof store.init>[0]);
  return store;
}
