/** A limit for a simple count in tests: at most `quota` units within the last `windowMs` milliseconds. */
export interface HandLimit {
  readonly quota: number;
  readonly windowMs: number;
}

/**
 * Creates a simple count of what a changing sliding window may admit. A store must remember as far back as the widest
 * limit that has counted so far. It may remember more, and be stricter.
 *
 * @param own the limit that applies without an override.
 */
export function countByHand(own: HandLimit) {
  const spent: { at: number; units: number }[] = [];
  let known: typeof spent = [];
  let keptMs = 0;
  let isCoarse = false;
  let other: { limit: HandLimit; until: number } | undefined;
  const limitAt = (now: number) => (other !== undefined && other.until > now ? other.limit : own);
  return {
    /** Applies another limit from now on, until a given time. */
    limitTo(limit: HandLimit, until = Number.POSITIVE_INFINITY) {
      other = { limit, until };
    },
    /** Call this if a coarse log has counted: a coarse log may refuse a little early. */
    countsCoarsely() {
      isCoarse = true;
    },
    /** Returns whether the request must be admitted, and whether it may be admitted. */
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
