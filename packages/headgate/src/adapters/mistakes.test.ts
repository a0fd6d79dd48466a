import { createServer, type RequestListener } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { createLimiter } from "../limiter.ts";
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
        "it got an object with windowMs, limit",
      ],
      ["no limiter", [undefined, { caller }], "rateLimit takes a limiter that createLimiter has made"],
      ["no options", [limiter], "The options of rateLimit are an object such as"],
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
});
