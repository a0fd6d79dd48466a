import { HeadgateError } from "../core/errors.ts";
import { parseLimits } from "../core/grammar.ts";
import { type Limit, wordFor } from "../core/limit.ts";
import { checkOptions } from "../core/options.ts";
import { blocked, type OverrideTerms } from "../core/override.ts";
import { partOf, type Question } from "../core/ruling.ts";
import { isSharedKey } from "../core/shared-keys.ts";
import { show } from "../core/show.ts";
import type { Charge } from "../core/store.ts";
import { isThenable } from "../core/thenable.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import { mintId } from "./mint-id.ts";
import type { PrefixTarget } from "./prefixes.ts";

/** Selects the layer of an override. */
export interface OverrideTarget {
  /** The layer of the override. Default: the first layer that applies to the caller. */
  layer?: string;
}

/** How long an operator's decision lasts, and why. */
export interface BlockOptions extends OverrideTarget {
  /** How long the override lasts, in milliseconds, up to 100 years. Without `forMs` and `until`, it has no end. */
  forMs?: number;
  /**
   * When the override ends: a date, or milliseconds since 1970-01-01T00:00Z. If a shared store has its own clock, that
   * clock counts.
   */
  until?: number | Date;
  /** The reason, for operators: at most 200 characters. Callers do not see it. */
  reason?: string;
  /** Who made the override, for operators: at most 100 characters. */
  by?: string;
}

/** Other limits for one caller. */
export interface OverrideOptions extends BlockOptions {
  /**
   * Limits as text, such as `"1000/hour"`, or `"unlimited"` or `"blocked"`: at most 500 characters. They replace the
   * caller's limits in the units that they name. Other units keep their limits.
   */
  limits: string;
}

/** Other limits for every caller whose key begins with a prefix. */
export type PrefixOverrideOptions = Omit<OverrideOptions, "layer">;

const longestPrefix = 200;
const longestMs = 100 * 366 * 24 * 3_600_000;
const longestReason = 200;
const longestBy = 100;
const longestLimits = 500;
const blockOptions = ["forMs", "until", "reason", "by", "layer"];

/** @throws HeadgateError `option-invalid` */
export function readBlock(options: BlockOptions, now: number): OverrideTerms {
  checkObject("block", options, "{ forMs: 60000 }", blockOptions);
  return { ...readRest("block", options, now), limits: blocked };
}

/**
 * @param units the units that the policy counts.
 * @throws HeadgateError `option-invalid`, or `limit-unreadable` or `limit-invalid` for the limits.
 */
export function readOverride(
  options: OverrideOptions,
  units: ReadonlySet<string>,
  now: number,
): OverrideTerms {
  checkObject("override", options, '{ limits: "1000/hour" }', ["limits", ...blockOptions]);
  return { ...readRest("override", options, now), limits: readText("override", options.limits, units) };
}

/** @throws HeadgateError `option-invalid`, or `limit-unreadable` or `limit-invalid` for the limits. */
export function readPrefixOverride(
  options: PrefixOverrideOptions,
  units: ReadonlySet<string>,
  now: number,
): OverrideTerms {
  const known = ["limits", ...blockOptions.filter((name) => name !== "layer")];
  checkObject("overridePrefix", options, '{ limits: "1000/hour" }', known);
  return {
    ...readRest("overridePrefix", options, now),
    limits: readText("overridePrefix", options.limits, units),
  };
}

/**
 * @param of the method, for messages.
 * @param layers the layers of the policy.
 * @throws HeadgateError `option-invalid`
 */
export function checkPrefixTarget(of: string, target: PrefixTarget, layers: readonly string[]): void {
  checkPrefix(of, target);
  const { layer } = target;
  if (layers.includes(layer)) return;
  fail(
    `layer of ${of} must be a layer of the policy, one of ${layers.map(show).join(", ")}, got ${show(layer)}.`,
  );
}

/**
 * Checks the layer of an override that is to be ended. An override can be ended even if its layer has left the policy.
 *
 * @param layers the layers of the policy.
 * @param isInForce whether there is an override to end.
 * @throws HeadgateError `option-invalid`
 */
export function checkEndedPrefix(
  { layer }: PrefixTarget,
  layers: readonly string[],
  isInForce: boolean,
): void {
  if (isInForce || layers.includes(layer)) return;
  fail(
    `layer of endPrefixOverride must be a layer of the policy, or of an override in force, one of ${layers.map(show).join(", ")}, got ${show(layer)}.`,
  );
}

/** @throws HeadgateError `option-invalid` */
export function checkPrefix(of: string, target: PrefixTarget): void {
  checkObject(of, target, '{ layer: "address", prefix: "203.0.113." }', ["layer", "prefix"]);
  const { prefix } = target;
  if (typeof prefix !== "string" || prefix === "" || prefix.length > longestPrefix) {
    const got = typeof prefix === "string" && prefix !== "" ? `${prefix.length} characters` : show(prefix);
    fail(
      `prefix of ${of} must be the first characters of keys, from 1 to ${longestPrefix} of them, got ${got}.` +
        (of === "overridePrefix" ? " To change the limits of all callers, use setPolicy." : ""),
    );
  }
  if (prefix.charCodeAt(0) === 0)
    fail(
      `prefix of ${of} begins with NUL, like the keys that unidentified callers share. These cannot be overridden.`,
    );
}

/**
 * @param of the method, for messages.
 * @throws HeadgateError `option-invalid`
 */
export function checkTarget(of: string, options: OverrideTarget): void {
  checkObject(of, options, '{ layer: "user" }', ["layer"]);
  checkLayer(of, options);
}

function checkObject(of: string, options: unknown, example: string, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Symbol.iterator in options || isThenable(options))
    fail(`${of} takes an object, such as ${example}, got ${show(options)}.`);
  checkOptions(of, options, known, "option-invalid");
}

function checkLayer(of: string, options: OverrideTarget): void {
  if (!("layer" in options)) return;
  if (options.layer === undefined) fail(`layer of ${of} is undefined: leave it out for the first layer.`);
  if (typeof options.layer !== "string")
    fail(`layer of ${of} must be the name of a layer, got ${show(options.layer)}.`);
}

function readText(of: string, text: unknown, units: ReadonlySet<string>): string {
  if (typeof text !== "string") fail(`${of} needs limits as text, such as "1000/hour", got ${show(text)}.`);
  if (text.length > longestLimits)
    fail(`The limits of an override have at most ${longestLimits} characters, got ${text.length}.`);
  const limits = parseLimits(text);
  for (const { unit } of limits) {
    if (units.has(unit)) continue;
    const known = [...units].map(show).join(", ");
    fail(
      `The override limits ${show(unit)}, which the policy does not count: its units are ${known}; declare others in units.`,
    );
  }
  return limits.length === 1 && wordFor(limits[0] as Limit) === "blocked" ? blocked : text;
}

/** @param of the method, for messages. */
function readRest(of: string, options: BlockOptions, now: number): Omit<OverrideTerms, "limits"> {
  checkLayer(of, options);
  for (const name of ["forMs", "until"] as const) {
    if (name in options && options[name] === undefined)
      fail(`${name} of ${of} is undefined. Leave it out for no end.`);
  }
  const { forMs, reason, by } = options;
  if (forMs !== undefined) checkWholeNumber("forMs", forMs, 1, longestMs);
  const until = readMoment(options.until, now);
  if (forMs !== undefined && until !== undefined) fail(`${of} takes either forMs or until, got both.`);
  checkText("reason", reason, longestReason);
  checkText("by", by, longestBy);
  return {
    id: mintId(),
    ...(forMs === undefined ? {} : { forMs }),
    ...(until === undefined ? {} : { until }),
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
  };
}

function readMoment(until: number | Date | undefined, now: number): number | undefined {
  if (until === undefined) return undefined;
  const moment = until instanceof Date ? until.getTime() : until;
  if (typeof moment !== "number" || !(Math.abs(moment - now) <= longestMs))
    fail(
      `until must be a date, or milliseconds since 1970, at most 100 years from now, got ${until instanceof Date ? String(until) : show(until)}. Leave it out for no end.`,
    );
  if (moment <= now)
    fail(
      `until must be later than now, got ${new Date(moment).toISOString()}: to end a block or an override, call unblock or endOverride.`,
    );
  return Math.floor(moment);
}

function checkText(name: string, text: unknown, longest: number): void {
  if (text === undefined || (typeof text === "string" && text.length <= longest)) return;
  const got = typeof text === "string" ? `${text.length} characters` : show(text);
  fail(`${name} must be text of at most ${longest} characters, got ${got}.`);
}

/**
 * Returns the partition of a caller to which an override or reset applies.
 *
 * @param question the caller's question.
 * @throws HeadgateError `option-invalid` if there is none, or if the caller shares it with others.
 */
export function targetOf(
  { layers, charges }: Question,
  target: OverrideTarget,
): { readonly charge: Charge; readonly layer: string } {
  const { layer } = target;
  const place = layer === undefined ? 0 : placeOf(layers, layer);
  const charge = charges[place];
  if (charge === undefined)
    fail("No layer of the policy applies to this caller: there is nothing to override.");
  if (isSharedKey(charge.key)) {
    fail(
      `The caller's key in layer "${layers[place]}" is unknown or too long. Such callers share one partition, ` +
        "which cannot be overridden for one of them.",
    );
  }
  return { charge, layer: layers[place] as string };
}

/**
 * Returns the part of a question about one layer, or the whole question if no layer is named. @throws HeadgateError
 * `option-invalid` if the layer does not apply.
 */
export function within(question: Question, layer: string | undefined): Question {
  return layer === undefined ? question : partOf(question, [placeOf(question.layers, layer)]);
}

function placeOf(layers: readonly string[], layer: string): number {
  const place = layers.indexOf(layer);
  if (place >= 0) return place;
  const applying = layers.length === 0 ? "no layer applies" : `these apply: ${layers.join(", ")}`;
  fail(`No layer "${layer}" applies to this caller; ${applying}.`);
}

function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
