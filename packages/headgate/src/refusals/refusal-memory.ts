import type { LimitSet } from "../core/limit-set.ts";
import type { Charge, Outcome, Reading } from "../core/store.ts";

/** An answer is used for no longer than this: so stale may a refusal be, where others gave something back. */
export const staleAfterMs = 1000;
/** Partitions remembered by default. */
export const defaultMost = 10_000;
/**
 * From so many refused calls a second on, whoever asks for a refused partition is refused without a call, even where
 * other layers of the same request are not known: told is then the wait that is known, which may be too short.
 */
const floodedFrom = 8;

interface Remembered {
  readonly limits: LimitSet;
  readonly needs: readonly number[];
  readonly readings: readonly Reading[];
  /** When it was asked, by the limiter's clock: what is remembered is at least as new. */
  readonly askedAt: number;
  /** When it was answered: waits are reckoned from here, so that none is told too short. */
  readonly answeredAt: number;
  /** The store's time of the answer. */
  readonly storeNow: number;
  readonly longestWaitMs: number;
  /** How many refused calls there were since `floodSince`. */
  readonly calls: number;
  readonly floodSince: number;
  /** Under way: a call that asks anew. Resolves with whether it was answered. */
  asking: Promise<boolean> | undefined;
}

/** What is known of a request: its answer, whom to wait for, or on whose behalf to ask. */
export type Known =
  | { readonly outcome: Outcome; readonly places: readonly number[] | undefined }
  | { readonly wait: Promise<boolean> }
  | { readonly ask: (answered: Promise<boolean>) => void };

/** Remembers what a store refused. Holds nothing that could admit anybody: to forget costs a call, and no more. */
export interface RefusalMemory {
  /**
   * Whether this request is sure to be refused. `undefined` where nothing is known of it.
   *
   * - `outcome` is the refusal as it stands now; `places` says for which charges, where not for all.
   * - A partition that was refused for longer than an answer may be used: `ask` is to be told of the call that asks
   *   anew, and whoever comes meanwhile is told to `wait` for it.
   */
  find(charges: readonly Charge[], now: number): Known | undefined;
  /** @param askedAt when the call was made, by the limiter's clock. */
  remember(charges: readonly Charge[], refused: Outcome, askedAt: number, answeredAt: number): void;
  /** The store admitted these after all: others gave something back. */
  contradict(charges: readonly Charge[], now: number): void;
  /** For when this process gave something back to these partitions. */
  forget(partitions: readonly { readonly space: string; readonly key: string }[]): void;
  readonly size: number;
}

/** @param most how many partitions are remembered at most. The oldest go first. */
export function createRefusalMemory(most: number = defaultMost): RefusalMemory {
  const memory = new Map<string, Remembered>();

  function findOf({ space, key, limits }: Charge): Remembered | undefined {
    const one = memory.get(idOf(space, key));
    return one?.limits === limits ? one : undefined;
  }

  return {
    get size() {
      return memory.size;
    },

    find(charges, now) {
      if (memory.size === 0) return undefined;
      const all = charges.map(findOf);
      const fresh = all.map((one) =>
        one !== undefined && now - one.askedAt < staleAfterMs ? one : undefined,
      );
      const refusing = charges.filter((charge, c) => refuses(fresh[c], charge, now));

      if (refusing.length > 0) {
        const exact = charges.every((charge, c) => fresh[c] !== undefined && asksTheSame(fresh[c], charge));
        if (exact) return { outcome: outcomeOf(fresh as Remembered[], now), places: undefined };
        const flooded = charges.flatMap((charge, c) => {
          const one = fresh[c];
          return one !== undefined && one.calls >= floodedFrom && refuses(one, charge, now) ? [c] : [];
        });
        if (flooded.length > 0) {
          return {
            outcome: outcomeOf(
              flooded.map((c) => fresh[c] as Remembered),
              now,
            ),
            places: flooded,
          };
        }
        return undefined;
      }

      const stale = charges.findIndex((charge, c) => refuses(all[c], charge, now));
      const one = all[stale];
      if (one === undefined) return undefined;
      if (one.asking !== undefined) return { wait: one.asking };
      return {
        ask(answered) {
          one.asking = answered;
          void answered.then(() => {
            one.asking = undefined;
          });
        },
      };
    },

    remember(charges, refused, askedAt, answeredAt) {
      charges.forEach(({ space, key, limits, needs }, c) => {
        const id = idOf(space, key);
        const before = memory.get(id);
        // Answers may overtake each other.
        if (before !== undefined && before.askedAt > askedAt) return;
        const readings = refused.readings[c] ?? [];
        const longestWaitMs = Math.max(0, ...readings.map(({ waitMs }) => waitMs));
        const flood =
          before !== undefined && askedAt - before.floodSince < staleAfterMs
            ? { calls: before.calls + 1, floodSince: before.floodSince }
            : { calls: 1, floodSince: askedAt };
        memory.delete(id);
        memory.set(id, {
          limits,
          needs,
          readings,
          askedAt,
          answeredAt,
          storeNow: refused.now,
          longestWaitMs,
          ...flood,
          asking: undefined,
        });
      });
      for (const id of memory.keys()) {
        if (memory.size <= most) break;
        memory.delete(id);
      }
    },

    contradict(charges, now) {
      if (memory.size === 0) return;
      for (const charge of charges) {
        if (refuses(findOf(charge), charge, now)) memory.delete(idOf(charge.space, charge.key));
      }
    },

    forget(partitions) {
      if (memory.size === 0) return;
      for (const { space, key } of partitions) memory.delete(idOf(space, key));
    },
  };
}

function idOf(space: string, key: string): string {
  return `${space}\u0000${key}`;
}

function asksTheSame(one: Remembered | undefined, { needs }: Charge): boolean {
  return one?.needs.every((need, g) => need === needs[g]) ?? false;
}

/** Whether one of its limits is sure to refuse: it refused as much or less, and its wait is not over. */
function refuses(one: Remembered | undefined, charge: Charge, now: number): boolean {
  if (one === undefined || one.askedAt + one.longestWaitMs <= now) return false;
  return one.readings.some(({ waitMs }, l) => {
    const g = charge.limits.groupOf[l] as number;
    const need = charge.needs[g] as number;
    return need > 0 && need >= (one.needs[g] as number) && one.askedAt + waitMs > now;
  });
}

function outcomeOf(remembered: readonly Remembered[], now: number): Outcome {
  const first = remembered[0] as Remembered;
  return {
    admitted: false,
    now: first.storeNow + (now - first.answeredAt),
    readings: remembered.map((one) => one.readings.map((reading) => later(reading, now - one.answeredAt))),
    marks: [],
  };
}

function later({ remaining, waitMs, resetMs }: Reading, elapsedMs: number): Reading {
  return {
    remaining,
    waitMs: Math.max(0, waitMs - elapsedMs),
    resetMs: resetMs === 0 ? 0 : Math.max(1, resetMs - elapsedMs),
  };
}
