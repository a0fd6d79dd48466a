import type { Options } from "express-rate-limit";
import { RedisStore } from "rate-limit-redis";
import { createClient } from "redis";
import type { SharedContender } from "../../shared-store/contender.ts";
import { type Limit, limits } from "../../traffic.ts";

/**
 * https://github.com/express-rate-limit/rate-limit-redis#examples: one store for each limiter, each with a separate
 * prefix.
 */
export const rateLimitRedis: SharedContender = {
  async open(url) {
    const client = createClient({ url });
    await client.connect();
    const storeOf = ({ windowMs }: Limit, prefix: string) => {
      const store = new RedisStore({ prefix, sendCommand: (...args: string[]) => client.sendCommand(args) });
      // The store reads only this option.
      store.init({ windowMs } as Options);
      return store;
    };
    const { userPerMinute, userPerHour, ipPerMinute } = limits;
    const minute = storeOf(userPerMinute, "minute:");
    const hour = storeOf(userPerHour, "hour:");
    const address = storeOf(ipPerMinute, "ip:");
    return {
      async visit({ user, ip }) {
        if ((await minute.increment(user)).totalHits > userPerMinute.quota) return false;
        if ((await hour.increment(user)).totalHits > userPerHour.quota) return false;
        return (await address.increment(ip)).totalHits <= ipPerMinute.quota;
      },
    };
  },
};
