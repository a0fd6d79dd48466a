import { createLimiter } from "headgate";
import { durableObjectStore, type LimiterNamespace } from "headgate/durable-object";
import { type FetchHandler, rateLimit } from "headgate/fetch";
import { fakeClock, storeSuite } from "headgate/testing";
import { runTest } from "./run-test.ts";

export { LimiterObject } from "headgate/durable-object";

interface Env {
  readonly LIMITER: LimiterNamespace;
}

const clock = fakeClock();

/** Runs the store suite inside workerd, on one object. `/chat` is a guarded handler with another object. */
export default {
  fetch(request: Request, env: Env, context: unknown): Response | Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/chat") return chat(env)(request, context);
    return runTest(suiteOn(env.LIMITER), url);
  },
};

function suiteOn(namespace: LimiterNamespace) {
  const create = () => ({
    store: durableObjectStore(namespace, { object: `suite ${crypto.randomUUID()}`, clock }),
    clock,
    close: () => {},
  });
  return storeSuite({ create, scripts: 5 });
}

let guarded: FetchHandler<[context: unknown]> | undefined;

function chat(env: Env) {
  guarded ??= rateLimit(
    createLimiter({
      name: "chat",
      layers: [
        { name: "user", key: (user: string) => user, limits: "5/minute" },
        { name: "all", key: () => "all", limits: "1000/hour; 2 concurrent" },
      ],
      store: durableObjectStore(env.LIMITER),
    }),
    { caller: (request: Request) => new URL(request.url).searchParams.get("user") ?? "anybody" },
  )(() => new Response("hello"));
  return guarded;
}
