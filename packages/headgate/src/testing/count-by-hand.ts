/** A limit that tests count by hand: at most `quota` units within the last `windowMs` milliseconds. */
export interface HandLimit {
  readonly quota: number;
  readonly windowMs: number;
}

/**
 * Counts by hand what a sliding window that changes may admit. The law asks for no more than what the widest limits need that
 * have counted so far; a store may know more, and be stricter.
 *
 * @param own the limit that holds where no other does.
 */
export function countByHand(own: HandLimit) {
  const spent: { at: number; units: number }[] = [];
  let known: typeof spent = [];
  let keptMs = 0;
  let isCoarse = false;
  let other: { limit: HandLimit; until: number } | undefined;
  const limitAt = (now: number) => (other !== undefined && other.until > now ? other.limit : own);
  return {
    /** From now on, until a time. */
    limitTo(limit: HandLimit, until = Number.POSITIVE_INFINITY) {
      other = { limit, until };
    },
    /** A coarse log has counted: it may refuse a little early. */
    countsCoarsely() {
      isCoarse = true;
    },
    /** Whether it must be admitted, whatever else is known; and whether it may be. */
    admits(now: number, units: number): { must: boolean; may: boolean } {
      const { quota, windowMs } = limitAt(now);
      const fits = (entries: typeof spent) =>
        entries.filter(({ at }) => at > now - windowMs).reduce((sum, entry) => sum + entry.units, 0) +
          units <=
        quota;
      known = known.filter(({ at }) => at > now - keptMs);
      return { must: !isCoarse && fits(spent), may: fits(known) };
    },
    spend(now: number, units: number) {
      const needMs = Math.max(own.windowMs, limitAt(now).windowMs);
      keptMs = known.length === 0 ? needMs : Math.max(keptMs, needMs);
      spent.push({ at: now, units });
      known.push({ at: now, units });
    },
  };
}
