/**
 * Forwarding headers, read from the right: that end was written by the nearest proxy, the other by anyone.
 */

/** Header fields, as a web-standard `Headers` or as Node's record. */
export type HeaderFields = Headers | Record<string, string | string[] | undefined>;

/** Which list of hops the proxies write: the usual one, or that of RFC 7239. */
export type ForwardingHeader = "x-forwarded-for" | "forwarded";

/** No honest chain is longer; what lies further left is not read. */
const mostHops = 32;
const mostCharacters = 4096;

/**
 * The value of a header field; several lines of it are joined.
 *
 * @param name in lower case.
 * @returns `undefined` where it is absent, or where a record holds it twice under different spellings: which of them a
 *   proxy wrote cannot be known then.
 */
export function readField(headers: HeaderFields, name: string): string | undefined {
  if (typeof headers.get === "function") return headers.get(name) ?? undefined;
  const record = headers as Record<string, string | string[] | undefined>;
  let found: string | string[] | undefined;
  for (const key in record) {
    if (key.length !== name.length || (key !== name && key.toLowerCase() !== name)) continue;
    const value = record[key];
    if (value === undefined) continue;
    if (found !== undefined) return undefined;
    found = value;
  }
  return Array.isArray(found) ? found.join(",") : found;
}

/**
 * The hops that a forwarding header names, from right to left, as text that may or may not be an address.
 * Empty elements are skipped, as lists in HTTP ask.
 */
export function* hopsFromRight(headers: HeaderFields, header: ForwardingHeader): Generator<string> {
  const list = readField(headers, header) ?? "";
  const isQuoting = header === "forwarded";
  const leftmost = Math.max(0, list.length - mostCharacters);
  let end = list.length;
  for (let hops = 0; hops < mostHops && end > leftmost; ) {
    const comma = lastComma(list, end, leftmost, isQuoting);
    // Where the list was cut, its first element may be half of one.
    if (comma < leftmost && leftmost > 0) return;
    const element = list.slice(comma + 1, end).trim();
    end = comma;
    if (element === "") continue;
    hops++;
    yield isQuoting ? forOf(element) : element;
  }
}

/** The last comma before `end` that is in no quotes, counted from the right, so that a quote left open is no trick. */
function lastComma(list: string, end: number, leftmost: number, isQuoting: boolean): number {
  let inQuotes = false;
  for (let index = end - 1; index >= leftmost; index--) {
    const character = list[index];
    if (character === '"' && isQuoting) inQuotes = !inQuotes;
    if (character === "," && !inQuotes) return index;
  }
  return leftmost - 1;
}

/** The `for` of an element of RFC 7239; empty where there is none, or more than one, or anything unreadable. */
function forOf(element: string): string {
  const pair = /\s*([\w!#$%&'*+.^`|~-]+)=(?:"([^"]*)"|([^\s";]*))\s*(?:;|$)/y;
  let found: string | undefined;
  while (pair.lastIndex < element.length) {
    const match = pair.exec(element);
    if (!match) return "";
    const [, name = "", quoted, token] = match;
    if (name.toLowerCase() !== "for") continue;
    if (found !== undefined) return "";
    found = quoted ?? token;
  }
  return found ?? "";
}
