/** One counter of a sketch: the true count of `key` is at most `count`, and at least `count - error`. */
export type Counter = [key: string, count: number, error: number];

/** A serialised sketch. */
export interface Heavy {
  /** The sum of all counts. */
  total: number;
  /** The highest count that a key without a counter can have. */
  unseen: number;
  /** The counters, largest first. */
  counters: Counter[];
}

/** Counts the most frequent of any number of keys, in bounded memory. */
export interface SpaceSaving {
  add(key: string, times?: number): void;
  read(): Heavy;
}

/**
 * The Space-Saving sketch (Metwally, Agrawal and El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data
 * Streams", 2005): a key without a counter takes over the smallest counter, and that counter's count becomes the error.
 *
 * @param size the number of counters, 1 or more; a count is at most total / size too high
 */
export function createSpaceSaving(size: number): SpaceSaving {
  const counters = new Map<string, { count: number; error: number }>();
  let total = 0;
  /** The smallest count when all counters were last searched, and the keys that had it. */
  let least = 0;
  let smallest: string[] = [];

  /** Returns the first key with the smallest count. Counts only grow, so most calls need not search all counters. */
  function findSmallest(): string {
    let key = smallest.at(-1);
    while (key !== undefined && counters.get(key)?.count !== least) {
      smallest.pop();
      key = smallest.at(-1);
    }
    if (key !== undefined) return key;
    least = Math.min(...[...counters.values()].map(({ count }) => count));
    smallest = [...counters].flatMap(([one, { count }]) => (count === least ? [one] : [])).reverse();
    return smallest.at(-1) as string;
  }

  return {
    add(key, times = 1) {
      total += times;
      const known = counters.get(key);
      if (known !== undefined) {
        known.count += times;
        return;
      }
      if (counters.size < size) {
        counters.set(key, { count: times, error: 0 });
        return;
      }
      counters.delete(findSmallest());
      counters.set(key, { count: least + times, error: least });
    },

    read() {
      if (counters.size >= size) findSmallest();
      return {
        total,
        unseen: counters.size < size ? 0 : least,
        counters: largestFirst([...counters].map(([key, { count, error }]) => [key, count, error])),
      };
    },
  };
}

/**
 * Adds up sketches, such as those of several processes. A key that a sketch does not list may have been counted there
 * as often as the sketch's smallest counter, so that counter's value is added to the count and the error.
 *
 * @param size the number of counters of the sum
 */
export function addHeavy(sketches: readonly Heavy[], size: number): Heavy {
  const known = sketches.map(({ counters }) => new Map(counters.map((counter) => [counter[0], counter])));
  const keys = new Set(known.flatMap((counters) => [...counters.keys()]));
  const summed = largestFirst(
    [...keys].map((key) => {
      let count = 0;
      let error = 0;
      sketches.forEach(({ unseen }, s) => {
        const [, itsCount, itsError] = known[s]?.get(key) ?? [key, unseen, unseen];
        count += itsCount;
        error += itsError;
      });
      return [key, count, error] satisfies Counter;
    }),
  );
  const unlisted = sketches.reduce((sum, { unseen }) => sum + unseen, 0);
  return {
    total: sketches.reduce((sum, { total }) => sum + total, 0),
    unseen: Math.max(unlisted, summed[size]?.[1] ?? 0),
    counters: summed.slice(0, size),
  };
}

function largestFirst(counters: Counter[]): Counter[] {
  return counters.sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
}
