import type { Refund } from "./store.ts";

/**
 * The record of a partition's last reset. Units charged before the reset are forgotten. Refunding these units would
 * reduce the count of later charges and admit a caller over the limit.
 */
export interface Reset {
  /** The store's time, ms. */
  readonly at: number;
  /** Whether there was an earlier reset in the same millisecond. If so, charges of that millisecond are not refunded. */
  readonly again: boolean;
  /** From this time on, the forgotten units would not have counted anyway. */
  readonly until: number;
}

/**
 * @param before the previous reset, if it is remembered.
 * @param until the time at which the last forgotten unit would have left its window; 0 if no unit is forgotten.
 * @returns `undefined` if no reset must be remembered.
 */
export function noteReset(before: Reset | undefined, now: number, until: number): Reset | undefined {
  const earlier = resetInForce(before, now);
  if (until <= now) return earlier;
  if (earlier === undefined) return { at: now, again: false, until };
  return { at: Math.max(now, earlier.at), again: earlier.at >= now, until: Math.max(until, earlier.until) };
}

export function resetInForce(reset: Reset | undefined, now: number): Reset | undefined {
  return reset !== undefined && reset.until > now ? reset : undefined;
}

/**
 * Returns the mark of a charge made now. It is negative if the charge comes after a reset in the same millisecond,
 * because the time does not show their order. Other marks are never negative.
 */
export function markSince(reset: Reset | undefined, now: number, mark: number): number {
  return reset !== undefined && now <= reset.at ? -1 - mark : mark;
}

/** Returns the refunds of charges that no reset has forgotten, with the original marks of the algorithms. */
export function remembered(reset: Reset | undefined, refunds: readonly Refund[]): readonly Refund[] {
  return refunds.flatMap((refund) => {
    if (reset !== undefined && isForgotten(reset, refund)) return [];
    return refund.mark < 0 ? { ...refund, mark: -1 - refund.mark } : refund;
  });
}

export function isForgotten({ at, again }: Reset, { chargedAt, mark }: Pick<Refund, "chargedAt" | "mark">) {
  return chargedAt < at || (chargedAt === at && (mark >= 0 || again));
}
