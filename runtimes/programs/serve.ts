import { createLimiter } from "headgate";
import * as adapter from "headgate/fetch";
import { postgresStore } from "headgate/postgres";
import { redisStore } from "headgate/redis";
import { fakeClock, storeSuite } from "headgate/testing";
import { adapterRoutes } from "./adapter-routes.ts";
import { runTest } from "./run-test.ts";

declare const Bun: { serve(options: object): { port: number } } | undefined;
declare const Deno:
  | {
      env: { get(name: string): string | undefined };
      serve(options: object, handler: Handler): { addr: { port: number } };
    }
  | undefined;

type Handler = (request: Request) => Response | Promise<Response>;

const [redisUrl = "", postgresUrl = ""] = process.argv.slice(-2);
const routes = adapterRoutes(adapter);
const clock = fakeClock();
const redis = redisStore(redisUrl, { clock });
const postgres = postgresStore(postgresUrl, { clock });

const suites = {
  redis: storeSuite({ create: () => ({ store: redis, clock, close: () => {} }), scripts: 3 }),
  postgres: storeSuite({ create: () => ({ store: postgres, clock, close: () => {} }), scripts: 3 }),
};

const layers = [{ name: "user", key: (user: string) => user, limits: "3/minute; 2 concurrent" }];
const limiters = {
  memory: createLimiter({ name: "memory", layers }),
  redis: createLimiter({ name: "redis", layers, store: redisUrl }),
  postgres: createLimiter({ name: "postgres", layers, store: postgresUrl }),
};

/** Runs one test of a suite, or decides over the store that `?store=` names, by its URL. */
const handler: Handler = async (request) => {
  const url = new URL(request.url);
  const route = routes.find(url.pathname);
  if (route !== undefined) return route(request);
  const store = url.searchParams.get("store") as keyof typeof limiters;
  if (url.pathname === "/decide")
    return Response.json(await decideFour(store, url.searchParams.get("user") ?? ""));
  return runTest(store === null ? routes.tests(url.origin) : suites[store as keyof typeof suites], url);
};

async function decideFour(store: keyof typeof limiters, user: string): Promise<unknown[]> {
  const decided: unknown[] = [];
  for (let n = 0; n < 4; n += 1) {
    const admission = await limiters[store].admit(user);
    decided.push([admission.admitted, admission.decidedBy]);
    if (admission.admitted) await admission.end();
  }
  return decided;
}

function listen(): number {
  if (typeof Deno !== "undefined") {
    return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler).addr.port;
  }
  if (typeof Bun !== "undefined") return Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: handler }).port;
  throw new Error("This is neither Deno nor Bun.");
}

console.log(`listening at ${listen()}`);
