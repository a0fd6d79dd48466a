import type { Charge, Hold, Outcome } from "./store.ts";

/** The limits of an override that admits nobody. */
export const blocked = "blocked";

/** An operator's decision that replaces the limits of one partition. */
export interface Override {
  /** A random whole number from 1 to 2^48 - 1. A request uses it to name the override whose limits it applied. */
  readonly id: number;
  /** `blocked`, or limits as text. */
  readonly limits: string;
  /**
   * When the override ends, by the store's time: milliseconds since 1970-01-01T00:00Z. `Infinity`: until an operator
   * ends it.
   */
  readonly until: number;
  readonly reason?: string;
  /** Who made the override. */
  readonly by?: string;
}

/** An override for all partitions of a layer whose key begins with a prefix. */
export interface OverrideByPrefix extends Override {
  readonly prefix: string;
}

/** The terms of a new override. */
export interface OverrideTerms extends Omit<Override, "until"> {
  /**
   * When the override ends. Give either this time or `forMs`, a duration, both in milliseconds. With neither, the
   * override has no end.
   */
  readonly until?: number;
  readonly forMs?: number;
}

/** @param now the store's time, ms. */
export function beginOverride({ until, forMs, ...rest }: OverrideTerms, now: number): Override {
  const end = until ?? (forMs === undefined ? Number.POSITIVE_INFINITY : now + forMs);
  return { ...rest, until: end };
}

/** Returns the override if it is still in force, else `undefined`. */
export function inForce(override: Override | undefined, now: number): Override | undefined {
  return override !== undefined && override.until > now ? override : undefined;
}

/**
 * Returns why overrides refuse a request. `overridden`: the request did not apply the limits in force. Nothing is
 * decided; the caller must ask again with those limits. `blocked`: a partition admits nobody.
 *
 * @param overrides for each charge, the override in force.
 * @param isApplied for each charge, whether the same call was applied before: then it changes nothing.
 */
export function refusedByOverrides(
  overrides: readonly (Override | undefined)[],
  charges: readonly Pick<Charge, "override">[],
  hold: Hold | undefined,
  isApplied?: (charge: number) => boolean,
): "overridden" | "blocked" | undefined {
  let reason: "blocked" | undefined;
  for (let c = 0; c < charges.length; c += 1) {
    const override = overrides[c];
    if (isApplied?.(c) === true) continue;
    if (override?.limits === blocked) reason = "blocked";
    // A reservation is extended under the limits that admitted it.
    else if ((hold?.seq ?? 1) <= 1 && (override?.id ?? 0) !== (charges[c]?.override?.id ?? 0))
      return "overridden";
  }
  return reason;
}

/** Returns how long the blocks of an outcome last, ms: 0 without a block, `Infinity` for a permanent block. */
export function blockedForMs({ overrides, now }: Pick<Outcome, "overrides" | "now">): number {
  let longest = 0;
  for (const override of overrides ?? []) {
    if (override?.limits === blocked) longest = Math.max(longest, override.until - now);
  }
  return longest;
}

/** Writes an override without its end as text, for stores that keep the end as a number next to it. */
export function writeNote({ id, limits, reason, by }: Omit<Override, "until">): string {
  return JSON.stringify({ id, limits, reason, by });
}

/** @throws Error if `writeNote` did not write it. */
export function readNote(note: string, until: number): Override {
  const { id, limits, reason, by } = JSON.parse(note) as Override;
  if (!Number.isSafeInteger(id) || typeof limits !== "string") throw new Error("Invalid override.");
  return {
    id,
    limits,
    until,
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
  };
}
