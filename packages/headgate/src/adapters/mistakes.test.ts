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

describe.each(Object.entries(adapters))(
  "rateLimit of headgate/%s, given by mistake",
  (_name, { rateLimit }) => {
    const mount = rateLimit as (...given: unknown[]) => unknown;

    it.each([
      [
        "another library's options",
        [{ windowMs: 60_000, limit: 5 }, { caller }],
        "got an object with windowMs, limit",
      ],
      [
        "what only looks like a limiter, and could not count the unidentified",
        [{ name: "chat", admit: () => ({ admitted: true }) }, { caller }],
        "rateLimit takes a limiter made by createLimiter",
      ],
      ["no limiter", [undefined, { caller }], "rateLimit takes a limiter made by createLimiter"],
      ["no options", [limiter], "The options of rateLimit must be an object such as"],
      ["no caller", [limiter, {}], "caller of rateLimit must be a function of the request, got undefined."],
      [
        "a caller that is no function",
        [limiter, { caller: "ip" }],
        'caller of rateLimit must be a function of the request, got "ip".',
      ],
      [
        "a cost that is no function",
        [limiter, { caller, cost: { requests: 2 } }],
        "cost of rateLimit must be a function",
      ],
      ["a misspelt option", [limiter, { caller, skipp: () => true }], 'did you mean "skip"?'],
      [
        "an onRefused that is no function",
        [limiter, { caller, onRefused: 402 }],
        "onRefused of rateLimit must be",
      ],
      [
        "a refundWhen that is no function",
        [limiter, { caller, refundWhen: true }],
        "refundWhen of rateLimit must be",
      ],
      [
        "a redirect for a status",
        [limiter, { caller, status: 302 }],
        "status of rateLimit must be a whole number from 400 to 599, got 302. For a redirect, answer in onRefused.",
      ],
      [
        "no time for lookups",
        [limiter, { caller, lookupMs: 0 }],
        "lookupMs of rateLimit must be a whole number from 1 to 60000, got 0.",
      ],
      ["a status in quotes", [limiter, { caller, status: "503" }], 'got "503"'],
      [
        "a form of the fields that does not exist",
        [limiter, { caller, fields: "draft-8" }],
        "fields must be false or one of draft, draft-7, draft-6",
      ],
      ["fields: true", [limiter, { caller, fields: true }], "fields must be false or one of"],
      ["legacy in quotes", [limiter, { caller, legacy: "yes" }], "legacy must be true or false"],
      [
        "Fastify, which register calls it with",
        [{ addHook() {}, register() {} }, {}],
        'Write app.addHook("onRequest", rateLimit(limiter, { caller })).',
      ],
      [
        "a request, as it was mounted without being called",
        [{ headers: {}, socket: {} }, {}, () => {}],
        "rateLimit was mounted without being called",
      ],
      ["a promise of a limiter", [Promise.resolve(limiter), { caller }], "got a promise"],
      [
        "another library's option",
        [limiter, { caller, skipFailedRequests: true }],
        "it is another library's",
      ],
      ["keyGenerator", [limiter, { caller, keyGenerator: caller }], "it is another library's"],
    ])("says at once what is wrong: %s", (_what, given, message) => {
      expect(() => mount(...given)).toThrow(message);
    });
  },
);

it("answers where a guard is mounted in place of a listener, and reports it", async () => {
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

it("says at the start that Fastify's register guards nothing", () => {
  const instance = fastifyOf();
  const register = fastify.rateLimit(limiter, { caller }) as (...given: unknown[]) => void;
  expect(() => register(instance, {}, () => {})).toThrow("is a hook, and no plugin");
  expect(() => fastify.rateLimit(instance as never, { windowMs: 1000 } as never)).toThrow(
    "fastify.register(rateLimit, …) guards nothing",
  );
});

it.each([
  ["fetch", fetchAdapter.rateLimit],
  ["next", next.rateLimit],
])("fails, and reports it, where a guard of headgate/%s has no handler", async (_name, rateLimit) => {
  const onError = vi.fn();
  const reporting = createLimiter<string>({
    name: "chat",
    layers: [{ name: "ip", key: (ip) => ip, limits: "1/minute" }],
    onError,
  });
  const guard = rateLimit(reporting, { caller }) as unknown as (request: Request) => Response;
  expect(() => guard(new Request("http://localhost/"))).toThrow("rateLimit guards a handler");
  expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "guard-misplaced" }));
});

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

  it("that returns what cannot be sent is reported, and the usual refusal is sent", async () => {
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

  it("may be asynchronous, and passes only what it says to skip", async () => {
    expect(await statuses(async () => false)).toEqual([200, 429]);
    expect(await statuses(async () => true)).toEqual([200, 200]);
    expect(await statuses(async () => Promise.reject(new Error("lookup")))).toEqual([200, 429]);
    expect(await statuses(() => "yes")).toEqual([200, 429]);
  });

  it("may answer by a promise that is not the platform's own", async () => {
    expect(await statuses(() => thenable(false))).toEqual([200, 429]);
    expect(await statuses(() => thenable(true))).toEqual([200, 200]);
  });
});

/** As query builders return it, and other realms. */
function thenable<T>(value: T): PromiseLike<T> {
  // biome-ignore lint/suspicious/noThenProperty: it is what is tested.
  return { then: (resolve) => Promise.resolve(value).then(resolve) };
}

describe("lookups", () => {
  const ask = () => new Request("http://localhost/");
  const limiterOf = (onError = vi.fn()) => ({
    onError,
    own: createLimiter<string>({
      name: "chat",
      layers: [{ name: "ip", key: (ip) => ip, limits: "1/minute" }],
      onError,
    }),
  });

  it("wait for promises of any kind", async () => {
    const { own, onError } = limiterOf();
    const guard = fetchAdapter.rateLimit(own, {
      caller: () => thenable("203.0.113.7"),
      cost: () => thenable({ requests: 1 }),
    });
    const handler = guard(() => new Response("hello"));
    expect([(await handler(ask())).status, (await handler(ask())).status]).toEqual([200, 429]);
    expect(onError).not.toHaveBeenCalled();
  });

  it("that fail after another has failed end no process", async () => {
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

  it("are given what a runtime hands on with the request, in its types", async () => {
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
    // @ts-expect-error the guard needs what its options read
    guard(() => new Response("x"))(ask()).catch(() => {});
    const passed = handler as (request: Request, ...rest: unknown[]) => Promise<Response>;
    expect(await (await passed(ask(), env, context)).text()).toBe("free");
    expect(given.slice(-3)).toEqual(["http://localhost/", env, context]);
  });
});
