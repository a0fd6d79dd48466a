import { parseTrustProxy, type TrustProxy } from "headgate/http";
import type { Logger } from "pino";

/**
 * What holds where nobody said which proxies to trust: those in loopback, link-local and private networks. If a
 * forwarding header arrives from anybody else, the log says once what to set: people behind a proxy that is not known
 * share one address, and its limits.
 */
export function trustPrivate(log: Pick<Logger, "warn">): TrustProxy {
  return parseTrustProxy("private", {
    onWarning: (warning) => log.warn({ warning }, "RATE_LIMIT_TRUST_PROXY does not say which proxy to trust"),
  });
}
