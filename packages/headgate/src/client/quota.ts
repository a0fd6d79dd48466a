/** What is left of one limit, as the server last reported. */
export interface LimitQuota {
  /** The server's name for the layer and limit, such as `user-per-minute`. */
  name: string;
  /** How much one window allows; absent if the server does not report it. */
  quota?: number | undefined;
  /** The unit, such as `tokens` or `concurrent`; absent for requests. */
  unit?: string | undefined;
  /** The window's length in seconds; absent if the server does not report it. */
  windowSeconds?: number | undefined;
  /** How much was left when the response was made. */
  remaining: number;
  /** Seconds from the response until `remaining` next grows. */
  resetSeconds: number;
}

/** The limits that one response reports, and when it arrived. */
export interface Quota {
  /** All limits, in the server's order. */
  limits: readonly LimitQuota[];
  /**
   * The limit with the fewest units left. If any limit counts a unit other than requests, the remaining shares of the
   * quotas are compared. If several are equal, it is the one with the longest reset. `concurrent` limits are left out:
   * they are free again when a response ends.
   */
  tightest: LimitQuota | undefined;
  /** When the response was received: milliseconds since the epoch, by this machine's clock. */
  at: number;
}

/**
 * Reads the `RateLimit` and `RateLimit-Policy` fields of a response: the list form of the current IETF draft
 * (`"user-per-minute";r=4;t=12`) and the dictionary of draft 7 (`limit=5, remaining=4, reset=12`).
 *
 * @param headers the response headers. Across origins, a browser shows only the headers that the server exposes.
 * @param at when the response was received, in milliseconds since the epoch.
 * @returns the quota, or `undefined` if the fields are absent or unreadable.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function readQuota(headers: Headers, at: number): Quota | undefined {
  const policies = Object.fromEntries(parseList(headers.get("ratelimit-policy")));
  // Draft 7 has one limit: the members of its dictionary are read as the parameters of one item.
  const list = headers
    .get("ratelimit")
    ?.replace(/^\w+=.*/, (members) => `default;${members.replaceAll(",", ";")}`);
  const limits = parseList(list).flatMap(([name, { limit, r, remaining = r, t, reset = t }]) => {
    // In draft 7 the quota is the name of the policy.
    const { q = limit, w, qu: unit } = policies[limit ?? name] ?? {};
    if (remaining == null) return [];
    return { name, quota: q, unit, windowSeconds: w, remaining, resetSeconds: reset ?? w ?? 0 };
  });
  return limits[0] && quotaOf(limits, at);
}

type Parameters = { qu?: string } & {
  [name in "limit" | "q" | "w" | "r" | "remaining" | "t" | "reset"]?: number;
};

/**
 * The items of a structured-field list (RFC 9651), each with its name: a quoted string or a token. Reads the parameters
 * that are whole numbers, and the quota's unit. Other parameters of the drafts are not needed.
 */
function parseList(text: string | null | undefined): [name: string, parameters: Parameters][] {
  const items: [string, Parameters][] = [];
  let parameters: Record<string, unknown> = {};
  // An optional parameter name, then a string or any text without separators. Without a parameter name it is an item.
  const piece = /(?:;\s*([^\s=,;]+)=?)?(?:"((?:\\.|[^"\\])*)"|([^\s,;"]+))?/g;
  for (const [, key, quoted, bare = ""] of (text ?? "").matchAll(piece)) {
    const name = quoted?.replace(/\\(.)/g, "$1") ?? bare;
    if (!key && name) {
      parameters = {};
      items.push([name, parameters]);
    } else if (key) parameters[key] = /^\d{1,15}$/.test(bare) ? +bare : quoted;
  }
  return items;
}

/** Makes a quota from limits and finds the tightest. */
export function quotaOf(limits: readonly LimitQuota[], at: number): Quota {
  const counted = limits.filter(({ unit }) => unit !== "concurrent");
  const left = ({ remaining, quota = 1 }: LimitQuota) =>
    remaining / (counted.some(({ unit }) => unit) ? quota : 1);
  const [tightest] = counted.sort((a, b) => left(a) - left(b) || b.resetSeconds - a.resetSeconds);
  return { limits, tightest, at };
}
