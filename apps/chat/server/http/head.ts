import type { MiddlewareHandler } from "hono";
import type { ServiceEnv } from "./service-env.ts";

/** Cancels the body of an answer to `HEAD`, which nobody reads: a stream would hold its place, or its file, for ever. */
export const dropBodyOfHead: MiddlewareHandler<ServiceEnv> = async (c, next) => {
  await next();
  if (c.req.method === "HEAD") await c.res.body?.cancel();
};
