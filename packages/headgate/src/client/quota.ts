/** What is left of one limit, as the server last said. */
export interface LimitQuota {
  /** Layer and limit as the server names them, such as `user-per-minute`. */
  name: string;
  /** How much one window allows; absent where the server does not say. */
  quota?: number;
  /** The window's length in seconds; absent where the server does not say. */
  windowSeconds?: number;
  /** How much was left when the response was made. */
  remaining: number;
  /** Seconds from the response until `remaining` next grows. */
  resetSeconds: number;
}

/** The limits of one response, and when it came. */
export interface Quota {
  /** In the order in which the server named them. */
  limits: readonly LimitQuota[];
  /** The limit of which the fewest are left; of equals, the one that takes longest to grow again. */
  tightest: LimitQuota | undefined;
  /** When the response was received: milliseconds since the epoch, by this machine's clock. */
  at: number;
}

interface Item {
  name: string;
  parameters: Record<string, number>;
}

/**
 * Reads the `RateLimit` and `RateLimit-Policy` fields of a response: the list form of the current IETF draft
 * (`"user-per-minute";r=4;t=12`) and the dictionary of draft 7 (`limit=5, remaining=4, reset=12`).
 *
 * @param headers of the response; across origins a browser shows only those that the server exposes.
 * @param at when the response was received, in milliseconds since the epoch.
 * @returns the quota, or `undefined` where the fields are absent or cannot be read.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function readQuota(headers: Headers, at: number): Quota | undefined {
  const policies = parseList(headers.get("ratelimit-policy"));
  const limits = spreadDictionary(parseList(headers.get("ratelimit"))).flatMap(({ name, parameters }) => {
    const { r: remaining, t, limit } = parameters;
    if (remaining === undefined) return [];
    const policy = policies.find((item) => item.name === `${limit ?? name}`)?.parameters;
    const quota = policy?.q ?? limit;
    const windowSeconds = policy?.w;
    return {
      name,
      remaining,
      resetSeconds: t ?? windowSeconds ?? 0,
      ...(quota !== undefined && { quota }),
      ...(windowSeconds !== undefined && { windowSeconds }),
    };
  });
  return limits.length ? quotaOf(limits, at) : undefined;
}

/** Draft 7 has one limit, spread over the members of a dictionary, and policies that are named by their quota. */
function spreadDictionary(items: Item[]): Item[] {
  const members = Object.fromEntries(items.map((item) => item.name.split("=")));
  if (!members.remaining) return items;
  const text = `;r=${members.remaining};t=${members.reset};limit=${members.limit}`;
  return [{ name: "default", parameters: parseParameters(text) }];
}

/**
 * The items of a list of structured fields (RFC 9651): a quoted string or a token, then parameters up to a comma that is
 * in no quotes.
 */
function parseList(text: string | null): Item[] {
  const items = (text ?? "").matchAll(/(?:"((?:\\.|[^"\\])*)"|([^\s",;]+))((?:"(?:\\.|[^"\\])*"|[^",])*)/g);
  return [...items].map(([, quoted, token = "", parameters = ""]) => ({
    name: quoted?.replace(/\\(.)/g, "$1") ?? token,
    parameters: parseParameters(parameters.replace(/"(\\.|[^"\\])*"/g, "")),
  }));
}

/** Only the parameters that are whole numbers; the drafts have no others that matter here. */
function parseParameters(text: string): Record<string, number> {
  const pairs = text.matchAll(/;\s*(\w+)=(\d{1,15})(?![^\s;])/g);
  return Object.fromEntries([...pairs].map(([, key, value]) => [key, Number(value)]));
}

/** A quota made of these limits, with the tightest picked out. */
export function quotaOf(limits: readonly LimitQuota[], at: number): Quota {
  const [tightest] = [...limits].sort((a, b) => a.remaining - b.remaining || b.resetSeconds - a.resetSeconds);
  return { limits, tightest, at };
}
