import type { Hono } from "hono";
import { HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** Answers 405, with `Allow`, if a path exists but not with this method. Call it after all routes are added. */
export function refuseOtherMethods(app: Hono<ServiceEnv>): void {
  const methodsOf = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method === "ALL") continue;
    const methods = methodsOf.get(path) ?? new Set();
    methods.add(method);
    if (method === "GET") methods.add("HEAD");
    methodsOf.set(path, methods);
  }
  for (const [path, methods] of methodsOf) {
    if (path.includes("*")) continue;
    const allow = [...methods].sort().join(", ");
    app.all(path, (c) => {
      throw new HttpProblem(
        405,
        "method_not_allowed",
        `${c.req.method} is not allowed for this address. Allowed: ${allow}.`,
        {
          headers: { Allow: allow },
        },
      );
    });
  }
}
