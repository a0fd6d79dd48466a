import type { HeaderFields } from "./address-forwarding.ts";

/** The fields by which proxies tell the caller's address, as their makers write them. */
const forwardingFields = [
  "X-Forwarded-For",
  "Forwarded",
  "CF-Connecting-IP",
  "X-Real-IP",
  "Fly-Client-IP",
  "True-Client-IP",
].map((spelling) => ({ spelling, name: spelling.toLowerCase() }));

/** A proxy in front shows in the first requests or never: after this many without a field, the check ends. */
export const mostLooks = 10_000;

/** Receives one warning about a forwarding field that is not read. */
export interface UntrustedListener {
  /** How many requests are still looked at. */
  looksLeft: number;
  readonly onWarning: (warning: string) => void;
}

/**
 * Warns, once for each listener, if one of the first requests that no trusted proxy sent carries a forwarding field: either a proxy is
 * not known, and its callers share one address, or somebody tries to forge one. The warning holds nobody's address.
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

/** Node spells names in lower case: looking there first spares the search through a record. */
function carries(headers: HeaderFields, name: string): boolean {
  if (typeof headers.get === "function") return headers.get(name) !== null;
  return (headers as Record<string, unknown>)[name] !== undefined;
}
