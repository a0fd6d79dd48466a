/** A Cloudflare Worker that counts in Upstash Redis, over HTTP: `npm install @upstash/redis`. */

import { Redis } from "@upstash/redis/cloudflare";
import { createLimiter } from "headgate";
import { admissionOf, clientAddress, type FetchHandler, rateLimit } from "headgate/fetch";
import { redisStore } from "headgate/redis";

interface Env {
  UPSTASH_REDIS_REST_URL: string;
  UPSTASH_REDIS_REST_TOKEN: string;
}

type Handler = FetchHandler<[env: Env, context: { waitUntil(work: Promise<unknown>): void }]>;

const answer: Handler = async (request) => {
  const left = admissionOf(request)?.tightest?.remaining;
  return new Response(`an expensive answer; ${left} more at once\n`);
};

function guard(env: Env): Handler {
  const redis = new Redis({
    url: env.UPSTASH_REDIS_REST_URL,
    token: env.UPSTASH_REDIS_REST_TOKEN,
    // A call without an answer may have been counted; a retry would count it twice.
    retry: false,
  });
  const limiter = createLimiter({
    name: "chat",
    layers: [{ name: "ip", key: ({ ip }: { ip: string }) => ip, limits: "5/minute; 60/hour" }],
    store: redisStore(redis),
  });
  // Cloudflare sets this field itself, so callers cannot forge it.
  const addressOf = clientAddress.with({ trust: "cloudflare-workers" });
  return rateLimit(limiter, { caller: (request: Request) => ({ ip: addressOf(request) }) })(answer);
}

/** Created once for each isolate, so that it remembers refused callers between requests. */
let guarded: Handler | undefined;

const fetch: Handler = (request, env, context) => {
  guarded ??= guard(env);
  return guarded(request, env, context);
};

export default { fetch };
