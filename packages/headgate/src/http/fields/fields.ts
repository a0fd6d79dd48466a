import type { LimitReading } from "../../core/admission.ts";
import { Decision, type Shown } from "../../core/decision.ts";
import { describe } from "../../core/describe.ts";
import { HeadgateError } from "../../core/errors.ts";
import { checkOptions } from "../../core/options.ts";
import { openingOf, policyOf, stateIn, stateItem, windowSeconds, wordingOf } from "./wording.ts";

/** Response header fields, by name. */
export type Fields = Record<string, string>;

/**
 * The form of the `RateLimit` fields. `draft`: the list form of draft-ietf-httpapi-ratelimit-headers-10, every limit by
 * name. `draft-7`: one dictionary (`limit=5, remaining=4, reset=12`). `draft-6`: `RateLimit-Limit`,
 * `RateLimit-Remaining` and `RateLimit-Reset`. The two older forms cannot name limits: they show the tightest limit,
 * and list all quotas.
 */
export type FieldForm = "draft" | "draft-7" | "draft-6";

/** The fields exposed to browsers if no quota is shown. */
export const exposedWithoutFields = "Retry-After";

export interface FieldOptions {
  /** Adds `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) of the tightest limit. Default `false`. */
  legacy?: boolean;
  /** The form of the `RateLimit` fields; `false` sends none. Default `draft`. */
  fields?: FieldForm | false;
}

/** The limits that the fields show. */
export interface Readings {
  readonly limits: readonly LimitReading[];
  readonly tightest: LimitReading | undefined;
}

/** The response fields that scripts on another origin may read, in addition to the CORS-safelisted ones. */
export const exposedByForm: Record<FieldForm, string> = {
  draft: "RateLimit, RateLimit-Policy, Retry-After",
  "draft-7": "RateLimit, RateLimit-Policy, Retry-After",
  "draft-6": "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, Retry-After",
};
const exposedLegacy = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset";

const exposedWithLegacy: Record<FieldForm, string> = {
  draft: `${exposedByForm.draft}, ${exposedLegacy}`,
  "draft-7": `${exposedByForm["draft-7"]}, ${exposedLegacy}`,
  "draft-6": `${exposedByForm["draft-6"]}, ${exposedLegacy}`,
};

/**
 * The fields that show a client its quota, and `Access-Control-Expose-Headers` so that scripts may read them. The
 * default is `RateLimit-Policy` and `RateLimit` with one item per limit, in the list form of
 * draft-ietf-httpapi-ratelimit-headers-10.
 *
 * `q` is the quota, `w` its window, `r` what remains and `t` the seconds until `r` grows. A window below one second
 * is shown as one second, since fields have whole seconds only. Empty if no limit applied.
 *
 * @throws HeadgateError `option-invalid`
 */
export function rateLimitFields(admission: Readings, options: FieldOptions = {}): Fields {
  checkOptions("rateLimitFields", options, ["fields", "legacy"], "option-invalid");
  checkFieldOptions(options);
  if (!Array.isArray(admission?.limits))
    throw new HeadgateError(
      "option-invalid",
      `rateLimitFields takes an admission, or what peek returns; await both. It got ${describe(admission)}.`,
    );
  return addRateLimitFields({}, admission, options);
}

/** The same, added to others. */
export function addRateLimitFields(fields: Fields, admission: Readings, options: FieldOptions): Fields {
  const { fields: form = "draft", legacy = false } = options;
  if (form === "draft" && !legacy) {
    const shown = Decision.shownOf(admission);
    if (shown !== undefined) return addShown(fields, shown);
  }
  const { limits } = admission;
  if (limits.length === 0 || (form === false && !legacy)) return fields;
  if (form === false) {
    fields["Access-Control-Expose-Headers"] = `${exposedWithoutFields}, ${exposedLegacy}`;
  } else if (form === "draft") {
    fields["RateLimit-Policy"] = policyOf(limits);
    fields.RateLimit = stateOf(limits);
  } else {
    addOlderFields(fields, form, limits, tightestOf(admission));
  }
  if (form !== false) {
    fields["Access-Control-Expose-Headers"] = (legacy ? exposedWithLegacy : exposedByForm)[form];
  }
  if (legacy) {
    const tightest = tightestOf(admission);
    fields["X-RateLimit-Limit"] = String(tightest.quota);
    fields["X-RateLimit-Remaining"] = String(tightest.remaining);
    fields["X-RateLimit-Reset"] = String(Math.ceil(tightest.resetMs / 1000));
  }
  return fields;
}

/** Fast path for most responses: builds the fields from the store's readings, without building `limits`. */
function addShown(fields: Fields, { charges, outcome }: Shown): Fields {
  if (charges.length === 0) return fields;
  const wording = wordingOf(charges);
  if (wording.policy === "") return fields;
  fields["RateLimit-Policy"] = wording.policy;
  fields.RateLimit = stateIn(wording, outcome.readings);
  fields["Access-Control-Expose-Headers"] = exposedByForm.draft;
  return fields;
}

/** Read only for the forms that need it, because computing it costs time. It exists whenever limits apply. */
function tightestOf({ tightest }: Readings): LimitReading {
  return tightest as LimitReading;
}

function stateOf(limits: readonly LimitReading[]): string {
  let state = "";
  for (let l = 0; l < limits.length; l += 1) {
    const limit = limits[l] as LimitReading;
    state += stateItem(openingOf(limit.name, l === 0), limit);
  }
  return state;
}

function addOlderFields(
  fields: Fields,
  form: "draft-7" | "draft-6",
  limits: readonly LimitReading[],
  { quota, remaining, resetMs }: LimitReading,
): void {
  fields["RateLimit-Policy"] = limits.map((limit) => `${limit.quota};w=${windowSeconds(limit)}`).join(", ");
  const reset = Math.ceil(resetMs / 1000);
  if (form === "draft-7") {
    fields.RateLimit = `limit=${quota}, remaining=${remaining}, reset=${reset}`;
    return;
  }
  fields["RateLimit-Limit"] = String(quota);
  fields["RateLimit-Remaining"] = String(remaining);
  fields["RateLimit-Reset"] = String(reset);
}

/**
 * Fills in the defaults, once, when the guard is created.
 *
 * @throws HeadgateError `option-invalid` for a form of the fields that does not exist.
 */
export function checkFieldOptions({
  legacy = false,
  fields = "draft",
}: FieldOptions): Required<FieldOptions> {
  if (typeof legacy !== "boolean") {
    throw new HeadgateError("option-invalid", `legacy must be true or false, got ${describe(legacy)}.`);
  }
  if (fields !== false && !(typeof fields === "string" && Object.hasOwn(exposedByForm, fields))) {
    throw new HeadgateError(
      "option-invalid",
      `fields must be false or one of ${Object.keys(exposedByForm).join(", ")}, got ${describe(fields)}.`,
    );
  }
  return { legacy, fields };
}

/** List fields that other code may also write: the guard appends to them. */
export const sharedFields = ["Access-Control-Expose-Headers", "Vary"] as const;

/**
 * Adds elements to the value of a list field, without duplicates.
 *
 * @param before the value that the response already has
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
 * Writes fields into a response's headers. Fields that the response already exposes to scripts stay exposed.
 *
 * @throws TypeError if the headers are immutable, like those of a `fetch`ed or redirecting response.
 */
export function writeFields(headers: Headers, fields: Fields): void {
  for (const name in fields) {
    const value = fields[name] as string;
    const isShared = (sharedFields as readonly string[]).includes(name);
    headers.set(name, isShared ? listWith(headers.get(name), value) : value);
  }
}
