/** Texts with the time until which each is known. Bounded: the oldest are forgotten first. */
export interface Known {
  has(text: string, now: number): boolean;
  add(text: string, until: number): void;
}

/** Of each generation. */
const most = 5000;

/**
 * Keeps two generations, and drops the elder as a whole: a `Map` that loses its first entry with each new one skips more and more
 * deleted entries to find it.
 */
export function createKnown(): Known {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return {
    has: (text, now) => (young.get(text) ?? old.get(text) ?? Number.NEGATIVE_INFINITY) > now,
    add(text, until) {
      if (young.size >= most && !young.has(text)) {
        old = young;
        young = new Map();
      }
      young.set(text, until);
    },
  };
}
