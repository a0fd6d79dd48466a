import { MemoryStore, type Options } from "express-rate-limit";
import type { Limit } from "../../traffic.ts";
import type { MemoryContender } from "../contender.ts";

/**
 * https://express-rate-limit.mintlify.app/reference/stores#memory-store: one limiter for each limit, each with a
 * separate store.
 */
export const expressRateLimit: MemoryContender = {
  open({ peersLimits }) {
    const { userPerMinute, userPerHour, ipPerMinute } = peersLimits;
    const minute = storeOf(userPerMinute);
    const hour = storeOf(userPerHour);
    const address = storeOf(ipPerMinute);
    return {
      async later({ user, ip }) {
        if ((await minute.increment(user)).totalHits > userPerMinute.quota) return false;
        if ((await hour.increment(user)).totalHits > userPerHour.quota) return false;
        return (await address.increment(ip)).totalHits <= ipPerMinute.quota;
      },
    };
  },
};

function storeOf({ windowMs }: Limit): MemoryStore {
  const store = new MemoryStore();
  // The store reads only this option.
  store.init({ windowMs } as Options);
  return store;
}
