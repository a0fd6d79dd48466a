import { memoryStore } from "@joint-ops/hitlimit/stores/memory";
import type { MemoryContender } from "../contender.ts";

type Counted = { count: number };

/** https://hitlimit.jointops.dev/docs/stores/memory: the memory store is the default, one for each limiter. */
export const hitlimit: MemoryContender = {
  open({ peersLimits }) {
    const { userPerMinute, userPerHour, ipPerMinute } = peersLimits;
    const minute = memoryStore();
    const hour = memoryStore();
    const address = memoryStore();
    // In memory, it returns a value, not a promise: `isSync`.
    const count = (counted: Counted | Promise<Counted>) => (counted as Counted).count;
    return {
      now({ user, ip }) {
        const { quota } = userPerMinute;
        if (count(minute.hit(user, userPerMinute.windowMs, quota)) > quota) return false;
        if (count(hour.hit(user, userPerHour.windowMs, userPerHour.quota)) > userPerHour.quota) return false;
        return count(address.hit(ip, ipPerMinute.windowMs, ipPerMinute.quota)) <= ipPerMinute.quota;
      },
    };
  },
};
