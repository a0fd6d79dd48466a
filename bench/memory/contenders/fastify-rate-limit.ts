import { createRequire } from "node:module";
import type { Limit } from "../../traffic.ts";
import type { MemoryContender } from "../contender.ts";

interface LocalStore {
  incr(
    key: string,
    done: (error: Error | null, counted: { current: number }) => void,
    windowMs: number,
    max: number,
  ): void;
}

const Store: new (continueExceeding: boolean, exponentialBackoff: boolean, cache: number) => LocalStore =
  createRequire(import.meta.url)("@fastify/rate-limit/store/LocalStore.js");

/**
 * https://github.com/fastify/fastify-rate-limit#options: `cache` (5,000 by default) is the number of callers
 * that the limiter distinguishes. Here, it is the number of all callers: with fewer, the limiter forgets
 * refused callers.
 */
export const fastifyRateLimit: MemoryContender = {
  open({ peersLimits, callers }) {
    const { userPerMinute, userPerHour, ipPerMinute } = peersLimits;
    const cache = Math.max(5_000, callers);
    const minute = counterOf(userPerMinute, cache);
    const hour = counterOf(userPerHour, cache);
    const address = counterOf(ipPerMinute, cache);
    return { now: ({ user, ip }) => minute(user) && hour(user) && address(ip) };
  },
};

function counterOf({ quota, windowMs }: Limit, cache: number): (key: string) => boolean {
  const store = new Store(false, false, cache);
  let current = 0;
  const done = (_error: Error | null, counted: { current: number }) => {
    current = counted.current;
  };
  return (key) => {
    store.incr(key, done, windowMs, quota);
    return current <= quota;
  };
}
