import type { MiddlewareHandler } from "hono";
import type { ServiceEnv } from "./service-env.ts";

/** Gives a 429 the request's id, as every problem has it, and tells the log which limits refused. */
export const noteRefusal: MiddlewareHandler<ServiceEnv> = async (c, next) => {
  await next();
  if (c.res.status !== 429) return;
  const problem = (await c.res.json()) as { "violated-policies"?: string[] };
  c.set("refusedBy", problem["violated-policies"]);
  const body = JSON.stringify({ ...problem, request_id: c.get("requestId") });
  c.res = new Response(body, { status: 429, headers: c.res.headers });
};
