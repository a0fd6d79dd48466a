import type { IncomingMessage } from "node:http";
import { type FastifyInstance, fastify } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { type FastifyHook, rateLimit } from "./fastify.ts";

const limiterOf = (limits: string) =>
  createLimiter<string>({ name: "chat", layers: [{ name: "user", key: (user) => user, limits }] });

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

function appOf(): FastifyInstance {
  const app = fastify();
  apps.push(app);
  return app;
}

describe("on Fastify", () => {
  it("guards single routes, and the routes of one plugin", async () => {
    const app = appOf();
    const guard = rateLimit(limiterOf("1/hour"), { caller: () => "x" });
    app.get("/a", { onRequest: guard }, async () => "a");
    await app.register(async (plugin) => {
      plugin.addHook("onRequest", rateLimit(limiterOf("1/hour"), { caller: () => "x" }));
      plugin.get("/b", async () => "b");
    });
    app.get("/c", async () => "c");
    const statuses: number[] = [];
    for (const url of ["/a", "/a", "/b", "/b", "/c"]) statuses.push((await app.inject(url)).statusCode);
    expect(statuses).toEqual([200, 429, 200, 429, 200]);
  });

  it("guards in a later hook, which can read the body", async () => {
    const app = appOf();
    const guard = rateLimit(limiterOf("1/hour"), {
      caller: (request) => (request.body as { user: string }).user,
    });
    app.post("/", { preHandler: guard }, async () => "hello");
    const send = (user: string) => app.inject({ method: "POST", url: "/", payload: { user } });
    const statuses: number[] = [];
    for (const user of ["a", "a", "b"]) statuses.push((await send(user)).statusCode);
    expect(statuses).toEqual([200, 429, 200]);
  });

  it("writes the fields even if the handler hijacks the reply", async () => {
    const app = appOf();
    app.addHook("onRequest", rateLimit(limiterOf("5/hour"), { caller: () => "x" }));
    app.get("/", (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { "Content-Type": "text/event-stream" });
      reply.raw.end("data: hello\n\n");
    });
    const { headers, body } = await app.inject("/");
    expect([headers["content-type"], headers.ratelimit, body]).toEqual([
      "text/event-stream",
      '"user-per-hour";r=4;t=3600',
      "data: hello\n\n",
    ]);
  });

  it("keeps the fields on error and 404 responses, and calls the application's hooks for refusals", async () => {
    const app = appOf();
    const sent: number[] = [];
    let lastPayload: unknown;
    app.addHook("onSend", async (_request, reply, payload) => {
      sent.push(reply.statusCode);
      lastPayload = payload;
      reply.header("X-Sent", "yes");
    });
    app.addHook("onRequest", rateLimit(limiterOf("2/hour"), { caller: () => "x" }));
    app.get("/fails", async () => {
      throw new Error("the handler's");
    });
    const replies = [await app.inject("/fails"), await app.inject("/unknown"), await app.inject("/fails")];
    expect(replies.map(({ statusCode, headers }) => [statusCode, headers.ratelimit])).toEqual([
      [500, '"user-per-hour";r=1;t=3600'],
      [404, '"user-per-hour";r=0;t=3600'],
      [429, '"user-per-hour";r=0;t=3600'],
    ]);
    expect(replies[2]?.headers["x-sent"]).toBe("yes");
    expect(sent).toEqual([500, 404, 429]);
    expect([replies[2]?.headers["content-type"], replies[2]?.body]).toEqual([
      "application/problem+json",
      lastPayload,
    ]);
  });

  it("calls done synchronously if nothing is asynchronous", async () => {
    const app = appOf();
    const guard = rateLimit(limiterOf("5/hour"), { caller: () => "x" });
    const order: string[] = [];
    app.addHook("onRequest", (request, reply, done) => {
      guard(request, reply, () => order.push("done"));
      order.push("returned");
      done();
    });
    app.get("/", async () => "hello");
    await app.inject("/");
    expect(order).toEqual(["done", "returned"]);
  });
});

describe("types of headgate/fastify", () => {
  it("accept functions of a Fastify request only", () => {
    const limiter = limiterOf("5/hour");
    const hook: FastifyHook = rateLimit(limiter, {
      caller: (request) => `${request.ip} ${request.routeOptions.url}`,
    });
    expect(hook).toBeTypeOf("function");
    // @ts-expect-error a function of a Node.js request
    rateLimit(limiter, { caller: (incoming: IncomingMessage) => incoming.url ?? "" });
    // @ts-expect-error a function of a fetch Request
    rateLimit(limiter, { caller: (request: Request) => request.headers.get("x-user") ?? "" });
  });
});
