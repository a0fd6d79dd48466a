import { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterUnion } from "rate-limiter-flexible";
import type { SharedContender } from "../../shared-store/contender.ts";
import { type Limit, limits } from "../../traffic.ts";

/**
 * https://github.com/animir/node-rate-limiter-flexible/wiki/Redis, for the client's settings, and
 * …/wiki/RateLimiterUnion. It takes one key for all limits, so its third limit is also by user.
 */
export const withoutBlocks: SharedContender = { open: (url) => open(url, false) };

/** https://github.com/animir/node-rate-limiter-flexible/wiki/In-memory-Block-Strategy */
export const withBlocks: SharedContender = { open: (url) => open(url, true) };

async function open(url: string, blocks: boolean) {
  const storeClient = new Redis(url, { enableOfflineQueue: true });
  const limiterOf = ({ quota, windowMs }: Limit, keyPrefix: string) =>
    new RateLimiterRedis({
      storeClient,
      keyPrefix,
      points: quota,
      duration: windowMs / 1000,
      ...(blocks ? { inMemoryBlockOnConsumed: quota + 1 } : {}),
    });
  const union = new RateLimiterUnion(
    limiterOf(limits.userPerMinute, "minute"),
    limiterOf(limits.userPerHour, "hour"),
    limiterOf(limits.ipPerMinute, "ip"),
  );
  return {
    async visit({ user }: { user: string }) {
      try {
        await union.consume(user);
        return true;
      } catch (refused) {
        // The library rejects for errors as for refusals, but an error is not a measurement.
        if (Object.values(refused as object).some((each) => each instanceof Error)) throw refused;
        return false;
      }
    },
  };
}
