import { RateLimiterMemory, RateLimiterUnion } from "rate-limiter-flexible";
import type { Limit } from "../../traffic.ts";
import type { MemoryContender } from "../contender.ts";

/**
 * https://github.com/animir/node-rate-limiter-flexible/wiki/RateLimiterUnion: several limits for one request. It takes
 * one key for all of them, so its third limit is also by user.
 */
export const rateLimiterFlexible: MemoryContender = {
  open({ peersLimits }) {
    const { userPerMinute, userPerHour, ipPerMinute } = peersLimits;
    const union = new RateLimiterUnion(
      limiterOf("minute", userPerMinute),
      limiterOf("hour", userPerHour),
      limiterOf("ip", ipPerMinute),
    );
    return {
      async later({ user }) {
        try {
          await union.consume(user);
          return true;
        } catch {
          return false;
        }
      },
    };
  },
};

function limiterOf(keyPrefix: string, { quota, windowMs }: Limit): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix, points: quota, duration: windowMs / 1000 });
}
