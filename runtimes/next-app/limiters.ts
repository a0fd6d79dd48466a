import { createLimiter } from "headgate";

const limiterOf = (name: string, limits: string) =>
  createLimiter<string>({ name, layers: [{ name, key: (user) => user, limits }] });

/** In front of `/both`, `/page` and `/sign`. */
export const site = limiterOf("site", "4/hour");
/** In front of `/held`. */
export const lines = limiterOf("lines", "1 concurrent");
/** Of the route `/both`. */
export const chat = limiterOf("chat", "2/hour");
/** Of the route `/stream`. */
export const places = limiterOf("places", "1 concurrent");
/** Of the routes `/shared/one` and `/shared/two`, and in front of them. */
export const shared = limiterOf("shared", "4/hour");
