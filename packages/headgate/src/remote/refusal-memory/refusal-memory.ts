import type { Limit } from "../../core/limit.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import { blocked, type Override } from "../../core/override.ts";
import type { Charge, Outcome, Reading } from "../../core/store.ts";
import { PartitionMap } from "./partition-map.ts";

/** An answer is used for no longer than this: so stale may a refusal be, where others gave something back. */
export const staleAfterMs = 1000;
/** A refusal until holders end is used for no longer than this: they may end at any time. */
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
  /** When it was asked, by the limiter's clock: what is remembered is at least as new. */
  readonly askedAt: number;
  /** When it was answered: waits are counted from here, so that no reported wait is too short. */
  readonly answeredAt: number;
  /** The store's time of the answer. */
  readonly storeNow: number;
  readonly storeOrder: number | undefined;
  readonly longestWaitMs: number;
  /** Where the partition is blocked: by what, and for how long from when it was asked. */
  readonly block: Override | undefined;
  readonly blockedMs: number;
  /** For how long the answer is used. */
  readonly staleAfterMs: number;
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
   * - `outcome` is the refusal as of now; `places` says for which charges, if not for all.
   * - For a partition that was refused for longer than an answer may be used: pass the call that asks anew to `ask`;
   *   requests that come meanwhile get `wait`, and wait for that call.
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
  const memory = new PartitionMap<Remembered>();

  function findOf({ space, key, limits }: Charge): Remembered | undefined {
    const one = memory.get(space, key);
    return one?.limits === limits ? one : undefined;
  }

  /** All that is known of a request, where it is known to be refused and nothing has to be asked for that. */
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
      // Refused for its own sake: others are not.
      if (refused.refusedFor !== undefined && refused.refusedFor !== "blocked") return;
      charges.forEach(({ space, key, limits, needs }, c) => {
        const before = memory.get(space, key);
        // Answers may overtake each other.
        if (before !== undefined && before.askedAt > askedAt) return;
        const readings = refused.readings[c] ?? [];
        const block = blockOf(refused.overrides?.[c]);
        const blockedMs = block === undefined ? 0 : block.until - refused.now;
        const longestWaitMs = Math.max(blockedMs, ...readings.map(({ waitMs }) => waitMs));
        // A cost above the quota says nothing of other requests.
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

/** Whether the wait of each limit is known for what is asked now. */
function isAnswered(one: Remembered, { limits, needs }: Charge): boolean {
  for (let l = 0; l < one.readings.length; l += 1) {
    const g = limits.groupOf[l] as number;
    const need = needs[g] as number;
    if (need === one.needs[g] || need > (limits.limits[l] as Limit).quota) continue;
    if (need > (one.readings[l] as Reading).remaining) return false;
  }
  return true;
}

/** Of a limit for which it is known; by the time of the answer. */
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

/** One list for all, as every refusal of a flood has it. */
const noMarks: Outcome["marks"] = [];

/** A refusal as of now. In a flood most are never looked at: its readings are computed when somebody reads them. */
class RememberedOutcome implements Outcome {
  readonly admitted = false;
  readonly marks = noMarks;
  readonly refusedFor?: "blocked";
  readonly overrides?: readonly (Override | undefined)[];
  readonly #remembered: readonly Remembered[];
  readonly #charges: readonly Charge[];
  readonly #asOf: number;

  /** @param charges what is asked now, one for one. */
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
