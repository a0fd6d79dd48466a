/** Reads addresses in every form that proxies and sockets write, and renders them in one form. */

/** An IPv6 address: its eight groups of 16 bits, the most significant first. */
export type Groups = readonly number[];

/** IPv4 is a whole number below 2^32. An IPv4-mapped IPv6 address is read as IPv4, because it is the same machine. */
export type Address = number | Groups;

/**
 * Reads an IPv4 address in dotted decimal.
 *
 * @returns the address, or -1. Leading zeros are refused, because some systems read them as octal.
 */
export function parseIpv4(text: string): number {
  let address = 0;
  let part = -1;
  let parts = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : 46;
    if (code === 46) {
      if (part < 0) return -1;
      address = address * 256 + part;
      parts++;
      part = -1;
    } else {
      const digit = code - 48;
      if (digit < 0 || digit > 9 || part === 0) return -1;
      part = Math.max(part, 0) * 10 + digit;
      if (part > 255) return -1;
    }
  }
  return parts === 4 ? address : -1;
}

/** No address with brackets, zone and port is longer. Longer texts are not read. */
const longestText = 128;

/**
 * Reads one address as sockets and forwarding headers write it: with or without a port (`1.2.3.4:567`, `[::1]:80`),
 * brackets, or a zone (`fe80::1%eth0`).
 *
 * @returns the address, or `undefined` for any other text, such as `unknown` or `_hidden`.
 */
export function parseAddress(text: string): Address | undefined {
  const plain = parseIpv4(text);
  return plain >= 0 ? plain : parseDecorated(text);
}

function parseDecorated(text: string): Address | undefined {
  const trimmed = text.length > longestText ? "" : text.trim();
  if (trimmed.startsWith("[")) return parseIpv6(/^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed)?.[1] ?? "");
  const bare = trimmed.includes(".") ? trimmed.replace(/^([\d.]+):\d{1,5}$/, "$1") : trimmed;
  const ipv4 = parseIpv4(bare);
  return ipv4 >= 0 ? ipv4 : parseIpv6(bare);
}

function parseIpv6(text: string): Address | undefined {
  const zone = text.indexOf("%");
  const end = zone < 0 ? text.length : zone;
  const groups: number[] = [];
  /** The index of the group after "::"; -1 if there was no "::" yet. */
  let gap = -1;
  let index = 0;
  if (text.startsWith("::")) {
    gap = 0;
    index = 2;
  }
  while (index < end) {
    const start = index;
    let group = 0;
    for (let digit = hexDigit(text, index); digit >= 0; digit = hexDigit(text, ++index))
      group = group * 16 + digit;
    if (text[index] === ".") {
      // The last two groups may have the form of an IPv4 address.
      const ipv4 = parseIpv4(text.slice(start, end));
      if (ipv4 < 0) return undefined;
      groups.push(Math.floor(ipv4 / 0x10000), ipv4 % 0x10000);
      break;
    }
    if (index === start || index - start > 4 || groups.length === 8) return undefined;
    groups.push(group);
    if (index === end) break;
    if (text[index] !== ":" || ++index === end) return undefined;
    if (text[index] !== ":") continue;
    if (gap >= 0) return undefined;
    gap = groups.length;
    index++;
  }
  return withGap(groups, gap);
}

/** "::" replaces at least one group; without it there must be all eight. */
function withGap(groups: number[], gap: number): Address | undefined {
  const missing = 8 - groups.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  if (gap >= 0) groups.splice(gap, 0, ...new Array<number>(missing).fill(0));
  const [a, b, c, d, e, f, high = 0, low = 0] = groups;
  const isMapped = !a && !b && !c && !d && !e && f === 0xffff;
  return isMapped ? high * 0x10000 + low : groups;
}

/** The value of the hexadecimal digit at this index, or -1. */
function hexDigit(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code >= 48 && code <= 57) return code - 48;
  const letter = (code | 32) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** Keeps the first `prefixLength` bits of an address and sets the others to 0. */
export function maskGroups(groups: Groups, prefixLength: number): number[] {
  const masked: number[] = [];
  for (const group of groups) {
    const bits = Math.min(16, Math.max(0, prefixLength - masked.length * 16));
    masked.push(group & (0xffff << (16 - bits)) & 0xffff);
  }
  return masked;
}

/**
 * The key of an address. IPv4 is in dotted decimal. IPv6 is the network in the form of RFC 5952, `2001:db8:1:2::/64`,
 * because one subscriber has a whole network of addresses. For a NAT64 address (RFC 6052) it is the IPv4 address
 * inside, because all such callers share one /64.
 *
 * @param ipv6PrefixLength how many bits of an IPv6 address count, 1 to 128.
 */
export function renderKey(address: Address, ipv6PrefixLength: number): string {
  if (typeof address === "number") return renderIpv4(address);
  if (isNat64(address)) return renderIpv4((address[6] as number) * 0x10000 + (address[7] as number));
  const network = renderIpv6(maskGroups(address, ipv6PrefixLength));
  return ipv6PrefixLength < 128 ? `${network}/${ipv6PrefixLength}` : network;
}

/**
 * 64:ff9b::/96. The IPv4 address inside is only used for keys, never for trust: a private address inside is not a
 * trusted proxy.
 */
function isNat64([a, b, c, d, e, f]: Groups): boolean {
  return a === 0x64 && b === 0xff9b && !c && !d && !e && !f;
}

/** An IPv4 address in dotted decimal. */
export function renderIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** An IPv6 address in the form of RFC 5952: lower case, the first longest run of two or more zeros as `::`. */
export function renderIpv6(groups: Groups): string {
  let start = 0;
  let longest = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > longest) {
      start = from;
      longest = to - from;
    }
  }
  if (longest === 1) start = -1;
  let text = "";
  for (let index = 0; index < 8; index++) {
    if (index === start) {
      text += "::";
      index += longest - 1;
    } else {
      if (index > 0 && !text.endsWith("::")) text += ":";
      text += groups[index]?.toString(16);
    }
  }
  return text;
}
