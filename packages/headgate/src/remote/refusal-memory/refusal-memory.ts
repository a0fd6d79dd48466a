import type { Limit } from "../../core/limit.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import { blocked, type Override } from "../../core/override.ts";
import type { Charge, Outcome, Reading } from "../../core/store.ts";
import { PartitionMap } from "./partition-map.ts";

/** An answer is used for at most this long, ms. If others give units back, a refusal can be stale for this long. */
export const staleAfterMs = 1000;
/** A refusal that waits for holders to end is used for at most this long, ms: they may end at any time. */
const staleForHoldersAfterMs = 200;
/** Partitions remembered by default. */
export const defaultMost = 10_000;
/**
 * Above this many refused calls a second per partition, requests for the partition are refused without a call, even if
 * other layers of the same request are not known: the wait is then the longest of the known ones, and may be too short.
 */
const floodedFrom = 8;

interface Remembered {
  readonly limits: LimitSet;
  readonly needs: readonly number[];
  readonly readings: readonly Reading[];
  /** When the store was asked, by the limiter's clock: the answer is at least as new. */
  readonly askedAt: number;
  /** When the store answered. Waits are counted from here, so that a reported wait is never too short. */
  readonly answeredAt: number;
  /** The store's time of the answer. */
  readonly storeNow: number;
  readonly storeOrder: number | undefined;
  readonly longestWaitMs: number;
  /** If the partition is blocked: by what, and for how long after `askedAt`. */
  readonly block: Override | undefined;
  readonly blockedMs: number;
  /** For how long the answer is used. */
  readonly staleAfterMs: number;
  /** How many refused calls there were since `floodSince`. */
  readonly calls: number;
  readonly floodSince: number;
  /** A call under way that asks the store again. Resolves with whether it was answered. */
  asking: Promise<boolean> | undefined;
}

/** What is known of a request: its answer, whom to wait for, or on whose behalf to ask. */
export type Known =
  | { readonly outcome: Outcome; readonly places: readonly number[] | undefined }
  | { readonly wait: Promise<boolean> }
  | { readonly ask: (answered: Promise<boolean>) => void };

/** Remembers what a store refused. It can never admit a request, so forgetting an entry only costs one more call. */
export interface RefusalMemory {
  /**
   * Whether this request is sure to be refused. `undefined` if nothing is known about it.
   *
   * - `outcome` is the refusal as of now; `places` says for which charges, if not for all.
   * - If the partition has been refused for longer than an answer may be used, pass the call that asks again to `ask`.
   *   Requests that arrive meanwhile get `wait`, and wait for that call.
   */
  find(charges: readonly Charge[], now: number): Known | undefined;
  /** @param askedAt when the call was made, by the limiter's clock. */
  remember(charges: readonly Charge[], refused: Outcome, askedAt: number, answeredAt: number): void;
  /** The store has admitted these charges, because others gave units back. */
  contradict(charges: readonly Charge[], now: number): void;
  /** Call this after this process has given units back to these partitions. */
  forget(partitions: readonly { readonly space: string; readonly key: string }[]): void;
  readonly size: number;
}

/** @param most the maximum number of partitions remembered. The oldest go first. */
export function createRefusalMemory(most: number = defaultMost): RefusalMemory {
  const memory = new PartitionMap<Remembered>();

  function findOf({ space, key, limits }: Charge): Remembered | undefined {
    const one = memory.get(space, key);
    return one?.limits === limits ? one : undefined;
  }

  /** Everything known about a request, if it is sure to be refused without asking the store. */
  function findWhole(charges: readonly Charge[], now: number): Remembered[] | undefined {
    let isRefused = false;
    let all: Remembered[] | undefined;
    for (let c = 0; c < charges.length; c += 1) {
      const charge = charges[c] as Charge;
      const one = findOf(charge);
      if (one === undefined || !isFresh(one, now) || !isAnswered(one, charge)) return undefined;
      isRefused = isRefused || refuses(one, charge, now);
      all ??= [];
      all.push(one);
    }
    return isRefused ? all : undefined;
  }

  return {
    get size() {
      return memory.size;
    },

    find(charges, now) {
      if (memory.size === 0) return undefined;
      const whole = findWhole(charges, now);
      if (whole !== undefined) {
        return { outcome: new RememberedOutcome(whole, charges, now), places: undefined };
      }

      const all = charges.map(findOf);
      const isSure = (one: Remembered | undefined, c: number): one is Remembered =>
        one !== undefined && isFresh(one, now) && refuses(one, charges[c] as Charge, now);
      if (all.some(isSure)) {
        const places = all.flatMap((one, c) =>
          isSure(one, c) && isAnswered(one, charges[c] as Charge) ? [c] : [],
        );
        const known = places.map((c) => all[c] as Remembered);
        if (!known.some(({ calls }) => calls >= floodedFrom)) return undefined;
        const asked = places.map((c) => charges[c] as Charge);
        return { outcome: new RememberedOutcome(known, asked, now), places };
      }

      const one = all.find((known, c) => refuses(known, charges[c] as Charge, now));
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
      // It may be admitted in a moment.
      if (refused.contended) return;
      // The reason concerns this request only: other requests are not affected.
      if (refused.refusedFor !== undefined && refused.refusedFor !== "blocked") return;
      charges.forEach(({ space, key, limits, needs }, c) => {
        const before = memory.get(space, key);
        // Answers may arrive out of order.
        if (before !== undefined && before.askedAt > askedAt) return;
        const readings = refused.readings[c] ?? [];
        const block = blockOf(refused.overrides?.[c]);
        const blockedMs = block === undefined ? 0 : block.until - refused.now;
        const longestWaitMs = Math.max(blockedMs, ...readings.map(({ waitMs }) => waitMs));
        // A cost above the quota does not affect other requests.
        if (longestWaitMs === Number.POSITIVE_INFINITY && block === undefined) return;
        const flood =
          before !== undefined && askedAt - before.floodSince < staleAfterMs
            ? { calls: before.calls + 1, floodSince: before.floodSince }
            : { calls: 1, floodSince: askedAt };
        memory.setNewest(space, key, {
          limits,
          needs,
          readings,
          askedAt,
          answeredAt,
          storeNow: refused.now,
          storeOrder: refused.order,
          longestWaitMs,
          block,
          blockedMs,
          staleAfterMs: readings.some(({ holders }) => holders) ? staleForHoldersAfterMs : staleAfterMs,
          ...flood,
          asking: undefined,
        });
      });
      while (memory.size > most) memory.deleteOldest(({ askedAt: at }) => at);
    },

    contradict(charges, now) {
      if (memory.size === 0) return;
      for (const charge of charges) {
        if (refuses(findOf(charge), charge, now)) memory.delete(charge.space, charge.key);
      }
    },

    forget(partitions) {
      if (memory.size === 0) return;
      for (const { space, key } of partitions) memory.delete(space, key);
    },
  };
}

function isFresh({ askedAt, staleAfterMs: longestMs }: Remembered, now: number): boolean {
  return now - askedAt < longestMs;
}

/** Whether the wait of each limit is known for this request. */
function isAnswered(one: Remembered, { limits, needs }: Charge): boolean {
  for (let l = 0; l < one.readings.length; l += 1) {
    const g = limits.groupOf[l] as number;
    const need = needs[g] as number;
    if (need === one.needs[g] || need > (limits.limits[l] as Limit).quota) continue;
    if (need > (one.readings[l] as Reading).remaining) return false;
  }
  return true;
}

/** For a limit with a known wait; by the time of the answer. */
function waitOf(one: Remembered, { limits, needs }: Charge, l: number): number {
  const g = limits.groupOf[l] as number;
  const need = needs[g] as number;
  if (need > (limits.limits[l] as Limit).quota) return Number.POSITIVE_INFINITY;
  return need === one.needs[g] ? (one.readings[l] as Reading).waitMs : 0;
}

function blockOf(override: Override | undefined): Override | undefined {
  return override?.limits === blocked ? override : undefined;
}

/** Whether it is blocked, or one of its limits is sure to refuse: it refused as much or less, and its wait is not over. */
function refuses(one: Remembered | undefined, { limits, needs }: Charge, now: number): boolean {
  if (one === undefined || one.askedAt + one.longestWaitMs <= now) return false;
  if (one.askedAt + one.blockedMs > now) return true;
  for (let l = 0; l < one.readings.length; l += 1) {
    const g = limits.groupOf[l] as number;
    const need = needs[g] as number;
    const { waitMs } = one.readings[l] as Reading;
    if (need > 0 && need >= (one.needs[g] as number) && one.askedAt + waitMs > now) return true;
  }
  return false;
}

/** One shared list, because every refusal of a flood uses it. */
const noMarks: Outcome["marks"] = [];

/** A refusal as of now. In a flood most refusals are never inspected, so the readings are computed only when they are read. */
class RememberedOutcome implements Outcome {
  readonly admitted = false;
  readonly marks = noMarks;
  readonly refusedFor?: "blocked";
  readonly overrides?: readonly (Override | undefined)[];
  readonly #remembered: readonly Remembered[];
  readonly #charges: readonly Charge[];
  readonly #asOf: number;

  /** @param charges the charges of this request, in the same order. */
  constructor(remembered: readonly Remembered[], charges: readonly Charge[], asOf: number) {
    this.#remembered = remembered;
    this.#charges = charges;
    this.#asOf = asOf;
    if (remembered.some(({ askedAt, blockedMs }) => askedAt + blockedMs > asOf)) {
      this.refusedFor = "blocked";
      this.overrides = remembered.map(({ block }) => block);
    }
  }

  get now(): number {
    const { storeNow, answeredAt } = this.#remembered[0] as Remembered;
    return storeNow + (this.#asOf - answeredAt);
  }

  /** The newest answer that is sure to refuse. */
  get asOf(): { now: number; order: number | undefined } {
    const sure = this.#remembered.filter((one, c) => refuses(one, this.#charges[c] as Charge, this.#asOf));
    const { storeNow, storeOrder } = (sure.at(-1) ?? this.#remembered[0]) as Remembered;
    return { now: storeNow, order: storeOrder };
  }

  get readings(): Reading[][] {
    return this.#remembered.map((one, c) => {
      const elapsedMs = this.#asOf - one.answeredAt;
      const charge = this.#charges[c] as Charge;
      return one.readings.map((reading, l) => later(reading, waitOf(one, charge, l), elapsedMs));
    });
  }
}

function later({ remaining, resetMs, holders }: Reading, waitMs: number, elapsedMs: number): Reading {
  return {
    ...(holders === true && waitMs > 0 ? { holders } : {}),
    remaining,
    waitMs: Math.max(0, waitMs - elapsedMs),
    resetMs: resetMs === 0 ? 0 : Math.max(1, resetMs - elapsedMs),
  };
}
