/** A Cloudflare Worker that counts in Redis over HTTP, as Upstash serves it: `npm install @upstash/redis`. */

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
    // A call that was made and not answered may have been counted: asked again, it would be counted twice.
    retry: false,
  });
  const limiter = createLimiter({
    name: "chat",
    layers: [{ name: "ip", key: ({ ip }: { ip: string }) => ip, limits: "5/minute; 60/hour" }],
    store: redisStore(redis),
  });
  // Cloudflare writes the address into a field itself; nobody can forge it there.
  const addressOf = clientAddress.with({ trust: "cloudflare-workers" });
  return rateLimit(limiter, { caller: (request: Request) => ({ ip: addressOf(request) }) })(answer);
}

/** Once for each isolate: what it knows of refused callers serves the next request too. */
let guarded: Handler | undefined;

const fetch: Handler = (request, env, context) => {
  guarded ??= guard(env);
  return guarded(request, env, context);
};

export default { fetch };
