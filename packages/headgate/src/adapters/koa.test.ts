import type { IncomingMessage } from "node:http";
import { listening } from "@headgate/test-servers/frameworks/listening.ts";
import Koa from "koa";
import { describe, expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { rateLimit } from "./koa.ts";

const limiterOf = (limits: string) =>
  createLimiter<string>({ name: "chat", layers: [{ name: "user", key: (user) => user, limits }] });

describe("on Koa", () => {
  it("keeps the fields on error and 404 responses, and shows refusals to earlier middleware", async () => {
    const app = new Koa();
    app.silent = true;
    const seen: [number, unknown][] = [];
    app.use(async (context, next) => {
      await next();
      seen.push([context.status, typeof context.body]);
    });
    app.use(rateLimit(limiterOf("2/hour"), { caller: () => "x" }));
    app.use((context) => {
      if (context.path === "/fails") throw new Error("the handler's");
    });
    const { origin, close } = await listening(app.callback());
    const replies: [number, string | null][] = [];
    for (const path of ["/fails", "/unknown", "/unknown"]) {
      const response = await fetch(origin + path);
      await response.text();
      replies.push([response.status, response.headers.get("RateLimit")]);
    }
    await close();
    expect(replies).toEqual([
      [500, '"user-per-hour";r=1;t=3600'],
      [404, '"user-per-hour";r=0;t=3600'],
      [429, '"user-per-hour";r=0;t=3600'],
    ]);
    expect(seen).toEqual([
      [404, "undefined"],
      [429, "string"],
    ]);
  });

  it("calls next synchronously if nothing is asynchronous", async () => {
    const app = new Koa();
    const guard = rateLimit(limiterOf("5/hour"), { caller: () => "x" });
    const order: string[] = [];
    app.use(async (context) => {
      const guarded = guard(context, async () => {
        order.push("handler");
      });
      order.push("returned");
      await guarded;
      context.body = "hello";
    });
    const { origin, close } = await listening(app.callback());
    expect((await fetch(origin)).status).toBe(200);
    await close();
    expect(order).toEqual(["handler", "returned"]);
  });
});

describe("types of headgate/koa", () => {
  it("accept functions of a Koa context only", () => {
    const limiter = limiterOf("5/hour");
    interface State {
      user: string;
    }
    const app = new Koa<State>();
    app.use(rateLimit(limiter, { caller: (context) => context.state.user }));
    app.use(rateLimit<string, State>(limiter, { caller: (context) => context.state.user.toLowerCase() }));
    expect(app.middleware).toHaveLength(2);
    // @ts-expect-error a function of a Node.js request
    rateLimit(limiter, { caller: (incoming: IncomingMessage) => incoming.httpVersion });
    // @ts-expect-error a function of a fetch Request
    rateLimit(limiter, { caller: (request: Request) => request.headers.get("x-user") ?? "" });
  });
});
