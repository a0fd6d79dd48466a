/** A Cloudflare Worker that counts in a Durable Object: exact over all locations, without a server to run. */
import { createLimiter, type Limiter } from "headgate";
import { durableObjectStore, type LimiterNamespace } from "headgate/durable-object";
import { admissionOf, clientAddress, type FetchHandler, rateLimit } from "headgate/fetch";

// The object's class, which wrangler.jsonc binds as LIMITER.
export { LimiterObject } from "headgate/durable-object";

interface Env {
  LIMITER: LimiterNamespace;
}

type Caller = { ip: string };
type Handler = FetchHandler<[env: Env, context: { waitUntil(work: Promise<unknown>): void }]>;

const answer: Handler = async (request) => {
  const left = admissionOf(request)?.tightest?.remaining;
  return new Response(`an expensive answer; ${left} more at once\n`);
};

/** Created once for each isolate, because the binding comes with the first request. */
let guarded: Handler | undefined;

function guard(env: Env): Handler {
  const limiter: Limiter<Caller> = createLimiter<Caller>({
    name: "chat",
    layers: [{ name: "ip", key: ({ ip }) => ip, limits: "5/minute; 60/hour" }],
    store: durableObjectStore(env.LIMITER),
  });
  // Cloudflare sets this field itself, so callers cannot forge it.
  const addressOf = clientAddress.with({ trust: "cloudflare-workers" });
  return rateLimit(limiter, { caller: (request: Request) => ({ ip: addressOf(request) }) })(answer);
}

const fetch: Handler = (request, env, context) => {
  guarded ??= guard(env);
  return guarded(request, env, context);
};

export default { fetch };
