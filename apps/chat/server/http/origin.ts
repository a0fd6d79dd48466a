import type { MiddlewareHandler } from "hono";
import { HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/**
 * Refuses state-changing requests that a browser sends for another site, whatever cookies they have. Programs that are
 * not browsers send neither field and pass, because no site can make them send somebody's cookies. The algorithm is
 * that of Go's `http.CrossOriginProtection`: Fetch Metadata first, then `Origin` compared with `Host`.
 *
 * @param publicUrl the service's origin, if a proxy changes `Host`
 */
export function sameOriginOnly(publicUrl: string | null): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    if (!isSafeMethod(c.req.method) && isCrossOrigin(c.req.raw.headers, c.req.url, publicUrl)) {
      throw new HttpProblem(
        403,
        "cross_origin",
        "This request came from another site. Send it from the service's own page, or from a program that is not a browser.",
      );
    }
    await next();
  };
}

function isSafeMethod(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

function isCrossOrigin(headers: Headers, url: string, publicUrl: string | null): boolean {
  const origin = headers.get("origin");
  if (origin !== null && origin === publicUrl) return false;
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  if (origin === null) return false;
  // The scheme is not compared: behind a proxy that terminates TLS, the service does not know the browser's scheme.
  return !URL.canParse(origin) || new URL(origin).host !== new URL(url).host;
}
