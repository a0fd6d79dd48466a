import type { Charge, Hold, Outcome } from "./store.ts";

/** The limits of an override that admits nobody. */
export const blocked = "blocked";

/** What an operator decided for one partition, in place of its own limits. */
export interface Override {
  /** From 1 up to 2^48 - 1, drawn anew for each: requests name by it the override that they were made under. */
  readonly id: number;
  /** `blocked`, or limits as text. */
  readonly limits: string;
  /** When it ends, by the store's time: milliseconds since 1970-01-01T00:00Z. `Infinity`: when somebody ends it. */
  readonly until: number;
  readonly reason?: string;
  /** Who decided it. */
  readonly by?: string;
}

/** What an operator decided for all partitions of a layer whose key begins with a prefix. */
export interface OverrideByPrefix extends Override {
  readonly prefix: string;
}

/** An override that is to begin now. */
export interface OverrideTerms extends Omit<Override, "until"> {
  /** A moment, or a time from now on, both in milliseconds; neither: for good. */
  readonly until?: number;
  readonly forMs?: number;
}

/** @param now the store's time, ms. */
export function beginOverride({ until, forMs, ...rest }: OverrideTerms, now: number): Override {
  const end = until ?? (forMs === undefined ? Number.POSITIVE_INFINITY : now + forMs);
  return { ...rest, until: end };
}

/** What is in force at this moment. */
export function inForce(override: Override | undefined, now: number): Override | undefined {
  return override !== undefined && override.until > now ? override : undefined;
}

/**
 * Why overrides refuse a request. `overridden`: it was not made under the limits that are in force; nothing is decided, and
 * it is to be asked again under these. `blocked`: a partition admits nobody.
 *
 * @param overrides for each charge, what is in force.
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

/** How long the blocks of an outcome last, ms: 0 where there is none, `Infinity` for good. */
export function blockedForMs({ overrides, now }: Pick<Outcome, "overrides" | "now">): number {
  let longest = 0;
  for (const override of overrides ?? []) {
    if (override?.limits === blocked) longest = Math.max(longest, override.until - now);
  }
  return longest;
}

/** All of an override but its end, as text: for stores that keep it next to numbers. */
export function writeNote({ id, limits, reason, by }: Omit<Override, "until">): string {
  return JSON.stringify({ id, limits, reason, by });
}

/** @throws Error where it is not what `writeNote` wrote. */
export function readNote(note: string, until: number): Override {
  const { id, limits, reason, by } = JSON.parse(note) as Override;
  if (!Number.isSafeInteger(id) || typeof limits !== "string") throw new Error("It is no override.");
  return {
    id,
    limits,
    until,
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
  };
}
