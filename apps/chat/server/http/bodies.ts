import type { Limiter } from "headgate";
import { refusal } from "headgate/http";
import type { Context, MiddlewareHandler } from "hono";
import { refusalProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/**
 * Counts every request with a body, by address and before the body is read, because reading and checking a body costs
 * the service more than refusing it.
 */
export function limitBodies(
  limiter: Limiter<{ address: string }>,
  addressOf: (c: Context<ServiceEnv>) => string,
): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    if (!bringsBody(c)) return next();
    const admission = await limiter.admit({ address: addressOf(c) });
    if (admission.admitted) return next();
    const refused = refusal(admission);
    c.set("admission", admission);
    c.set("refusedBy", refused.problem["violated-policies"]);
    // Do not wait for the rest of the body.
    throw refusalProblem({ ...refused, headers: { ...refused.headers, Connection: "close" } });
  };
}

/** Whether a request has a body, according to its head. */
export function bringsBody(c: Context<ServiceEnv>): boolean {
  const length = c.req.header("Content-Length");
  if (length !== undefined) return length !== "0";
  if (c.req.header("Transfer-Encoding") !== undefined) return true;
  // A request that did not arrive over HTTP has neither field.
  return c.env?.incoming === undefined && c.req.raw.body !== null;
}
