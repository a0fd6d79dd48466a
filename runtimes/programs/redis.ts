import { Redis } from "@upstash/redis/cloudflare";
import { createLimiter } from "headgate";
import { type FetchHandler, rateLimit } from "headgate/fetch";
import { redisStore } from "headgate/redis";

interface Env {
  readonly REDIS_URL: string;
  readonly REDIS_TOKEN: string;
}

type Handler = FetchHandler<[env: Env, context: unknown]>;

const errors: string[] = [];
let guarded: Handler | undefined;

function guard({ REDIS_URL, REDIS_TOKEN }: Env): Handler {
  const redis = new Redis({ url: REDIS_URL, token: REDIS_TOKEN, retry: false });
  const limiter = createLimiter({
    name: "chat",
    layers: [
      { name: "user", key: (user: string) => user, limits: "20/minute", outage: "refuse" },
      { name: "places", key: (user: string) => user, limits: "50 concurrent", outage: "admit" },
    ],
    store: redisStore(redis),
    // A busy machine must not count as an outage.
    timeouts: { storeMs: 2000 },
    onError: (error) => errors.push(String(error)),
    onOutage: () => {},
  });
  return rateLimit(limiter, {
    caller: (request: Request) => new URL(request.url).searchParams.get("user") ?? "anybody",
  })(() => new Response("hello"));
}

/** A shared store in a Worker, where requests cannot wait for each other's I/O. `/errors` lists the reported errors. */
export default {
  fetch(request: Request, env: Env, context: unknown): Response | Promise<Response> {
    if (new URL(request.url).pathname === "/errors") return Response.json(errors);
    guarded ??= guard(env);
    return guarded(request, env, context);
  },
};
