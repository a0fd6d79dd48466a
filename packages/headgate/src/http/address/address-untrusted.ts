import type { HeaderFields } from "./address-forwarding.ts";

/** The fields in which proxies report the caller's address, in their usual spelling. */
const forwardingFields = [
  "X-Forwarded-For",
  "Forwarded",
  "CF-Connecting-IP",
  "X-Real-IP",
  "Fly-Client-IP",
  "True-Client-IP",
].map((spelling) => ({ spelling, name: spelling.toLowerCase() }));

/** A proxy in front shows itself in the first requests: after this many requests without a field, the check ends. */
export const mostLooks = 10_000;

/** Receives one warning about an ignored forwarding field. */
export interface UntrustedListener {
  /** How many more requests are checked. */
  looksLeft: number;
  readonly onWarning: (warning: string) => void;
}

/**
 * Warns once for each listener, if a forwarding field arrives in one of the first requests from an untrusted peer.
 * Either a proxy is not configured, so that its callers share one address, or someone is forging the field. The warning
 * contains no address.
 *
 * @param hasPeer whether the socket's peer has an address at all
 */
export function hearUntrusted(listener: UntrustedListener, headers: HeaderFields, hasPeer: boolean): void {
  if (listener.looksLeft === 0) return;
  listener.looksLeft -= 1;
  const found = forwardingFields.find(({ name }) => carries(headers, name));
  if (found === undefined) return;
  listener.looksLeft = 0;
  const from = hasPeer ? "from a public address" : "from a peer without an address";
  const warning =
    `A request ${from} carries ${found.spelling}, which is ignored: no trusted proxy is configured. ` +
    'If there is a proxy in front, name it: parseTrustProxy("cloudflare"), its networks, or a hop count such as "1". ' +
    'If there is none, use parseTrustProxy("none").';
  try {
    listener.onWarning(warning);
  } catch (error) {
    console.error("headgate: onWarning failed:", error);
  }
}

/** Node's header names are lower case, so one lookup is enough. */
function carries(headers: HeaderFields, name: string): boolean {
  if (typeof headers.get === "function") return headers.get(name) !== null;
  return (headers as Record<string, unknown>)[name] !== undefined;
}
