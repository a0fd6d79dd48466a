/**
 * Forwarding headers, read from the right: the nearest proxy wrote the right end, but anyone may have written the left.
 */

/** Header fields, as a web-standard `Headers` or as Node's record. */
export type HeaderFields = Headers | Record<string, string | string[] | undefined>;

/** Which list of hops the proxies write: the common one, or that of RFC 7239. */
export type ForwardingHeader = "x-forwarded-for" | "forwarded";

/** No honest chain is longer. The rest of a longer list is not read. */
const mostHops = 32;
const mostCharacters = 4096;

/**
 * The value of a header field. Several lines of it are joined.
 *
 * @param name in lower case.
 * @returns `undefined` if the field is absent, or if a record has it under two spellings: then it is not known which
 *   one the proxy wrote.
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
 * The hops that a forwarding header names, from right to left, as text that may or may not be an address. Empty
 * elements are skipped, as HTTP requires for lists.
 */
export function* hopsFromRight(headers: HeaderFields, header: ForwardingHeader): Generator<string> {
  const list = readField(headers, header) ?? "";
  const isQuoting = header === "forwarded";
  const leftmost = Math.max(0, list.length - mostCharacters);
  let end = list.length;
  for (let hops = 0; hops < mostHops && end > leftmost; ) {
    const comma = lastComma(list, end, leftmost, isQuoting);
    // If the list was cut, its first element may be incomplete.
    if (comma < leftmost && leftmost > 0) return;
    const element = list.slice(comma + 1, end).trim();
    end = comma;
    if (element === "") continue;
    hops++;
    yield isQuoting ? forOf(element) : element;
  }
}

/**
 * The last comma before `end` outside quotes. Quotes are counted from the right, so that a caller cannot hide commas by
 * leaving a quote open.
 */
function lastComma(list: string, end: number, leftmost: number, isQuoting: boolean): number {
  let inQuotes = false;
  for (let index = end - 1; index >= leftmost; index--) {
    const character = list[index];
    if (character === '"' && isQuoting) inQuotes = !inQuotes;
    if (character === "," && !inQuotes) return index;
  }
  return leftmost - 1;
}

/** The `for` parameter of an RFC 7239 element; empty if it is missing, repeated or unreadable. */
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
