import { HeadgateError } from "../../core/errors.ts";

/** The address of a server, a Sentinel set-up or a cluster, read from a URL. */
export interface RedisAddress {
  readonly driver: "redis" | "valkey";
  readonly tls: boolean;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly cluster: boolean;
  /** The master's name at the Sentinels in `hosts`. */
  readonly sentinel: string | undefined;
  /** The text before every key; `undefined` if the URL does not set it. */
  readonly prefix: string | undefined;
}

const pattern = /^(redis|valkey)(s?):\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const usualPort = { server: 6379, sentinel: 26_379 };

/**
 * Reads `redis://`, `rediss://` (TLS), `valkey://` and `valkeys://`:
 * `redis://[user:password@]host[:port][,host…][/database][?cluster=true][&sentinel=name][&prefix=text]`.
 *
 * @throws HeadgateError `store-invalid`. Messages quote option names and numbers, never user, password or host.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = pattern.exec(url);
  if (match === null) {
    fail(
      "cannot be read: write redis://user:password@host:6379/0, with special characters of the password as %40",
    );
  }
  const [, scheme = "", s = "", credentials, hostList = "", path = "", query = ""] = match;
  const { cluster, sentinel, prefix } = parseQuery(query);
  const defaultPort = sentinel === undefined ? usualPort.server : usualPort.sentinel;
  const hosts = hostList.split(",").map((host) => parseHost(host, defaultPort));
  if (cluster && sentinel !== undefined)
    fail("names both cluster and sentinel: a set-up is one or the other");
  if (hosts.length > 1 && !cluster && sentinel === undefined) {
    fail("names several hosts: add ?cluster=true or ?sentinel=<name of the master>");
  }
  const database = parseDatabase(path);
  if (cluster && database !== 0) fail(`names database ${database}: a cluster has database 0 only`);
  return {
    driver: scheme.toLowerCase() as "redis" | "valkey",
    tls: s !== "",
    hosts,
    ...parseCredentials(credentials),
    database,
    cluster,
    sentinel,
    prefix,
  };
}

function parseCredentials(text: string | undefined): {
  username: string | undefined;
  password: string | undefined;
} {
  if (text === undefined) return { username: undefined, password: undefined };
  const colon = text.indexOf(":");
  const username = decode(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decode(text.slice(colon + 1));
  return {
    username: username === "" ? undefined : username,
    password: password === "" ? undefined : password,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    fail("has a % in its user or password that begins no escape: write % itself as %25");
  }
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]]+))?(?::(\d+))?$/i.exec(text.trim());
  if (match === null) fail("has a host that cannot be read: write host, host:port or [IPv6]:port");
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port < 1 || port > 65_535) fail(`has port ${port}: ports go from 1 to 65535`);
  return { host: match[1] ?? match[2] ?? "localhost", port };
}

function parseDatabase(path: string): number {
  if (path === "") return 0;
  if (!/^\d{1,6}$/.test(path)) fail("has a path that is no database number: write /0, or nothing");
  return Number(path);
}

function parseQuery(query: string): {
  cluster: boolean;
  sentinel: string | undefined;
  prefix: string | undefined;
} {
  let cluster = false;
  let sentinel: string | undefined;
  let prefix: string | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === "cluster") cluster = parseFlag(value);
    else if (name === "sentinel" && value !== "") sentinel = value;
    else if (name === "prefix") prefix = value;
    else if (name === "sentinel")
      fail("has an empty sentinel: give the name that the Sentinels know the master by");
    else fail(`has no option ${JSON.stringify(name)}: it takes cluster, sentinel and prefix`);
  }
  return { cluster, sentinel, prefix };
}

function parseFlag(value: string): boolean {
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  return fail(`has cluster=${JSON.stringify(value)}: write true or false`);
}

function fail(what: string): never {
  throw new HeadgateError("store-invalid", `The Redis URL ${what}.`);
}
