import type { ServerType } from "@hono/node-server";
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
    if (admission.admitted) {
      if (c.req.header("Expect") !== undefined) c.env?.outgoing?.writeContinue();
      return next();
    }
    const refused = refusal(admission);
    c.set("admission", admission);
    c.set("refusedBy", refused.problem["violated-policies"]);
    throw refusalProblem(refused);
  };
}

/**
 * Closes the connection after a response that did not wait for the rest of the body, and says so in the response.
 * Otherwise the server would read on for half a second at most, and then close the connection anyway, perhaps while
 * another client sends a request through the same proxy.
 */
export const closeIfUnread: MiddlewareHandler<ServiceEnv> = async (c, next) => {
  await next();
  if (c.env?.incoming?.complete === false) c.header("Connection", "close");
};

/**
 * Lets a client that asks first (`Expect: 100-continue`) send its body only once the body is counted. By default, Node
 * answers `100 Continue` to all of them.
 */
export function continueOnceCounted(server: ServerType): void {
  server.on("checkContinue", (request, response) => void server.emit("request", request, response));
}

/** Whether a request has a body, according to its head. */
export function bringsBody(c: Context<ServiceEnv>): boolean {
  const length = c.req.header("Content-Length");
  if (length !== undefined) return length !== "0";
  if (c.req.header("Transfer-Encoding") !== undefined) return true;
  // A request that did not arrive over HTTP has neither field.
  return c.env?.incoming === undefined && c.req.raw.body !== null;
}
