import { createLimiter } from "headgate";

const limiterOf = (name: string, limits: string) =>
  createLimiter<string>({ name, layers: [{ name, key: (user) => user, limits }] });

/** Used by the proxy, for `/both`, `/page` and `/sign`. */
export const site = limiterOf("site", "4/hour");
/** Used by the proxy, for `/held`. */
export const lines = limiterOf("lines", "1 concurrent");
/** Used by the route `/both`. */
export const chat = limiterOf("chat", "2/hour");
/** Used by the route `/stream`. */
export const places = limiterOf("places", "1 concurrent");
/** Used by the proxy and by the routes, for `/shared/one` and `/shared/two`. */
export const shared = limiterOf("shared", "4/hour");
