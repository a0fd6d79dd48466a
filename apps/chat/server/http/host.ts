import { isIP } from "node:net";
import type { MiddlewareHandler } from "hono";
import { badRequest, HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/**
 * Refuses a request with several `Host` fields, as RFC 9112 (section 3.2) demands. A proxy may have checked another one
 * than the service would use.
 */
export const oneHostOnly: MiddlewareHandler<ServiceEnv> = async (c, next) => {
  const names = c.env?.incoming?.rawHeaders.filter((_text, place) => place % 2 === 0) ?? [];
  if (names.filter((name) => name.toLowerCase() === "host").length > 1) {
    throw badRequest("A request should have one Host field.");
  }
  await next();
};

/**
 * Prevents DNS rebinding. Somebody else could point a host name here, and a page of theirs could then read responses,
 * since a browser sees one origin. So the service answers only under IP addresses and this machine's own names. If
 * `PUBLIC_URL` is set, that origin is checked instead, and proxies may use any host name.
 *
 * @param ownName the value of `HOST`, a name that the operator chose
 */
export function ownHostOnly(publicUrl: string | null, ownName: string): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    if (publicUrl === null && !isOwn(new URL(c.req.url).hostname, ownName)) {
      throw new HttpProblem(
        421,
        "misdirected",
        "The service does not answer under this host name. Its operator must set PUBLIC_URL to the address that browsers use.",
      );
    }
    await next();
  };
}

/** Whether only this machine can reach a server that listens on this host. */
export function isLoopback(host: string): boolean {
  return ["127.0.0.1", "::1", "localhost"].includes(host);
}

function isOwn(hostname: string, ownName: string): boolean {
  const name = hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
  return (
    isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost") || name === ownName.toLowerCase()
  );
}
