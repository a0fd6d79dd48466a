import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { checkWholeNumber } from "../../core/whole-number.ts";
import { type HeaderFields, hopsFromRight, readField } from "./address-forwarding.ts";
import { type Address, parseAddress, parseIpv4, renderKey } from "./address-text.ts";
import { checkTrust, parseTrustProxy, type TrustProxy } from "./address-trust.ts";
import { hearUntrusted } from "./address-untrusted.ts";

export type { HeaderFields } from "./address-forwarding.ts";
export { parseTrustProxy, type TrustProxy, type TrustProxyOptions } from "./address-trust.ts";

/** Where a request came from. */
export interface AddressSource {
  /**
   * The socket's remote address; for a Unix socket, `127.0.0.1`. `null` if the runtime has no sockets, as in a
   * serverless function: then a header is trusted only if the setting names such a platform, a hop count or `first`.
   * `undefined` if the address is not known, for example because the client has gone: then no header is trusted.
   */
  peer: string | null | undefined;
  /** The request's header fields. */
  headers: HeaderFields;
}

/** The key shared by all callers without an address. */
const unknownAddress = "unknown";

/** The default setting. */
const trustPrivate = parseTrustProxy("private", {
  onWarning: (warning) => console.warn(`headgate: ${warning}`),
});

/** Cache: behind a proxy and on keep-alive connections, the peer is usually the same as before. */
let lastPeer = "";
let lastPeerAddress: Address | undefined;

/**
 * Returns the caller's address as a key. This is the socket's peer, unless the peer is a trusted proxy. Then it is the
 * right-most entry of the forwarding header that is not a trusted proxy. If an entry is not an address, the caller is
 * the trusted proxy that reported it, since no further entry can be trusted. At most 32 entries and 4,096 characters
 * are read.
 *
 * @param source the peer and the header fields. The function never throws, whatever they contain.
 * @param trust which proxies are trusted. Default: proxies in loopback, link-local and private networks, with one
 *   warning on the console if a forwarding header arrives from another address.
 * @returns the key of the address: IPv4 in dotted decimal, IPv6 as its network (`2001:db8:1:2::/64`), IPv4-mapped IPv6
 * as IPv4. Without an address it is `unknown`, with one warning on the console, because all such callers share that
 * key.
 * @throws HeadgateError `option-invalid` for an invalid source, or for a `trust` that `parseTrustProxy` has not made.
 */
export function callerAddress(source: AddressSource, trust: TrustProxy = trustPrivate): string {
  checkSource(source);
  checkTrust("The second argument of callerAddress", trust);
  const address = knownAddress(source, trust);
  if (address !== undefined) return address;
  warnOfUnknown();
  return unknownAddress;
}

/** A peer or a setting under another name would be ignored, and all callers would share one key. */
function checkSource(source: AddressSource): void {
  if (typeof source !== "object" || source === null || !("peer" in source) || !isObject(source.headers)) {
    failSource(
      `callerAddress takes { peer, headers }, such as { peer: request.socket.remoteAddress, headers: request.headers }, got ${describe(source)}.`,
    );
  }
  checkPeer("peer of callerAddress", source.peer);
  if ("trust" in source)
    failSource("trust is the second argument of callerAddress: callerAddress({ peer, headers }, trust).");
}

/** @throws HeadgateError `option-invalid` */
export function checkPeer(of: string, peer: unknown): void {
  if (typeof peer === "string" || peer === null || peer === undefined) return;
  failSource(`${of} must be an address as text, null or undefined, got ${describe(peer)}.`);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function failSource(message: string): never {
  throw new HeadgateError("option-invalid", message);
}

let hasWarned = false;

function warnOfUnknown(): void {
  if (hasWarned) return;
  hasWarned = true;
  console.warn(
    'headgate: callerAddress found no address in a request and returned "unknown": all such callers share one key. ' +
      "Either the client has gone, or no peer was passed and no trusted proxy reports the caller. " +
      "clientAddress of your framework's adapter finds the peer by itself.",
  );
}

/** The same, but `undefined` if there is no address. */
export function knownAddress(source: AddressSource, trust: TrustProxy = trustPrivate): string | undefined {
  const peer = plainPeer(source.peer);
  const ipv4 = typeof peer === "string" ? parseIpv4(peer) : -1;
  // Common case without a proxy: an IPv4 peer in dotted decimal is already the key.
  if (typeof peer === "string" && ipv4 >= 0 && !trust.field && !trust.trusts(ipv4, 0)) {
    if (trust.untrusted) hearUntrusted(trust.untrusted, source.headers, true);
    return peer;
  }
  const found = resolve(ipv4 >= 0 ? ipv4 : parsePeer(peer), source.headers, trust);
  return found === undefined || found === null ? undefined : renderKey(found, trust.ipv6PrefixLength);
}

/**
 * The key of one address, as {@link callerAddress} returns it.
 *
 * @param text an address in any form: with port, brackets or zone, IPv4-mapped or not.
 * @param ipv6PrefixLength how many bits of an IPv6 address count, 1 to 128.
 * @returns `undefined` if the text is not an address.
 * @throws HeadgateError `option-invalid` for another number of bits.
 */
export function normalizeAddress(text: string, ipv6PrefixLength = 64): string | undefined {
  checkWholeNumber("ipv6PrefixLength", ipv6PrefixLength, 1, 128);
  if (typeof text !== "string") return undefined;
  const address = parseAddress(text);
  return address === undefined ? undefined : renderKey(address, ipv6PrefixLength);
}

/** A socket that listens on both IP versions reports IPv4 peers as mapped. */
function plainPeer(peer: string | null | undefined): string | null | undefined {
  return peer?.startsWith("::ffff:") && peer.includes(".") ? peer.slice(7) : peer;
}

function parsePeer(peer: string | null | undefined): Address | null | undefined {
  if (peer === undefined || peer === null) return peer;
  if (peer !== lastPeer) {
    lastPeerAddress = parseAddress(peer);
    lastPeer = peer;
  }
  return lastPeerAddress;
}

function resolve(
  peer: Address | null | undefined,
  headers: HeaderFields,
  trust: TrustProxy,
): Address | null | undefined {
  const walked = walk(peer, headers, trust);
  if (walked === undefined || !trust.field?.isFrom(walked)) return walked;
  // The platform writes a single address. A list means that someone else wrote the field.
  return parseAddress(readField(headers, trust.field.name) ?? "") ?? walked;
}

/** Walks from the peer towards the caller, as long as each machine that reports the next one is trusted. */
function walk(
  peer: Address | null | undefined,
  headers: HeaderFields,
  trust: TrustProxy,
): Address | null | undefined {
  if (peer === undefined || !trust.trusts(peer, 0)) {
    if (trust.untrusted) hearUntrusted(trust.untrusted, headers, peer !== undefined && peer !== null);
    return peer;
  }
  let current = peer;
  let hop = 0;
  for (const text of hopsFromRight(headers, trust.list)) {
    const next = parseAddress(text);
    if (next === undefined) return current;
    current = next;
    if (!trust.trusts(current, ++hop)) return current;
  }
  return current;
}
