import { createRequire } from "node:module";
import { Redis } from "ioredis";
import type { SharedContender } from "../../shared-store/contender.ts";
import { type Limit, limits } from "../../traffic.ts";

interface RedisStore {
  incr(
    key: string,
    done: (error: Error | null, counted: { current: number } | null) => void,
    windowMs: number,
    max: number,
  ): void;
}

const Store: new (
  continueExceeding: boolean,
  exponentialBackoff: boolean,
  redis: Redis,
  namespace: string,
) => RedisStore = createRequire(import.meta.url)("@fastify/rate-limit/store/RedisStore.js");

/** https://github.com/fastify/fastify-rate-limit/blob/main/example/example.js, for the client's settings. */
export const fastifyRateLimit: SharedContender = {
  async open(url) {
    const redis = new Redis(url, { connectTimeout: 500, maxRetriesPerRequest: 1 });
    const counterOf = ({ quota, windowMs }: Limit, namespace: string) => {
      const store = new Store(false, false, redis, namespace);
      return (key: string) =>
        new Promise<boolean>((resolve, reject) => {
          store.incr(
            key,
            (error, counted) => {
              if (counted === null) reject(error);
              else resolve(counted.current <= quota);
            },
            windowMs,
            quota,
          );
        });
    };
    const minute = counterOf(limits.userPerMinute, "minute-");
    const hour = counterOf(limits.userPerHour, "hour-");
    const address = counterOf(limits.ipPerMinute, "ip-");
    return {
      visit: async ({ user, ip }) => (await minute(user)) && (await hour(user)) && (await address(ip)),
    };
  },
};
