import type { IncomingMessage, ServerResponse } from "node:http";
import { listening } from "@headgate/test-servers/frameworks/listening.ts";
import type { Request as ExpressRequest } from "express";
import { describe, expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { admissionOf, rateLimit } from "./node.ts";

const limiterOf = (limits: string) =>
  createLimiter<string>({ name: "chat", layers: [{ name: "user", key: (user) => user, limits }] });

describe("on a Node.js server", () => {
  it("returns the listener's result, synchronously if nothing is asynchronous", async () => {
    const returned: unknown[] = [];
    const answer = (_request: IncomingMessage, response: ServerResponse) => {
      response.end("hello");
      return "done";
    };
    const guarded = rateLimit(limiterOf("1/hour"), { caller: () => "x" })(answer);
    const later = rateLimit(limiterOf("1/hour"), { caller: async () => "x" })(answer);
    const { origin, close } = await listening((request, response) => {
      returned.push((request.url === "/later" ? later : guarded)(request, response));
    });
    for (const path of ["/", "/", "/later", "/later"]) await (await fetch(origin + path)).text();
    await close();
    expect(returned.slice(0, 2)).toEqual(["done", undefined]);
    expect(await Promise.all(returned.slice(2))).toEqual(["done", undefined]);
  });

  it("passes an error of the listener on to the caller of the guard", async () => {
    const guarded = rateLimit(limiterOf("5/hour"), { caller: () => "x" })(() => {
      throw new Error("the listener's");
    });
    const { origin, close } = await listening((request, response) => {
      expect(() => guarded(request, response)).toThrow("the listener's");
      response.end("caught");
    });
    expect(await (await fetch(origin)).text()).toBe("caught");
    await close();
  });
});

describe("types of headgate/node", () => {
  it("accept functions of a Node.js request only", () => {
    const limiter = limiterOf("5/hour");
    rateLimit(limiter, { caller: (request) => request.socket.remoteAddress ?? "" });
    // @ts-expect-error a function of an Express request
    rateLimit(limiter, { caller: (request: ExpressRequest) => request.ip ?? "" });
    // @ts-expect-error a function of a fetch Request
    rateLimit(limiter, { caller: (request: Request) => request.headers.get("x-user") ?? "" });
    // @ts-expect-error admissionOf takes a Node.js request, not a fetch Request
    expect(() => admissionOf(new Request("http://localhost/"))).not.toThrow();
  });
});
