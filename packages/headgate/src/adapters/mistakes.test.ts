import { createServer, type RequestListener } from "node:http";
import { fastify as fastifyOf } from "fastify";
import { describe, expect, it, vi } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import * as express from "./express.ts";
import * as fastify from "./fastify.ts";
import * as fetchAdapter from "./fetch.ts";
import * as hono from "./hono.ts";
import * as koa from "./koa.ts";
import * as nest from "./nest.ts";
import * as next from "./next.ts";
import * as node from "./node.ts";

const adapters = { express, fastify, fetch: fetchAdapter, hono, koa, nest, next, node };
const limiter = createLimiter<string>({
  name: "chat",
  layers: [{ name: "ip", key: (ip) => ip, limits: "1/minute" }],
});
const caller = () => "203.0.113.7";

describe.each(Object.entries(adapters))("invalid arguments of headgate/%s", (_name, { rateLimit }) => {
  const mount = rateLimit as (...given: unknown[]) => unknown;

  it.each([
    [
      "options of another library",
      [{ windowMs: 60_000, limit: 5 }, { caller }],
      "got an object with windowMs, limit",
    ],
    [
      "an object that only looks like a limiter",
      [{ name: "chat", admit: () => ({ admitted: true }) }, { caller }],
      "rateLimit takes a limiter made by createLimiter",
    ],
    ["an undefined limiter", [undefined, { caller }], "rateLimit takes a limiter made by createLimiter"],
    ["missing options", [limiter], "The options of rateLimit must be an object such as"],
    [
      "a missing caller",
      [limiter, {}],
      "caller of rateLimit must be a function of the request, got undefined.",
    ],
    [
      "a caller that is not a function",
      [limiter, { caller: "ip" }],
      'caller of rateLimit must be a function of the request, got "ip".',
    ],
    [
      "a cost that is not a function",
      [limiter, { caller, cost: { requests: 2 } }],
      "cost of rateLimit must be a function",
    ],
    ["a misspelt option", [limiter, { caller, skipp: () => true }], 'did you mean "skip"?'],
    [
      "an onRefused that is not a function",
      [limiter, { caller, onRefused: 402 }],
      "onRefused of rateLimit must be",
    ],
    [
      "a refundWhen that is not a function",
      [limiter, { caller, refundWhen: true }],
      "refundWhen of rateLimit must be",
    ],
    [
      "a redirect status",
      [limiter, { caller, status: 302 }],
      "status of rateLimit must be a whole number from 400 to 599, got 302. For a redirect, answer in onRefused.",
    ],
    [
      "a lookupMs of 0",
      [limiter, { caller, lookupMs: 0 }],
      "lookupMs of rateLimit must be a whole number from 1 to 60000, got 0.",
    ],
    ["a status that is a string", [limiter, { caller, status: "503" }], 'got "503"'],
    [
      "an unknown format of the fields",
      [limiter, { caller, fields: "draft-8" }],
      "fields must be false or one of draft, draft-7, draft-6",
    ],
    ["fields: true", [limiter, { caller, fields: true }], "fields must be false or one of"],
    ["a legacy that is a string", [limiter, { caller, legacy: "yes" }], "legacy must be true or false"],
    [
      "the Fastify instance that register passes",
      [{ addHook() {}, register() {} }, {}],
      'Write app.addHook("onRequest", rateLimit(limiter, { caller })).',
    ],
    [
      "a request, if rateLimit is mounted without being called",
      [{ headers: {}, socket: {} }, {}, () => {}],
      "rateLimit was mounted without being called",
    ],
    ["a promise of a limiter", [Promise.resolve(limiter), { caller }], "got a promise"],
    [
      "skipFailedRequests of another library",
      [limiter, { caller, skipFailedRequests: true }],
      "it belongs to another library",
    ],
    [
      "keyGenerator of another library",
      [limiter, { caller, keyGenerator: caller }],
      "it belongs to another library",
    ],
  ])("rateLimit throws for %s", (_what, given, message) => {
    expect(() => mount(...given)).toThrow(message);
  });
});

it("a guard mounted as a listener returns 500 and reports an error", async () => {
  const onError = vi.fn();
  const reporting = createLimiter<string>({
    name: "chat",
    layers: [{ name: "ip", key: (ip) => ip, limits: "1/minute" }],
    onError,
  });
  const server = createServer(node.rateLimit(reporting, { caller }) as unknown as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as { port: number };
    const { status } = await fetch(`http://127.0.0.1:${port}/`);
    expect(status).toBe(500);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "guard-misplaced" }));
  } finally {
    server.close();
  }
});

it("rateLimit throws if it is passed to Fastify's register", () => {
  const instance = fastifyOf();
  const register = fastify.rateLimit(limiter, { caller }) as (...given: unknown[]) => void;
  expect(() => register(instance, {}, () => {})).toThrow("is a hook, not a plugin");
  expect(() => fastify.rateLimit(instance as never, { windowMs: 1000 } as never)).toThrow(
    "fastify.register(rateLimit, …) guards nothing",
  );
});

it.each([
  ["fetch", fetchAdapter.rateLimit],
  ["next", next.rateLimit],
])(
  "a guard of headgate/%s throws and reports an error if it gets a request instead of a handler",
  async (_name, rateLimit) => {
    const onError = vi.fn();
    const reporting = createLimiter<string>({
      name: "chat",
      layers: [{ name: "ip", key: (ip) => ip, limits: "1/minute" }],
      onError,
    });
    const guard = rateLimit(reporting, { caller }) as unknown as (request: Request) => Response;
    expect(() => guard(new Request("http://localhost/"))).toThrow("rateLimit guards a handler");
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "guard-misplaced" }));
  },
);

describe("onRefused", () => {
  async function refusedBy(onRefused: (...given: unknown[]) => unknown): Promise<[number, number]> {
    const onError = vi.fn();
    const own = createLimiter<string>({
      name: "chat",
      layers: [{ name: "ip", key: (ip) => ip, limits: "1/minute" }],
      onError,
    });
    const handler = fetchAdapter.rateLimit(own, { caller, onRefused: onRefused as never })(
      () => new Response("hello"),
    );
    await handler(new Request("http://localhost/"));
    return [(await handler(new Request("http://localhost/"))).status, onError.mock.calls.length];
  }

  it("reports a return value that is not a response, and sends the usual refusal", async () => {
    expect(await refusedBy(() => ({ error: "slow down" }))).toEqual([429, 1]);
    expect(await refusedBy(() => "slow down")).toEqual([429, 1]);
    expect(await refusedBy(async () => null)).toEqual([429, 1]);
    expect(await refusedBy(() => undefined)).toEqual([429, 0]);
    expect(await refusedBy(() => Response.redirect("http://localhost/slow"))).toEqual([302, 0]);
  });
});

describe("skip", () => {
  async function statuses(skip: (request: Request) => unknown): Promise<number[]> {
    const own = createLimiter<string>({
      name: "chat",
      layers: [{ name: "ip", key: (ip) => ip, limits: "1/minute" }],
      onError: () => {},
    });
    const guard = fetchAdapter.rateLimit(own, { caller, skip: skip as never });
    const handler = guard(() => new Response("hello"));
    const all = [];
    for (let n = 0; n < 2; n += 1) all.push((await handler(new Request("http://localhost/"))).status);
    return all;
  }

  it("may return a promise, and skips only requests for which it returns true", async () => {
    expect(await statuses(async () => false)).toEqual([200, 429]);
    expect(await statuses(async () => true)).toEqual([200, 200]);
    expect(await statuses(async () => Promise.reject(new Error("lookup")))).toEqual([200, 429]);
    expect(await statuses(() => "yes")).toEqual([200, 429]);
  });

  it("may return a promise from another library", async () => {
    expect(await statuses(() => thenable(false))).toEqual([200, 429]);
    expect(await statuses(() => thenable(true))).toEqual([200, 200]);
  });
});

/** Returns a thenable that is not a `Promise`, like a query builder's. */
function thenable<T>(value: T): PromiseLike<T> {
  // biome-ignore lint/suspicious/noThenProperty: the test needs a thenable.
  return { then: (resolve) => Promise.resolve(value).then(resolve) };
}

describe("the caller and cost functions", () => {
  const ask = () => new Request("http://localhost/");
  const limiterOf = (onError = vi.fn()) => ({
    onError,
    own: createLimiter<string>({
      name: "chat",
      layers: [{ name: "ip", key: (ip) => ip, limits: "1/minute" }],
      onError,
    }),
  });

  it("may return any object with a then method", async () => {
    const { own, onError } = limiterOf();
    const guard = fetchAdapter.rateLimit(own, {
      caller: () => thenable("203.0.113.7"),
      cost: () => thenable({ requests: 1 }),
    });
    const handler = guard(() => new Response("hello"));
    expect([(await handler(ask())).status, (await handler(ask())).status]).toEqual([200, 429]);
    expect(onError).not.toHaveBeenCalled();
  });

  it("do not cause an unhandled rejection if both fail", async () => {
    const { own, onError } = limiterOf();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const guard = fetchAdapter.rateLimit(own, {
      caller: async () => Promise.reject(new Error("lookup")),
      cost: () => {
        throw new Error("cost");
      },
    });
    const handler = guard(() => new Response("hello"));
    expect([(await handler(ask())).status, (await handler(ask())).status]).toEqual([200, 429]);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ message: "cost" }));
  });

  it("get the runtime's other arguments, such as env, with their types", async () => {
    const { own } = limiterOf();
    const given: unknown[] = [];
    interface Bindings {
      readonly plan: string;
    }
    const guard = fetchAdapter.rateLimit(own, {
      caller: (request: Request, env: Bindings, context: { waitUntil(work: Promise<unknown>): void }) => {
        given.push(request.url, env, context);
        return env.plan;
      },
      cost: (_request, env) => ({ requests: env.plan === "free" ? 1 : 2 }),
      skip: (request) => request.url.endsWith("/health"),
    });
    const handler = guard((_request: Request, env: Bindings) => new Response(env.plan));
    const [env, context] = [{ plan: "free" }, { waitUntil: () => {} }];
    // @ts-expect-error the guard needs the arguments that its options use
    guard(() => new Response("x"))(ask()).catch(() => {});
    const passed = handler as (request: Request, ...rest: unknown[]) => Promise<Response>;
    expect(await (await passed(ask(), env, context)).text()).toBe("free");
    expect(given.slice(-3)).toEqual(["http://localhost/", env, context]);
  });
});
