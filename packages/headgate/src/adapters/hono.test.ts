import { Hono } from "hono";
import { cors } from "hono/cors";
import { expect, it } from "vitest";
import { createLimiter } from "../limiter.ts";
import { rateLimit } from "./hono.ts";

it("refuses behind CORS middleware with the fields of both", async () => {
  const limiter = createLimiter<string>({
    layers: [{ name: "user", key: (user) => user, limits: "1/hour" }],
  });
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
