import { parseTrustProxy, type TrustProxy } from "headgate/http";
import type { Logger } from "pino";

/**
 * The default for trusted proxies: those in loopback, link-local and private networks. If a forwarding header arrives
 * from another address, logs once what to set: people behind an unknown proxy share one address and its limits.
 */
export function trustPrivate(log: Pick<Logger, "warn">): TrustProxy {
  return parseTrustProxy("private", {
    onWarning: (warning) => log.warn({ warning }, "RATE_LIMIT_TRUST_PROXY does not say which proxy to trust"),
  });
}
