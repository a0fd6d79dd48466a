import type { Charge } from "../core/store.ts";

/** Somebody who stands in a line. */
export interface Standing {
  /** The partitions that are charged. Those who are charged to the same partitions share one line. */
  readonly charges: readonly Charge[];
}

interface Place<Waiter> {
  readonly waiter: Waiter;
  /** What it takes, in units of all kinds. */
  readonly weight: number;
}

/** Those who are charged to the same partitions, first come first. */
export interface Line<Waiter> {
  /** The name of the line, which is no partition's where it has several. */
  readonly name: string;
  readonly partitions: readonly string[];
  readonly places: Place<Waiter>[];
  /** How many units it may take in this round, on top of what it has taken. */
  deficit: number;
}

/**
 * Lines that are served in turn. Within a line, the first to come is first, however much it takes. Between lines, deficit
 * round robin (Shreedhar and Varghese, 1995): each may take as many units as the others.
 */
export interface FairLines<Waiter extends Standing> {
  /** How many stand in all lines. */
  readonly size: number;
  enter(waiter: Waiter): Line<Waiter>;
  isFirst(line: Line<Waiter>, waiter: Waiter): boolean;
  leave(line: Line<Waiter>, waiter: Waiter): void;
  /** The line whose turn it is, of those that are not blocked. */
  next(isBlocked: (line: Line<Waiter>) => boolean): Line<Waiter> | undefined;
  /** The first of a line has got what it takes. */
  served(line: Line<Waiter>): void;
}

export function createFairLines<Waiter extends Standing>(): FairLines<Waiter> {
  const lines = new Map<string, Line<Waiter>>();
  let size = 0;
  /** The line whose turn it is. */
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

/** @returns a name that no other partition has. */
export function partitionOf({ space, key }: Pick<Charge, "space" | "key">): string {
  return JSON.stringify([space, key]);
}

/** Whoever is first in a line that has not ended. */
export function firstOf<Waiter>({ places }: Line<Waiter>): Place<Waiter> {
  return places[0] as Place<Waiter>;
}

function firstWeightOf<Waiter>(line: Line<Waiter>): number {
  return firstOf(line).weight;
}

function weightOf({ charges }: Standing): number {
  return Math.max(1, ...charges.map(({ needs }) => needs.reduce((sum, need) => sum + need, 0)));
}
