/** Remembers texts, each until a given time. Its size is bounded: the oldest are forgotten first. */
export interface Known {
  has(text: string, now: number): boolean;
  add(text: string, until: number): void;
}

/** The maximum size of each generation. */
const most = 5000;

/**
 * Keeps two generations and drops the older generation as a whole. Deleting the first entry of a `Map` for each new one
 * was rejected: the `Map` has to skip more and more deleted entries to find the first.
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
