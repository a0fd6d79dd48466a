import type { MiddlewareHandler } from "hono";
import type { Readiness } from "../services/readiness.ts";
import { databaseProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** Rejects requests that write while the disk is nearly full, because a database may stop on a full disk. */
export function whileThereIsRoom(readiness: Pick<Readiness, "hasRoom">): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    const isWrite = c.req.method !== "GET" && c.req.method !== "HEAD" && c.req.method !== "DELETE";
    if (isWrite && !(await readiness.hasRoom())) throw databaseProblem("full");
    await next();
  };
}
