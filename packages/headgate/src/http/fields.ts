import type { LimitReading } from "../core/admission.ts";
import { HeadgateError } from "../core/errors.ts";

/** Response header fields, by name. */
export type Fields = Record<string, string>;

/**
 * Which form of the `RateLimit` fields is sent. `draft`: the list form of draft-ietf-httpapi-ratelimit-headers-10, every
 * limit by name. `draft-7`: one dictionary (`limit=5, remaining=4, reset=12`). `draft-6`: `RateLimit-Limit`,
 * `RateLimit-Remaining` and `RateLimit-Reset`. The older two know no names: they tell the tightest limit, and list the
 * quotas of all.
 */
export type FieldForm = "draft" | "draft-7" | "draft-6";

export interface FieldOptions {
  /** Adds `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) of the tightest limit. Default `false`. */
  legacy?: boolean;
  /** The form of the `RateLimit` fields. Default `draft`. */
  fields?: FieldForm;
}

/** The limits that the fields tell of. */
export interface Readings {
  readonly limits: readonly LimitReading[];
  readonly tightest: LimitReading | undefined;
}

/** What a browser on another origin may read of a response, beyond the ever-readable fields. */
const exposedByForm: Record<FieldForm, string> = {
  draft: "RateLimit, RateLimit-Policy, Retry-After",
  "draft-7": "RateLimit, RateLimit-Policy, Retry-After",
  "draft-6": "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, Retry-After",
};
const exposedLegacy = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset";

/**
 * The fields that tell a client its quota, and `Access-Control-Expose-Headers` so that scripts may read them. By
 * default `RateLimit-Policy` and `RateLimit` with one item a limit, in the list form of
 * draft-ietf-httpapi-ratelimit-headers-10.
 *
 * `q` is the quota, `w` its window, `r` what remains and `t` the seconds until `r` grows. A window below one second
 * is shown as one second, since fields know whole seconds only. Empty where no limit applied.
 */
export function rateLimitFields(admission: Readings, options: FieldOptions = {}): Fields {
  const { limits, tightest } = admission;
  if (tightest === undefined) return {};
  const form = options.fields ?? "draft";
  const exposed = exposedByForm[form];
  const fields = form === "draft" ? listFields(limits) : olderFields(form, limits, tightest);
  fields["Access-Control-Expose-Headers"] = options.legacy ? `${exposed}, ${exposedLegacy}` : exposed;
  if (options.legacy) {
    fields["X-RateLimit-Limit"] = String(tightest.quota);
    fields["X-RateLimit-Remaining"] = String(tightest.remaining);
    fields["X-RateLimit-Reset"] = String(Math.ceil(tightest.resetMs / 1000));
  }
  return fields;
}

function listFields(limits: readonly LimitReading[]): Fields {
  let state = "";
  for (const limit of limits) {
    const separator = state === "" ? "" : ", ";
    state += `${separator}"${limit.name}";r=${limit.remaining};t=${Math.ceil(limit.resetMs / 1000)}`;
  }
  return { "RateLimit-Policy": policyOf(limits), RateLimit: state };
}

/** Most requests are told the same policy as the one before. */
let lastLimits: readonly LimitReading[] = [];
let lastPolicy = "";

function policyOf(limits: readonly LimitReading[]): string {
  if (limits.length === lastLimits.length && limits.every(isAsBefore)) return lastPolicy;
  let policy = "";
  for (const limit of limits) {
    const separator = policy === "" ? "" : ", ";
    policy += `${separator}"${limit.name}";q=${limit.quota};w=${windowSeconds(limit)}`;
    if (limit.unit !== "requests") policy += `;qu="${limit.unit}"`;
  }
  lastLimits = limits;
  lastPolicy = policy;
  return policy;
}

function isAsBefore(limit: LimitReading, at: number): boolean {
  const before = lastLimits[at] as LimitReading;
  return (
    limit.name === before.name &&
    limit.quota === before.quota &&
    limit.windowMs === before.windowMs &&
    limit.unit === before.unit
  );
}

function olderFields(
  form: "draft-7" | "draft-6",
  limits: readonly LimitReading[],
  { quota, remaining, resetMs }: LimitReading,
): Fields {
  const policy = limits.map((limit) => `${limit.quota};w=${windowSeconds(limit)}`).join(", ");
  const reset = Math.ceil(resetMs / 1000);
  if (form === "draft-7") {
    return {
      "RateLimit-Policy": policy,
      RateLimit: `limit=${quota}, remaining=${remaining}, reset=${reset}`,
    };
  }
  return {
    "RateLimit-Policy": policy,
    "RateLimit-Limit": String(quota),
    "RateLimit-Remaining": String(remaining),
    "RateLimit-Reset": String(reset),
  };
}

function windowSeconds({ windowMs }: LimitReading): number {
  return Math.max(1, Math.round(windowMs / 1000));
}

/**
 * Settles what a guard's user may leave out, once, when the guard is made.
 *
 * @throws HeadgateError `option-invalid` for a form of the fields that does not exist.
 */
export function checkFieldOptions({
  legacy = false,
  fields = "draft",
}: FieldOptions): Required<FieldOptions> {
  if (!Object.hasOwn(exposedByForm, fields)) {
    throw new HeadgateError(
      "option-invalid",
      `fields must be one of ${Object.keys(exposedByForm).join(", ")}, got ${JSON.stringify(fields)}.`,
    );
  }
  return { legacy, fields };
}

/** The fields of the guard's that others write too, and that are lists: each keeps what is in it. */
export const sharedFields = ["Access-Control-Expose-Headers", "Vary"] as const;

/**
 * The value of a shared list with another's elements added.
 *
 * @param before what the response carries already
 */
export function listWith(
  before: number | string | readonly string[] | null | undefined,
  value: string,
): string {
  const text = Array.isArray(before) ? before.join(", ") : String(before ?? "");
  if (text === "") return value;
  const present = text.toLowerCase().split(/\s*,\s*/);
  const missing = value.split(", ").filter((element) => !present.includes(element.toLowerCase()));
  return missing.length === 0 ? text : `${text}, ${missing.join(", ")}`;
}

/**
 * Writes fields into a response's headers. What the response already exposes to scripts stays exposed.
 *
 * @throws TypeError where the headers may not be changed, as those of a `fetch`ed or redirecting response.
 */
export function writeFields(headers: Headers, fields: Fields): void {
  for (const name in fields) {
    const value = fields[name] as string;
    const isShared = (sharedFields as readonly string[]).includes(name);
    headers.set(name, isShared ? listWith(headers.get(name), value) : value);
  }
}
