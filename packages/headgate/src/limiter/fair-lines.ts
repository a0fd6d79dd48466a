import type { Charge } from "../core/store.ts";

/** A waiter in a line. */
export interface Standing {
  /** The partitions to charge. Waiters with the same partitions share one line. */
  readonly charges: readonly Charge[];
}

interface Place<Waiter> {
  readonly waiter: Waiter;
  /** How much it asks for: the sum over all units. */
  readonly weight: number;
}

/** The waiters for the same partitions, first come first. */
export interface Line<Waiter> {
  /** A line with one partition is named after it. A line with several has a name that no partition has. */
  readonly name: string;
  readonly partitions: readonly string[];
  readonly places: Place<Waiter>[];
  /** How many more units the line may take in this round. */
  deficit: number;
}

/**
 * Lines that are served in turn. Within a line, waiters are served in the order in which they came. Between lines, deficit
 * round robin (Shreedhar and Varghese, 1995) lets each line take the same number of units.
 */
export interface FairLines<Waiter extends Standing> {
  /** The number of waiters in all lines. */
  readonly size: number;
  enter(waiter: Waiter): Line<Waiter>;
  isFirst(line: Line<Waiter>, waiter: Waiter): boolean;
  leave(line: Line<Waiter>, waiter: Waiter): void;
  /** The next line to serve that is not blocked. */
  next(isBlocked: (line: Line<Waiter>) => boolean): Line<Waiter> | undefined;
  /** Removes the first waiter of a line, which has got its units. */
  served(line: Line<Waiter>): void;
}

export function createFairLines<Waiter extends Standing>(): FairLines<Waiter> {
  const lines = new Map<string, Line<Waiter>>();
  let size = 0;
  /** The place of the line that is served next. */
  let turn = 0;

  function leave(line: Line<Waiter>, waiter: Waiter): void {
    const at = line.places.findIndex((place) => place.waiter === waiter);
    line.places.splice(at, 1);
    size -= 1;
    if (line.places.length === 0) lines.delete(line.name);
  }

  return {
    get size() {
      return size;
    },

    enter(waiter) {
      const partitions = waiter.charges.map(partitionOf);
      const name = partitions.join();
      let line = lines.get(name);
      if (line === undefined) {
        line = { name, partitions, places: [], deficit: 0 };
        lines.set(name, line);
      }
      line.places.push({ waiter, weight: weightOf(waiter) });
      size += 1;
      return line;
    },

    isFirst: (line, waiter) => line.places[0]?.waiter === waiter,

    leave,

    next(isBlocked) {
      const open = [...lines.values()].filter((line) => !isBlocked(line));
      if (open.length === 0) return undefined;
      const quantum = Math.max(1, Math.min(...open.map(firstWeightOf)));
      for (;;) {
        for (let n = 0; n < open.length; n += 1) {
          const line = open[(turn + n) % open.length] as Line<Waiter>;
          if (line.deficit < firstWeightOf(line)) continue;
          turn = (turn + n) % open.length;
          return line;
        }
        const rounds = Math.min(
          ...open.map((line) => Math.ceil((firstWeightOf(line) - line.deficit) / quantum)),
        );
        for (const line of open) line.deficit += rounds * quantum;
      }
    },

    served(line) {
      const { waiter, weight } = firstOf(line);
      line.deficit -= weight;
      leave(line, waiter);
    },
  };
}

/** @returns a name that is unique to the partition. */
export function partitionOf({ space, key }: Pick<Charge, "space" | "key">): string {
  return JSON.stringify([space, key]);
}

/** The first waiter of a line. A line is never empty. */
export function firstOf<Waiter>({ places }: Line<Waiter>): Place<Waiter> {
  return places[0] as Place<Waiter>;
}

function firstWeightOf<Waiter>(line: Line<Waiter>): number {
  return firstOf(line).weight;
}

function weightOf({ charges }: Standing): number {
  return Math.max(1, ...charges.map(({ needs }) => needs.reduce((sum, need) => sum + need, 0)));
}
