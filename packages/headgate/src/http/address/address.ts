import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { type HeaderFields, hopsFromRight, readField } from "./address-forwarding.ts";
import { type Address, parseAddress, parseIpv4, renderKey } from "./address-text.ts";
import { checkTrust, parseTrustProxy, type TrustProxy } from "./address-trust.ts";
import { hearUntrusted } from "./address-untrusted.ts";

export type { HeaderFields } from "./address-forwarding.ts";
export { parseTrustProxy, type TrustProxy, type TrustProxyOptions } from "./address-trust.ts";

/** Where a request came from. */
export interface AddressSource {
  /**
   * The socket's remote address; for a Unix socket that of this machine, `127.0.0.1`. `null` where the runtime has no
   * sockets, as in a platform's function: only settings that name such a platform, hop counts and `first` believe a
   * header then. `undefined` where the address is not known, as after the client has gone: then no header is believed.
   */
  peer: string | null | undefined;
  /** The request's header fields. */
  headers: HeaderFields;
}

/** What all callers without an address share. */
const unknownAddress = "unknown";

/** What holds where nobody said whom to trust. */
const trustPrivate = parseTrustProxy("private", {
  onWarning: (warning) => console.warn(`headgate: ${warning}`),
});

/** Behind a proxy, and on a connection that is kept alive, the peer is mostly the one from before. */
let lastPeer = "";
let lastPeerAddress: Address | undefined;

/**
 * Whose request it is, by address: the socket's peer, unless that peer is a trusted proxy; then the right-most entry of
 * the forwarding header that is no trusted proxy itself. Where an entry is not an address, it is the trusted proxy
 * that reported it, since nothing beyond can be believed. At most 32 entries and 4,096 characters are read.
 *
 * @param source the peer and the header fields. Nothing in them makes it throw.
 * @param trust which proxies are believed. Default: those in loopback, link-local and private networks, with a warning
 *   on the console, once, if a forwarding header arrives from anybody else.
 * @returns the key of the address: IPv4 in dotted decimal, IPv6 as its network (`2001:db8:1:2::/64`), IPv4-mapped IPv6
 *   as IPv4; `unknown` where there is no address, with a warning on the console, once: all such callers share that key.
 * @throws HeadgateError `option-invalid` for what is no source, or for a `trust` that `parseTrustProxy` has not made.
 */
export function callerAddress(source: AddressSource, trust: TrustProxy = trustPrivate): string {
  if (typeof source?.headers !== "object" || source.headers === null) {
    throw new HeadgateError(
      "option-invalid",
      `callerAddress takes { peer, headers } of a request, got ${describe(source)}.`,
    );
  }
  checkTrust("The second argument of callerAddress", trust);
  const address = knownAddress(source, trust);
  if (address !== undefined) return address;
  warnOfUnknown();
  return unknownAddress;
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

/** The same; `undefined` where there is no address. */
export function knownAddress(source: AddressSource, trust: TrustProxy = trustPrivate): string | undefined {
  const peer = plainPeer(source.peer);
  const ipv4 = typeof peer === "string" ? parseIpv4(peer) : -1;
  // The common case without a proxy: what is dotted decimal already is its own key.
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
 * @returns `undefined` where the text is no address.
 */
export function normalizeAddress(text: string, ipv6PrefixLength = 64): string | undefined {
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
  // A list here means that somebody besides the platform wrote the field.
  return parseAddress(readField(headers, trust.field.name) ?? "") ?? walked;
}

/** From the peer towards the caller, as long as the machine that speaks of the next one is trusted. */
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
