import type { MiddlewareHandler } from "hono";
import type { ServiceEnv } from "./service-env.ts";

/**
 * Logs which limits refused, and adds the request id to the problem of a refusal. Refusals as text or a page are not
 * changed: the id is in a header, too.
 */
export const noteRefusal: MiddlewareHandler<ServiceEnv> = async (c, next) => {
  await next();
  if (c.res.status !== 429 && c.get("admission")?.admitted !== false) return;
  if (c.res.headers.get("content-type") !== "application/problem+json") {
    const limits = c.res.headers.get("RateLimit") ?? "";
    const spent = [...limits.matchAll(/"([^"]+)";r=0(?!\d)/g)];
    c.set(
      "refusedBy",
      spent.map(([, name = ""]) => name),
    );
    return;
  }
  const problem = (await c.res.json()) as { "violated-policies"?: string[] };
  c.set("refusedBy", problem["violated-policies"]);
  const body = JSON.stringify({ ...problem, request_id: c.get("requestId") });
  c.res = new Response(body, { status: c.res.status, headers: c.res.headers });
};
