import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { rateLimit } from "headgate/hono";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { rateLimiter } from "hono-rate-limiter";
import type { Caller } from "../../traffic.ts";
import { answer, byHand, headgate, layers, refusedBody } from "../callers.ts";
import { listening } from "../listening.ts";

function serve(...guards: MiddlewareHandler[]): Promise<number> {
  const app = new Hono();
  for (const guard of guards) app.use(guard);
  app.get("/", (c) => c.text(answer));
  return listening(createServer(getRequestListener(app.fetch)));
}

function callerOf(c: Context): Caller {
  return { user: c.req.header("x-user-id") ?? "", ip: c.req.header("x-address") ?? "" };
}

export const bare = () => serve();

export const guarded = () => serve(rateLimit(headgate(), { caller: callerOf }));

/** https://github.com/rhinobase/hono-rate-limiter#rest-apis, one for each layer. */
export const usual = () =>
  serve(
    ...layers.map(({ by, limit: { quota, windowMs } }) =>
      rateLimiter({
        windowMs,
        limit: quota,
        standardHeaders: "draft-6",
        keyGenerator: (c) => callerOf(c)[by],
      }),
    ),
  );

export const floor = () => {
  const decide = byHand();
  return serve(async (c, next) => {
    const { admitted, policy, rateLimit: state, retryAfter } = decide(callerOf(c));
    const fields = { "RateLimit-Policy": policy, RateLimit: state };
    if (!admitted) {
      return c.body(refusedBody, 429, {
        ...fields,
        "Retry-After": String(retryAfter),
        "Content-Type": "application/problem+json",
      });
    }
    c.header("RateLimit-Policy", policy);
    c.header("RateLimit", state);
    await next();
  });
};
