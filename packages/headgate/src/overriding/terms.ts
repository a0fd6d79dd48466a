import { HeadgateError } from "../core/errors.ts";
import { parseLimits } from "../core/grammar.ts";
import { type Limit, wordFor } from "../core/limit.ts";
import { checkOptions } from "../core/options.ts";
import { blocked, type OverrideTerms } from "../core/override.ts";
import type { Question } from "../core/ruling.ts";
import { show } from "../core/show.ts";
import type { Charge } from "../core/store.ts";
import { checkWholeNumber } from "../core/whole-number.ts";

/** Where a caller is overridden. */
export interface OverrideTarget {
  /** The layer in which it holds; by default the first that applies to the caller. */
  layer?: string;
}

/** How long something lasts that an operator decided, and why. */
export interface BlockOptions extends OverrideTarget {
  /** How long it lasts, in milliseconds, from 1 up to 100 years. Without it and without `until`: for good. */
  forMs?: number;
  /** When it ends: a date, or milliseconds since 1970-01-01T00:00Z. By a shared store's clock, if it has one. */
  until?: number | Date;
  /** Why, for operators: at most 200 characters. Callers are not shown it. */
  reason?: string;
  /** Who decided it, for operators: at most 100 characters. */
  by?: string;
}

/** Other limits for one caller. */
export interface OverrideOptions extends BlockOptions {
  /**
   * Limits as text, such as `"1000/hour"`, or `"unlimited"` or `"blocked"`: at most 500 characters. They take the place of the
   * caller's limits in the units that they name; other units keep theirs.
   */
  limits: string;
}

const longestMs = 100 * 366 * 24 * 3_600_000;
const longestReason = 200;
const longestBy = 100;
const longestLimits = 500;
const blockOptions = ["forMs", "until", "reason", "by", "layer"];

/** @throws HeadgateError `option-invalid` */
export function readBlock(options: BlockOptions, now: number): OverrideTerms {
  checkObject("block", options, "{ forMs: 60000 }");
  checkOptions("block", options, blockOptions, "option-invalid");
  return { ...readRest("block", options, now), limits: blocked };
}

/**
 * @param units that the policy counts.
 * @throws HeadgateError `option-invalid`, or `limit-unreadable` or `limit-invalid` for the limits.
 */
export function readOverride(
  options: OverrideOptions,
  units: ReadonlySet<string>,
  now: number,
): OverrideTerms {
  checkObject("override", options, '{ limits: "1000/hour" }');
  checkOptions("override", options, ["limits", ...blockOptions], "option-invalid");
  return { ...readRest("override", options, now), limits: readText(options.limits, units) };
}

function checkObject(of: string, options: unknown, example: string): void {
  if (typeof options !== "object" || options === null)
    fail(`${of} takes an object, such as ${example}, got ${show(options)}.`);
}

function readText(text: unknown, units: ReadonlySet<string>): string {
  if (typeof text !== "string")
    fail(`override needs limits as text, such as "1000/hour", got ${show(text)}.`);
  if (text.length > longestLimits)
    fail(`The limits of an override have at most ${longestLimits} characters, got ${text.length}.`);
  const limits = parseLimits(text);
  for (const { unit } of limits) {
    if (units.has(unit)) continue;
    const known = [...units].map(show).join(", ");
    fail(
      `The override limits ${show(unit)}, which the policy does not count: its units are ${known}; others have to be declared in units.`,
    );
  }
  return limits.length === 1 && wordFor(limits[0] as Limit) === "blocked" ? blocked : text;
}

/** @param of the method, for messages. */
function readRest(of: string, options: BlockOptions, now: number): Omit<OverrideTerms, "limits"> {
  for (const name of ["forMs", "until", "layer"] as const) {
    if (name in options && options[name] === undefined)
      fail(
        `${name} of ${of} is undefined: leave it out ${name === "layer" ? "for the first layer" : "for one without an end"}.`,
      );
  }
  const { forMs, reason, by } = options;
  if (forMs !== undefined) checkWholeNumber("forMs", forMs, 1, longestMs);
  const until = readMoment(options.until, now);
  if (forMs !== undefined && until !== undefined)
    fail(`${of} takes forMs or until, and not both: which of them is meant is not clear.`);
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
  if (typeof moment !== "number" || !Number.isFinite(moment) || moment > now + longestMs)
    fail(
      `until must be a date, or milliseconds since 1970, at most 100 years from now, got ${String(until)}. Leave it out for one without an end.`,
    );
  if (moment <= now)
    fail(
      `until must be later than now, got ${new Date(moment).toISOString()}: to end what is in force, call unblock or endOverride.`,
    );
  return Math.floor(moment);
}

function checkText(name: string, text: unknown, longest: number): void {
  if (text === undefined || (typeof text === "string" && text.length <= longest)) return;
  const got = typeof text === "string" ? `${text.length} characters` : `a ${typeof text}`;
  fail(`${name} must be text of at most ${longest} characters, got ${got}.`);
}

/** From 1 up to 2^48 - 1. */
function mintId(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 2 ** 16) * 2 ** 32 + Math.max(1, low);
}

/**
 * The partition of a caller that is meant.
 *
 * @param question the caller's.
 * @throws HeadgateError `option-invalid` where there is none, or where it is not the caller's alone.
 */
export function targetOf(
  { layers, charges }: Question,
  target: OverrideTarget,
): { readonly charge: Charge; readonly layer: string } {
  const { layer } = target;
  const place = layer === undefined ? 0 : layers.indexOf(layer);
  const charge = charges[place];
  if (charge === undefined) {
    const applying = layers.length === 0 ? "no layer applies" : `these apply: ${layers.join(", ")}`;
    fail(
      layer === undefined
        ? "No layer of the policy applies to this caller: there is nothing to override."
        : `No layer "${layer}" applies to this caller; ${applying}.`,
    );
  }
  if (charge.key.startsWith(sharedKey)) {
    fail(
      `The caller's key in layer "${layers[place]}" could not be had, or is too long: all such callers share one partition, ` +
        "which is not overridden for one of them.",
    );
  }
  return { charge, layer: layers[place] as string };
}

/** So begin the keys of partitions that callers share who have none of their own. */
const sharedKey = "\u0000";

function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
