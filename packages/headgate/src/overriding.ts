import { HeadgateError } from "./core/errors.ts";
import { checkOptions } from "./core/options.ts";
import { blocked, type OverrideTerms } from "./core/override.ts";
import type { Question } from "./core/ruling.ts";
import { show } from "./core/show.ts";
import type { Charge } from "./core/store.ts";
import { checkWholeNumber } from "./core/whole-number.ts";

/** Whom a block is for, and where. */
export interface OverrideTarget {
  /** The layer in which the caller is blocked; by default the first that applies to the caller. */
  layer?: string;
}

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

const longestMs = 100 * 366 * 24 * 3_600_000;
const longestReason = 200;
const longestBy = 100;

/** @throws HeadgateError `option-invalid` */
export function readBlock(options: BlockOptions, now: number): OverrideTerms {
  if (typeof options !== "object" || options === null)
    fail(`block takes an object, such as { forMs: 60000 }, got ${show(options)}.`);
  checkOptions("block", options, ["forMs", "until", "reason", "by", "layer"], "option-invalid");
  for (const name of ["forMs", "until", "layer"] as const) {
    if (name in options && options[name] === undefined)
      fail(
        `${name} of block is undefined: leave it out ${name === "layer" ? "for the first layer" : "for a block for good"}.`,
      );
  }
  const { forMs, reason, by } = options;
  if (forMs !== undefined) checkWholeNumber("forMs", forMs, 1, longestMs);
  const until = readMoment(options.until, now);
  if (forMs !== undefined && until !== undefined)
    fail("block takes forMs or until, and not both: which of them is meant is not clear.");
  checkText("reason", reason, longestReason);
  checkText("by", by, longestBy);
  return {
    id: mintId(),
    limits: blocked,
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
      `until must be a date, or milliseconds since 1970, at most 100 years from now, got ${String(until)}. Leave it out for a block for good.`,
    );
  if (moment <= now)
    fail(
      `until must be later than now, got ${new Date(moment).toISOString()}: to end a block, call unblock.`,
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
): Pick<Charge, "space" | "key"> {
  const { layer } = target;
  const place = layer === undefined ? 0 : layers.indexOf(layer);
  const charge = charges[place];
  if (charge === undefined) {
    const applying = layers.length === 0 ? "no layer applies" : `these apply: ${layers.join(", ")}`;
    fail(
      layer === undefined
        ? "No layer of the policy applies to this caller: there is nothing to block."
        : `No layer "${layer}" applies to this caller; ${applying}.`,
    );
  }
  const { space, key } = charge;
  if (key.startsWith(sharedKey)) {
    fail(
      `The caller's key in layer "${layers[place]}" could not be had, or is too long: all such callers share one partition, ` +
        "which is not blocked for one of them.",
    );
  }
  return { space, key };
}

/** So begin the keys of partitions that callers share who have none of their own. */
const sharedKey = "\u0000";

function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
