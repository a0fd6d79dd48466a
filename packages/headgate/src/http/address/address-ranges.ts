import {
  type Address,
  type Groups,
  maskGroups,
  parseAddress,
  parseIpv4,
  renderIpv4,
  renderIpv6,
} from "./address-text.ts";

/** A network: its first address, and how many of its leading bits count. */
export type Range =
  | { version: 4; network: number; prefixLength: number }
  | { version: 6; network: Groups; prefixLength: number };

/** Whether the address lies in one of the networks. */
export function isInRanges(address: Address, ranges: readonly Range[]): boolean {
  for (const range of ranges) {
    if (typeof address === "number") {
      if (range.version === 4 && maskIpv4(address, range.prefixLength) === range.network) return true;
    } else if (range.version === 6) {
      const masked = maskGroups(address, range.prefixLength);
      if (masked.every((group, index) => group === range.network[index])) return true;
    }
  }
  return false;
}

/**
 * Reads an address or a network in CIDR notation: `203.0.113.7`, `10.0.0.0/8`, `2001:db8::/32`.
 *
 * @returns the range, or a sentence fragment that says what is wrong with the text.
 */
export function parseRange(text: string): Range | string {
  const [network = "", length, ...more] = text.split("/");
  const address = more.length === 0 ? parsePlain(network) : undefined;
  if (address === undefined) return "is neither an address nor a network";
  // A mapped network, ::ffff:10.0.0.0/104, counts its bits from the start of the IPv6 address.
  const offset = typeof address === "number" && network.includes(":") ? 96 : 0;
  const bits = typeof address === "number" ? 32 : 128;
  const prefixLength = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) - offset : -1;
  if (prefixLength < 0 || prefixLength > bits)
    return `has a prefix length that is not within ${offset} to ${bits + offset}`;
  if (prefixLength === 0) return 'would trust everybody: use "first" if you want that';
  if (typeof address === "number") {
    const masked = maskIpv4(address, prefixLength);
    if (masked !== address)
      return `has bits beyond its prefix length: write ${renderIpv4(masked)}/${prefixLength}`;
    return { version: 4, network: address, prefixLength };
  }
  const masked = renderIpv6(maskGroups(address, prefixLength));
  if (masked !== renderIpv6(address))
    return `has bits beyond its prefix length: write ${masked}/${prefixLength}`;
  return { version: 6, network: address, prefixLength };
}

/** Reads an address without a port, brackets or zone. */
function parsePlain(text: string): Address | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 >= 0) return ipv4;
  return /^[\da-f:.]+$/i.test(text) ? parseAddress(`[${text}]`) : undefined;
}

/** Returns an unsigned number: the bit operators alone return signed ones. */
function maskIpv4(address: number, prefixLength: number): number {
  return prefixLength === 0 ? 0 : (address & (-1 << (32 - prefixLength))) >>> 0;
}

function ranges(...texts: string[]): readonly Range[] {
  return texts.map(parseRange).filter((range) => typeof range !== "string");
}

const loopback = ranges("127.0.0.0/8", "::1");
const linkLocal = ranges("169.254.0.0/16", "fe80::/10");

/** Networks that have a name. */
export const namedRanges = {
  loopback,
  "link-local": linkLocal,
  /** Loopback, link-local, RFC 1918 and the unique local addresses of RFC 4193. */
  private: [
    ...loopback,
    ...linkLocal,
    ...ranges("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
  ],
  /** RFC 6598. Not private: others on the carrier's network may be strangers. */
  shared: ranges("100.64.0.0/10"),
} as const;

/** Google's load balancers and health checks: cloud.google.com/load-balancing/docs/firewall-rules */
export const googleFrontEnds = ranges("35.191.0.0/16", "130.211.0.0/22");

/** Published at cloudflare.com/ips; unchanged since 2021. */
export const cloudflareEdges = ranges(
  "173.245.48.0/20",
  "103.21.244.0/22",
  "103.22.200.0/22",
  "103.31.4.0/22",
  "141.101.64.0/18",
  "108.162.192.0/18",
  "190.93.240.0/20",
  "188.114.96.0/20",
  "197.234.240.0/22",
  "198.41.128.0/17",
  "162.158.0.0/15",
  "104.16.0.0/13",
  "104.24.0.0/14",
  "172.64.0.0/13",
  "131.0.72.0/22",
  "2400:cb00::/32",
  "2606:4700::/32",
  "2803:f800::/32",
  "2405:b500::/32",
  "2405:8100::/32",
  "2a06:98c0::/29",
  "2c0f:f248::/32",
);
