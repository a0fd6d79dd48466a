import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { afterEach, expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { rateLimit } from "./hono.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const limiterOf = (limits: string) =>
  createLimiter<string>({ name: "chat", layers: [{ name: "user", key: (user) => user, limits }] });

/** Serves the app over a socket, with a Node.js server. */
async function served(app: Hono<{ Bindings: HttpBindings }>): Promise<string> {
  const server = createAdaptorServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("headgate/hono sends a refusal with the headers of CORS middleware and of the guard", async () => {
  const limiter = limiterOf("1/hour");
  const app = new Hono();
  app.use(cors({ origin: "https://example.com", exposeHeaders: ["X-Own"] }));
  app.use((c, next) => {
    c.header("Cache-Control", "public, max-age=60");
    return next();
  });
  app.get("/", rateLimit(limiter, { caller: () => "a" }), (c) => c.text("hello"));
  const send = () => app.request("/", { headers: { Origin: "https://example.com" } });
  const exposed = "X-Own, RateLimit, RateLimit-Policy, Retry-After";

  const passed = await send();
  expect([passed.status, passed.headers.get("Access-Control-Expose-Headers")]).toEqual([200, exposed]);
  const { status, headers } = await send();
  expect([status, headers.get("Access-Control-Expose-Headers")]).toEqual([429, exposed]);
  expect(headers.get("Access-Control-Allow-Origin")).toBe("https://example.com");
  expect(headers.get("Cache-Control")).toBe("no-store");
  expect(headers.get("Content-Type")).toBe("application/problem+json");
});

it.each(["a Response", "the context", "a stream", "the Node.js response"])(
  "writes the fields if a handler on a Node.js server answers with %s",
  async (how) => {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.use(cors({ origin: "https://example.com", exposeHeaders: ["X-Own"] }));
    app.use(rateLimit(limiterOf("5/hour"), { caller: () => "a" }));
    app.get("/", (c) => {
      if (how === "the context") return c.text("hello", 201, { "X-Own": "own" });
      if (how === "a Response") return new Response("hello", { status: 201, headers: { "X-Own": "own" } });
      if (how === "a stream")
        return new Response(new Blob(["hello"]).stream(), { status: 201, headers: { "X-Own": "own" } });
      c.env.outgoing.writeHead(201, { "X-Own": "own" }).end("hello");
      return RESPONSE_ALREADY_SENT;
    });
    const response = await fetch(await served(app), { headers: { Origin: "https://example.com" } });
    expect([response.status, response.headers.get("X-Own"), await response.text()]).toEqual([
      201,
      "own",
      "hello",
    ]);
    expect(response.headers.get("RateLimit")).toBe('"user-per-hour";r=4;t=3600');
    // A handler that writes to the Node.js response bypasses Hono and headers prepared by its middleware.
    const exposed = "RateLimit, RateLimit-Policy, Retry-After";
    expect(response.headers.get("Access-Control-Expose-Headers")).toBe(
      how === "the Node.js response" ? exposed : `X-Own, ${exposed}`,
    );
  },
);

it("keeps the fields on error and 404 responses, with and without a Node.js server", async () => {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(rateLimit(limiterOf("9/hour"), { caller: () => "a" }));
  app.get("/fails", () => {
    throw new Error("the handler's");
  });
  app.onError((_error, c) => c.text("failed", 500));
  const origin = await served(app);
  const told: unknown[] = [];
  for (const path of ["/fails", "/unknown"]) {
    for (const response of [await app.request(path), await fetch(origin + path)])
      told.push([response.status, response.headers.get("RateLimit")]);
  }
  expect(told).toEqual([
    [500, '"user-per-hour";r=8;t=3600'],
    [500, '"user-per-hour";r=7;t=3600'],
    [404, '"user-per-hour";r=6;t=3600'],
    [404, '"user-per-hour";r=5;t=3600'],
  ]);
});

it("sends a refusal with headers and cookies that other middleware has prepared", async () => {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use((c, next) => {
    c.status(418);
    for (const cookie of ["a=1", "b=2"]) c.header("Set-Cookie", cookie, { append: true });
    c.header("Vary", "Origin");
    return next();
  });
  app.get("/", rateLimit(limiterOf("1/hour"), { caller: () => "a" }), (c) => c.text("hello", 200));
  const origin = await served(app);
  await fetch(origin);
  for (const { status, headers } of [await fetch(origin), await app.request("/")]) {
    expect([status, headers.getSetCookie(), headers.get("Vary")]).toEqual([
      429,
      ["a=1", "b=2"],
      "Origin, Accept",
    ]);
    expect(headers.get("Content-Type")).toBe("application/problem+json");
  }
});

it("does not treat a binding named outgoing as a Node.js response", async () => {
  const app = new Hono<{ Bindings: { outgoing: { send(): void } } }>();
  app.use(rateLimit(limiterOf("5/hour"), { caller: () => "a" }));
  app.get("/", (c) => c.text("hello"));
  const { headers } = await app.request("/", undefined, { outgoing: { send() {} } });
  expect(headers.get("RateLimit")).toBe('"user-per-hour";r=4;t=3600');
});
