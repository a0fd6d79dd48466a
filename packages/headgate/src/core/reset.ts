import type { Refund } from "./store.ts";

/**
 * What a partition remembers of its last reset. Units that were charged before it are forgotten: a refund of them would be
 * taken from what was charged since, and let a caller in over the limit.
 */
export interface Reset {
  /** The store's time, ms. */
  readonly at: number;
  /** Whether it was not the first in its millisecond: then no charge of that millisecond is given back. */
  readonly again: boolean;
  /** From then on nothing that was forgotten would count any more. */
  readonly until: number;
}

/**
 * @param before what is remembered of the reset before this one.
 * @param until when the last of what is forgotten now would have left its window; 0 where nothing is forgotten.
 * @returns `undefined` where nothing has to be remembered.
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
 * The mark of what is charged now. It is below 0 where that is in the millisecond of a reset, after it: by its time alone, it
 * could have been charged before. Marks are never below 0 otherwise.
 */
export function markSince(reset: Reset | undefined, now: number, mark: number): number {
  return reset !== undefined && now <= reset.at ? -1 - mark : mark;
}

/** The refunds that no reset has forgotten, with the marks of the algorithms. */
export function remembered(reset: Reset | undefined, refunds: readonly Refund[]): readonly Refund[] {
  return refunds.flatMap((refund) => {
    if (reset !== undefined && isForgotten(reset, refund)) return [];
    return refund.mark < 0 ? { ...refund, mark: -1 - refund.mark } : refund;
  });
}

export function isForgotten({ at, again }: Reset, { chargedAt, mark }: Pick<Refund, "chargedAt" | "mark">) {
  return chargedAt < at || (chargedAt === at && (mark >= 0 || again));
}
