import type { LimitReading } from "../core/admission.ts";

/** Response header fields, by name. */
export type Fields = Record<string, string>;

export interface FieldOptions {
  /** Adds `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) of the tightest limit. Default `false`. */
  legacy?: boolean;
}

/** What a browser on another origin may read of a response, beyond the ever-readable fields. */
const exposed = "RateLimit, RateLimit-Policy, Retry-After";
const exposedLegacy = `${exposed}, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset`;

/**
 * The fields that tell a client its quota: `RateLimit-Policy` and `RateLimit` with one item a limit, in the list form
 * of draft-ietf-httpapi-ratelimit-headers-10, and `Access-Control-Expose-Headers` so that scripts may read them.
 *
 * `q` is the quota, `w` its window, `r` what remains and `t` the seconds until `r` grows. A window below one second
 * is shown as one second, since fields know whole seconds only. Empty where no limit applied.
 */
export function rateLimitFields(
  admission: { readonly limits: readonly LimitReading[]; readonly tightest: LimitReading | undefined },
  options: FieldOptions = {},
): Fields {
  const { limits, tightest } = admission;
  if (tightest === undefined) return {};
  let policy = "";
  let state = "";
  for (const limit of limits) {
    const separator = policy === "" ? "" : ", ";
    policy += `${separator}"${limit.name}";q=${limit.quota};w=${Math.max(1, Math.round(limit.windowMs / 1000))}`;
    if (limit.unit !== "requests") policy += `;qu="${limit.unit}"`;
    state += `${separator}"${limit.name}";r=${limit.remaining};t=${Math.ceil(limit.resetMs / 1000)}`;
  }
  const fields: Fields = {
    "RateLimit-Policy": policy,
    RateLimit: state,
    "Access-Control-Expose-Headers": options.legacy ? exposedLegacy : exposed,
  };
  if (options.legacy) {
    fields["X-RateLimit-Limit"] = String(tightest.quota);
    fields["X-RateLimit-Remaining"] = String(tightest.remaining);
    fields["X-RateLimit-Reset"] = String(Math.ceil(tightest.resetMs / 1000));
  }
  return fields;
}

/**
 * Writes fields into a response's headers. What the response already exposes to scripts stays exposed.
 *
 * @throws TypeError where the headers may not be changed, as those of a `fetch`ed or redirecting response.
 */
export function writeFields(headers: Headers, fields: Fields): void {
  for (const name in fields) {
    const value = fields[name] as string;
    const before = name === "Access-Control-Expose-Headers" ? headers.get(name) : null;
    headers.set(name, before === null || before === "" ? value : `${before}, ${value}`);
  }
}
