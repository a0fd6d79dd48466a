import type { IncomingMessage } from "node:http";
import { express4, express5 } from "@headgate/test-servers/frameworks/express.ts";
import { listening } from "@headgate/test-servers/frameworks/listening.ts";
import type { Request as ExpressRequest } from "express";
import { describe, expect, it, vi } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { admissionOf, rateLimit } from "./express.ts";

const limiterOf = (limits: string, store = memoryStore()) =>
  createLimiter<string>({ name: "chat", layers: [{ name: "user", key: (user) => user, limits }], store });

describe.each([
  ["4", express4],
  ["5", express5],
])("on Express %s", (_version, express) => {
  async function statusesOf(paths: string[], mount: (app: ReturnType<typeof express>) => void) {
    const app = express();
    mount(app);
    const { origin, close } = await listening(app);
    const replies: [number, string | null][] = [];
    for (const path of paths) {
      const response = await fetch(origin + path);
      await response.text();
      replies.push([response.status, response.headers.get("RateLimit")]);
    }
    await close();
    return replies;
  }

  it("guards single routes with separate limiters", async () => {
    const replies = await statusesOf(["/a", "/a", "/b/1", "/b/2", "/b/3", "/c"], (app) => {
      app.get("/a", rateLimit(limiterOf("1/hour"), { caller: () => "x" }), (_request, response) => {
        response.send("a");
      });
      app.use("/b", rateLimit(limiterOf("2/hour"), { caller: () => "x" }));
      app.get("/b/:id", (request, response) => void response.send(request.params.id));
      app.get("/c", (_request, response) => void response.send("c"));
    });
    expect(replies.map(([status]) => status)).toEqual([200, 429, 200, 200, 429, 200]);
    expect(replies.at(-1)?.[1]).toBe(null);
  });

  it("reports a guard that runs after the response has begun, and ends a refused response", async () => {
    const errors: unknown[] = [];
    const layers = [{ name: "user", key: (user: string) => user, limits: "1/hour" }];
    const limiter = createLimiter<string>({ name: "chat", layers, onError: (error) => errors.push(error) });
    const handler = vi.fn((_request, response) => void response.end());
    const replies = await statusesOf(["/", "/"], (app) => {
      app.use((_request, response, next) => {
        response.write("begun");
        next();
      });
      app.use(rateLimit(limiter, { caller: () => "x" }), handler);
    });
    expect(replies.map(([status]) => status)).toEqual([200, 200]);
    expect(handler).toHaveBeenCalledOnce();
    expect(errors.map(String)).toEqual([expect.stringContaining("before rateLimit ran")]);
  });

  it("keeps the fields on error and 404 responses by Express", async () => {
    const replies = await statusesOf(["/fails", "/unknown"], (app) => {
      app.set("env", "test");
      app.use(rateLimit(limiterOf("5/hour"), { caller: () => "x" }));
      app.get("/fails", () => {
        throw new Error("the handler's");
      });
    });
    expect(replies).toEqual([
      [500, '"user-per-hour";r=4;t=3600'],
      [404, '"user-per-hour";r=3;t=3600'],
    ]);
  });

  it.each<[string, (next: (error?: unknown) => void) => unknown]>([
    ["next()", (next) => next()],
    ["next(null)", (next) => next(null)],
    ['next("route")', (next) => next("route")],
    ['next("router")', (next) => next("router")],
    ["next() in a promise", async (next) => next()],
    ["next() after the refusal", (next) => void setImmediate(next)],
  ])("still refuses the request if onRefused calls %s", async (call, ask) => {
    const onError = vi.fn();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits: "1/hour" }],
      onError,
    });
    const served = vi.fn();
    const replies = await statusesOf(["/", "/", "/"], (app) => {
      app.use(
        rateLimit(limiter, {
          caller: () => "x",
          onRefused: (_refused, _request, _response, next) => ask(next as never) as undefined,
        }),
      );
      app.use((_request, response) => {
        served();
        response.send("served");
      });
    });
    expect(replies.map(([status]) => status)).toEqual([200, 429, 429]);
    expect(served).toHaveBeenCalledTimes(1);
    if (!call.includes("after the refusal"))
      expect(String(onError.mock.calls[0]?.[0])).toContain("called next()");
    await limiter.close();
  });

  it("allows onRefused to redirect, pass on an error, or answer later", async () => {
    const onError = vi.fn();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits: "1/hour" }],
      onError,
    });
    const seen: unknown[] = [];
    const replies = await statusesOf(["/", "/redirect", "/error", "/later", "/forgets"], (app) => {
      app.use(
        rateLimit(limiter, {
          caller: () => "x",
          onRefused(refused, request, response, next) {
            seen.push(
              refused.admitted,
              response.headersSent,
              response.statusCode,
              admissionOf(request) === refused,
            );
            if (request.path === "/redirect") response.redirect("/slow");
            if (request.path === "/error") next(Object.assign(new Error("slow"), { status: 420 }));
            if (request.path === "/later") {
              setImmediate(() => response.status(402).send("pay"));
              return response;
            }
            return undefined;
          },
        }),
      );
      app.set("env", "test");
      app.get("/slow", (_request, response) => void response.send("slow"));
      app.use((_request, response) => void response.send("ok"));
    });
    // The redirect leads to another refusal, which onRefused does not answer.
    expect(replies.map(([status]) => status)).toEqual([200, 429, 420, 402, 429]);
    expect(seen.slice(0, 4)).toEqual([false, false, 200, true]);
    expect(onError).not.toHaveBeenCalled();
  });

  it("calls next synchronously if nothing is asynchronous", async () => {
    let waited = true;
    const guard = rateLimit(limiterOf("5/hour"), { caller: () => "x" });
    await statusesOf(["/"], (app) => {
      app.use((request, response, next) => {
        let called = false;
        guard(request, response, () => {
          called = true;
          next();
        });
        waited = !called;
      });
    });
    expect(waited).toBe(false);
  });

  it("does not change a response that was sent while the store decided", async () => {
    const store = memoryStore();
    const failed = vi.fn();
    process.on("unhandledRejection", failed);
    const replies = await statusesOf(["/", "/"], (app) => {
      let decide: () => void = () => {};
      const turn = new Promise<void>((resolve) => {
        decide = resolve;
      });
      const asked = {
        ...store,
        decide: (...question: Parameters<typeof store.decide>) => turn.then(() => store.decide(...question)),
      };
      const limiter = limiterOf("1/hour", asked as never);
      app.use((_request, response, next) => {
        next();
        response.status(503).send("overdue");
        decide();
      });
      app.use(rateLimit(limiter, { caller: () => "x" }));
      app.use(() => {});
    });
    process.off("unhandledRejection", failed);
    expect(replies.map(([status]) => status)).toEqual([503, 503]);
    expect(failed).not.toHaveBeenCalled();
  });
});

describe("types of headgate/express", () => {
  it("accept functions of an Express request only", () => {
    const limiter = limiterOf("5/hour");
    rateLimit(limiter, { caller: (request) => request.ip ?? request.get("X-User") ?? "" });
    rateLimit(limiter, { caller: (request: ExpressRequest) => request.path });
    rateLimit(limiter, { caller: (incoming: IncomingMessage) => incoming.socket.remoteAddress ?? "" });
    // @ts-expect-error a function of a fetch Request
    rateLimit(limiter, { caller: (request: Request) => request.headers.get("x-user") ?? "" });
    // @ts-expect-error the function returns another type of caller
    rateLimit(limiter, { caller: () => 42 });
    // @ts-expect-error admissionOf takes an Express request, not a fetch Request
    expect(() => admissionOf(new Request("http://localhost/"))).not.toThrow();
  });
});
