import { HeadgateError } from "../../core/errors.ts";
import { checkFunctions, checkOptions } from "../../core/options.ts";
import { show } from "../../core/show.ts";
import { checkWholeNumber } from "../../core/whole-number.ts";
import type { ForwardingHeader } from "./address-forwarding.ts";
import {
  cloudflareEdges,
  googleFrontEnds,
  isInRanges,
  namedRanges,
  parseRange,
  type Range,
} from "./address-ranges.ts";
import type { Address } from "./address-text.ts";
import { mostLooks, type UntrustedListener } from "./address-untrusted.ts";

/** Which proxies are trusted. Made by {@link parseTrustProxy}. */
export interface TrustProxy {
  /** The setting as it was written. */
  readonly text: string;
  /** How many bits of an IPv6 address count. */
  readonly ipv6PrefixLength: number;
  /** Which list of hops is read. */
  readonly list: ForwardingHeader;
  /**
   * Whether this machine is trusted to report the hop before it.
   *
   * @param address the machine's address; `null` for the peer if the runtime has no sockets.
   * @param hop 0 for the socket's peer, 1 for the machine before it, and so on.
   */
  readonly trusts: (address: Address | null, hop: number) => boolean;
  /** A platform's field with the caller's address. It is trusted if `isFrom` accepts the address found by the list. */
  readonly field: { name: string; isFrom: (address: Address | null) => boolean } | undefined;
  /** Called for forwarding headers from untrusted machines. */
  readonly untrusted: UntrustedListener | undefined;
}

/** Options of {@link parseTrustProxy}, in addition to its text. */
export interface TrustProxyOptions {
  /**
   * How many bits of an IPv6 address make its key, 1 to 128. Default: 64, the smallest network that a subscriber
   * usually gets.
   */
  ipv6PrefixLength?: number;
  /**
   * Called once if a forwarding header arrives from an untrusted machine. The warning says what to set and contains no
   * address. Default: no warning.
   */
  onWarning?: (warning: string) => void;
}

type Rule = Pick<TrustProxy, "trusts"> & Partial<Pick<TrustProxy, "field">>;

const mostHopCount = 32;

/** All hops must lie in these networks. */
function byRanges(ranges: readonly Range[]): Rule {
  return { trusts: (address) => isWithin(address, ranges) };
}

function isWithin(address: Address | null, ranges: readonly Range[]): boolean {
  return address !== null && isInRanges(address, ranges);
}

/** Whether a peer may be the platform's: it is in these networks, or the runtime is a function without sockets. */
function isPlatform(address: Address | null, ranges: readonly Range[] = namedRanges.private): boolean {
  return address === null || isInRanges(address, ranges);
}

/** A number of proxies. The nearest one is the peer and must be in these networks. */
function byPlatformHops(count: number, ranges?: readonly Range[]): Rule {
  return { trusts: (address, hop) => hop < count && (hop > 0 || isPlatform(address, ranges)) };
}

/** One field, written by a platform whose machines connect from these networks. */
function byPlatformField(name: string, ranges?: readonly Range[]): Rule {
  return { trusts: () => false, field: { name, isFrom: (address) => isPlatform(address, ranges) } };
}

/** Private proxies behind Cloudflare are skipped. Cloudflare's machines are recognised by their networks. */
const cloudflare: Rule = {
  trusts: (address) => isWithin(address, namedRanges.private),
  field: { name: "cf-connecting-ip", isFrom: (address) => isWithin(address, cloudflareEdges) },
};

/**
 * Platforms by name, each according to its documentation. All except `cloudflare`, `cloudflare-workers` and `render`
 * trust a peer in a private network, or a runtime without sockets. From any other peer no header is read, and the peer
 * is the caller.
 */
const platforms: Record<string, Rule> = {
  /** The balancer appends the caller to `X-Forwarded-For`: its last entry. */
  "aws-alb": byPlatformHops(1),
  /** App Service and Application Gateway append the caller, with a port, to `X-Forwarded-For`: its last entry. */
  azure: byPlatformHops(1),
  /** `CF-Connecting-IP`, if the request came from one of Cloudflare's published networks. */
  cloudflare,
  /** `CF-Connecting-IP`, if the runtime has no sockets: in a Worker, Cloudflare writes it. */
  "cloudflare-workers": {
    trusts: () => false,
    field: { name: "cf-connecting-ip", isFrom: (address) => address === null },
  },
  /** `Fly-Client-IP`, which the Fly proxy always sets. */
  fly: byPlatformField("fly-client-ip"),
  /** Cloud Run without a load balancer: the last entry of `X-Forwarded-For`. */
  "google-cloud-run": byPlatformHops(1),
  /** An Application Load Balancer appends the caller and then itself: the last entry but one. */
  "google-load-balancer": byPlatformHops(2, [...namedRanges.private, ...googleFrontEnds]),
  /** The router appends the caller to `X-Forwarded-For`: its last entry. */
  heroku: byPlatformHops(1),
  /** `X-Nf-Client-Connection-Ip`, which Netlify sets. */
  netlify: byPlatformField("x-nf-client-connection-ip"),
  /** A proxy with `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`: the last entry. */
  nginx: byPlatformHops(1),
  /** `X-Real-Ip`, which Railway's edge sets; it connects from the shared range 100.64.0.0/10. */
  railway: byPlatformField("x-real-ip", [...namedRanges.private, ...namedRanges.shared]),
  /** Render's edge is Cloudflare's: the same rule. */
  render: cloudflare,
  /** `X-Vercel-Forwarded-For`, which Vercel sets. */
  vercel: byPlatformField("x-vercel-forwarded-for"),
};

/**
 * Reads which proxies are trusted to report the caller's address:
 *
 * - `private`, the default: proxies in loopback, link-local and private networks;
 * - `none`: no header is read, the socket's peer is the caller;
 * - a hop count such as `1`: this number of proxies is in front, at any address;
 * - networks and addresses: `10.0.0.0/8, 203.0.113.7`, also by the names `private`, `loopback`, `link-local`, `shared`;
 * - a platform: `aws-alb`, `azure`, `cloudflare`, `cloudflare-workers`, `fly`, `google-cloud-run`,
 *   `google-load-balancer`, `heroku`, `netlify`, `nginx`, `railway`, `render`, `vercel`;
 * - `first`: the left-most entry. Any caller can forge it.
 *
 * Add the word `forwarded` to any of these except a platform to read `Forwarded` (RFC 7239) instead of
 * `X-Forwarded-For`. Only one of the two is ever read, because a proxy that writes one passes on the other as the
 * caller sent it.
 *
 * @throws {HeadgateError} `trust-proxy-unreadable`, naming the value and what is expected.
 */
export function parseTrustProxy(text: string, options: TrustProxyOptions = {}): TrustProxy {
  checkOptions("parseTrustProxy", options, ["ipv6PrefixLength", "onWarning"], "option-invalid");
  checkFunctions("parseTrustProxy", options, ["onWarning"]);
  const { ipv6PrefixLength = 64, onWarning } = options;
  checkWholeNumber("ipv6PrefixLength", ipv6PrefixLength, 1, 128);
  if (typeof text !== "string")
    throw new HeadgateError(
      "trust-proxy-unreadable",
      `parseTrustProxy takes text such as "private", "1" or "10.0.0.0/8", got ${show(text)}.`,
    );
  const words = text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  const terms = words.filter((word) => word !== "forwarded");
  const isForwarded = terms.length < words.length;
  const [only = ""] = terms;
  const platform = Object.hasOwn(platforms, only) ? platforms[only] : undefined;
  if (platform && isForwarded) throw unreadable(text, `"${only}" does not write "forwarded"`);
  const alone = platform ?? parseAlone(only, text);
  if (alone && terms.length > 1) throw unreadable(text, `"${only}" cannot be combined with others`);
  const rule = alone ?? byRanges(parseRanges(terms, text));
  return {
    field: undefined,
    ...rule,
    text,
    ipv6PrefixLength,
    untrusted: onWarning === undefined ? undefined : { looksLeft: mostLooks, onWarning },
    list: isForwarded ? "forwarded" : "x-forwarded-for",
  };
}

function parseAlone(term: string, text: string): Rule | undefined {
  if (term === "none") return { trusts: () => false };
  if (term === "first") return { trusts: () => true };
  if (!/^\d+$/.test(term)) return undefined;
  const count = Number(term);
  if (count > mostHopCount) throw unreadable(text, `a hop count is a whole number from 0 to ${mostHopCount}`);
  return { trusts: (_address, hop) => hop < count };
}

function parseRanges(terms: string[], text: string): Range[] {
  if (terms.length === 0) throw unreadable(text, "it is empty");
  return terms.flatMap((term) => {
    if (Object.hasOwn(namedRanges, term)) return namedRanges[term as keyof typeof namedRanges];
    const isWord = /^[a-z-]+$/.test(term);
    if (isWord && (term in platforms || term === "none" || term === "first")) {
      throw unreadable(text, `"${term}" cannot be combined with others`);
    }
    const range = parseRange(term);
    if (typeof range === "string") throw unreadable(text, `"${term}" ${range}`);
    return range;
  });
}

function unreadable(text: string, reason: string): HeadgateError {
  return new HeadgateError(
    "trust-proxy-unreadable",
    `Cannot read "${text}" as trusted proxies: ${reason}. Write "private", "none", "first", a hop count such as ` +
      `"1", networks such as "10.0.0.0/8, 203.0.113.7", or a platform: ${Object.keys(platforms).join(", ")}.`,
  );
}

/** Whether `parseTrustProxy` has made it. */
export function isTrustProxy(value: unknown): value is TrustProxy {
  return typeof (value as Partial<TrustProxy> | null | undefined)?.trusts === "function";
}

/** @throws HeadgateError `option-invalid` */
export function checkTrust(of: string, trust: unknown): void {
  if (isTrustProxy(trust)) return;
  const text = typeof trust === "string" || typeof trust === "number" ? show(String(trust)) : '"private"';
  throw new HeadgateError(
    "option-invalid",
    `${of} must be what parseTrustProxy returns, such as parseTrustProxy(${text}), got ${show(trust)}.`,
  );
}
