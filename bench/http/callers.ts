import type { IncomingHttpHeaders } from "node:http";
import { createLimiter } from "headgate";
import { type Caller, headgateLayers, type Limit, limits } from "../traffic.ts";

/** The response body of every endpoint. */
export const answer = "an answer";

/** Reads the caller from two header fields, for all limiters. */
export function callerOf(headers: IncomingHttpHeaders): Caller {
  return { user: String(headers["x-user-id"]), ip: String(headers["x-address"]) };
}

/** The limits of the product, for guards that use one limiter per layer. */
export const layers: readonly { readonly by: keyof Caller; readonly limit: Limit }[] = [
  { by: "user", limit: limits.userPerMinute },
  { by: "user", limit: limits.userPerHour },
  { by: "ip", limit: limits.ipPerMinute },
];

export function headgate() {
  return createLimiter({ name: "chat", layers: headgateLayers() });
}

/** The decision of a minimal hand-written guard, with its header fields. */
export interface ByHand {
  readonly admitted: boolean;
  readonly policy: string;
  readonly rateLimit: string;
  readonly retryAfter: number;
}

const policy = '"user-per-minute";q=5;w=60, "user-per-hour";q=60;w=3600, "ip-per-minute";q=30;w=60';
export const refusedBody = '{"error":"Too many requests"}';

export function byHand(): (caller: Caller) => ByHand {
  const windows = layers.map(({ by, limit }) => ({
    by,
    limit,
    counts: new Map<string, { count: number; endsAt: number }>(),
  }));
  return (caller) => {
    const now = Date.now();
    let rateLimit = "";
    for (const { by, limit, counts } of windows) {
      const key = caller[by];
      let counted = counts.get(key);
      if (counted === undefined || now >= counted.endsAt) {
        counted = { count: 0, endsAt: now + limit.windowMs };
        counts.set(key, counted);
      }
      counted.count += 1;
      const seconds = Math.ceil((counted.endsAt - now) / 1000);
      if (counted.count > limit.quota) {
        return { admitted: false, policy, rateLimit: `"${by}";r=0;t=${seconds}`, retryAfter: seconds };
      }
      rateLimit += `${rateLimit && ", "}"${by}";r=${limit.quota - counted.count};t=${seconds}`;
    }
    return { admitted: true, policy, rateLimit, retryAfter: 0 };
  };
}
