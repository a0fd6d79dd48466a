import { isIP } from "node:net";
import type { MiddlewareHandler } from "hono";
import { HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/**
 * Answers under no name that somebody else may have pointed here: a page of theirs could read what it asks for, since to a
 * browser both are one origin (DNS rebinding). An address cannot be pointed anywhere, and neither can the names of this
 * machine alone. Where `PUBLIC_URL` is set, that is the origin that counts, and proxies may ask by any name.
 *
 * @param ownName what `HOST` says: a name that the operator listens on is one that they chose
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

/** Whether only this machine reaches what listens there. */
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
