import { type Cost, spentOf } from "../core/cost.ts";
import { isCoarse, type Limit } from "../core/limit.ts";

/** One layer for the oracle: a partition and its limits. */
export interface OracleCharge {
  readonly space: string;
  readonly key: string;
  readonly limits: readonly Limit[];
}

export interface OracleReading {
  readonly remaining: number;
  readonly waitMs: number;
  readonly resetMs: number;
}

export interface OracleDecision {
  readonly admitted: boolean;
  /** For each charge, the readings of its limits. */
  readonly readings: readonly (readonly OracleReading[])[];
  /** What was spent, for `settle`; empty if the request was refused. */
  readonly spendings: OracleSpending[];
}

export interface OracleSpending {
  readonly at: number;
  readonly space: string;
  readonly key: string;
  readonly unit: string;
  amount: number;
}

export interface Oracle {
  /** Decides by the definitions of the algorithms. With `peek`, charges nothing. */
  decide(charges: readonly OracleCharge[], cost: Cost, now: number, peek?: boolean): OracleDecision;
  /** Spends without checking the quota. */
  spend(partition: Pick<OracleCharge, "space" | "key">, unit: string, amount: number, now: number): void;
  /** Changes the cost of an admitted request to `actual`, as `Admitted.end` does. */
  settle(charges: readonly OracleCharge[], decision: OracleDecision, actual: Cost, now: number): void;
  /** Reads the current state of every limit. */
  read(charges: readonly OracleCharge[], now: number): OracleReading[][];
  /** Returns the maximum of units that a partition ever spent within one window of this limit. */
  worst(charge: OracleCharge, limit: Limit): number;
}

/**
 * Creates an oracle that decides by brute force from the definitions of the algorithms: it keeps everything that was
 * ever spent, and counts it again for each decision. It is slow and simple, so that stores and algorithms can be tested
 * against it.
 */
export function oracle(): Oracle {
  const spent: OracleSpending[] = [];
  /** All charges, including those that were refunded later: the entry of a coarse log keeps its stamp. */
  const charged: Omit<OracleSpending, "amount">[] = [];

  function of<Item extends Omit<OracleSpending, "amount">>(
    items: readonly Item[],
    { space, key }: OracleCharge,
    unit: string,
  ): Item[] {
    return items.filter((one) => one.space === space && one.key === key && one.unit === unit);
  }

  function freeOf(charge: OracleCharge, limit: Limit, at: number): number {
    const mine = of(spent, charge, limit.unit).filter(({ amount }) => amount > 0);
    if (!isCoarse(limit)) return freeAt(mine, asCounted(charge, limit), at);
    const stamps = of(charged, charge, limit.unit).map((one) => one.at);
    return freeAt(stampedByBucket(mine, stamps, limit.windowMs), limit, at);
  }

  function fits(charge: OracleCharge, limit: Limit, at: number, need: number): boolean {
    return need <= freeOf(charge, limit, at);
  }

  function waitOf(charge: OracleCharge, limit: Limit, now: number, need: number): number {
    if (need > limit.quota) return Number.POSITIVE_INFINITY;
    if (need === 0) return 0;
    return firstMoment((t) => fits(charge, limit, now + t, need));
  }

  function readingOf(charge: OracleCharge, limit: Limit, now: number, waitMs: number): OracleReading {
    const remaining = Math.max(0, freeOf(charge, limit, now));
    const resetMs =
      remaining === limit.quota ? 0 : firstMoment((t) => fits(charge, limit, now + t, remaining + 1));
    return { remaining, waitMs, resetMs };
  }

  return {
    decide(charges, cost, now, peek = false) {
      const needOf = (unit: string) => (Object.hasOwn(cost, unit) ? (cost[unit] ?? 0) : 1);
      const waits = charges.map((charge) =>
        charge.limits.map((limit) => waitOf(charge, limit, now, needOf(limit.unit))),
      );
      const admitted = waits.every((each) => each.every((wait) => wait === 0));
      const spendings: OracleSpending[] = [];
      if (admitted && !peek) {
        for (const { space, key, limits } of charges) {
          for (const unit of new Set(limits.map((limit) => limit.unit))) {
            spendings.push({ at: now, space, key, unit, amount: spentOf(cost, unit) });
          }
        }
        spent.push(...spendings);
        charged.push(...spendings.filter(({ amount }) => amount > 0));
      }
      const readings = charges.map((charge, c) =>
        charge.limits.map((limit, l) => readingOf(charge, limit, now, admitted ? 0 : (waits[c]?.[l] ?? 0))),
      );
      return { admitted, readings, spendings };
    },

    spend({ space, key }, unit, amount, now) {
      spent.push({ at: now, space, key, unit, amount });
    },

    settle(_charges, { spendings }, actual, now) {
      const places = new Map<string, OracleSpending[]>();
      for (const one of spendings) {
        const place = JSON.stringify([one.space, one.key, one.unit]);
        places.set(place, [...(places.get(place) ?? []), one]);
      }
      for (const mine of places.values()) {
        const first = mine[0];
        if (first === undefined || !Object.hasOwn(actual, first.unit)) continue;
        let change = (actual[first.unit] ?? 0) - mine.reduce((sum, one) => sum + one.amount, 0);
        if (change > 0) {
          const more = { ...first, at: now, amount: change };
          spent.push(more);
          charged.push(more);
          spendings.push(more);
          continue;
        }
        for (const one of mine.toReversed()) {
          const given = Math.min(one.amount, -change);
          one.amount -= given;
          change += given;
        }
      }
    },

    read(charges, now) {
      return charges.map((charge) => charge.limits.map((limit) => readingOf(charge, limit, now, 0)));
    },

    worst(charge, limit) {
      const mine = of(spent, charge, limit.unit);
      const { windowMs } = asCounted(charge, limit);
      return Math.max(0, ...mine.map(({ at }) => sumWithin(mine, at - windowMs, at)));
    },
  };
}

/** Sets the lease of a concurrent limit: a reservation has one lease in each partition, the shortest of its limits. */
function asCounted({ limits }: OracleCharge, limit: Limit): Limit {
  if (limit.algorithm !== "concurrent") return limit;
  const leases = limits.filter(({ algorithm }) => algorithm === "concurrent");
  return { ...limit, windowMs: Math.min(...leases.map(({ windowMs }) => windowMs)) };
}

/** As in a coarse log, gives all spending in one 240th of the window the newest stamp in it. */
function stampedByBucket(
  mine: readonly OracleSpending[],
  stamps: readonly number[],
  windowMs: number,
): OracleSpending[] {
  const bucketOf = (at: number) => Math.floor(at / Math.ceil(windowMs / 240));
  const newest = new Map<number, number>();
  for (const at of stamps) newest.set(bucketOf(at), Math.max(at, newest.get(bucketOf(at)) ?? at));
  return mine.map((one) => ({ ...one, at: newest.get(bucketOf(one.at)) ?? one.at }));
}

/** Returns how many units of `limit` are free at this moment; negative in debt. */
export function freeAt(mine: readonly OracleSpending[], limit: Limit, at: number): number {
  switch (limit.algorithm) {
    case "concurrent": // Without heartbeats, a held place acts like spending that leaves its window.
    case "sliding-window":
      return limit.quota - sumWithin(mine, at - limit.windowMs, at);
    case "fixed-window":
      return (
        limit.quota - (limit.from === "first-use" ? inOwnWindow(mine, limit, at) : inWindow(mine, limit, at))
      );
    case "sliding-counter":
      return freeByCounter(mine, limit, at);
    case "token-bucket":
      return freeInBucket(mine, limit, at);
  }
}

function inWindow(mine: readonly OracleSpending[], limit: Limit, at: number): number {
  const window = windowName(limit, at);
  return mine.reduce((sum, one) => (windowName(limit, one.at) === window ? sum + one.amount : sum), 0);
}

function inOwnWindow(mine: readonly OracleSpending[], limit: Limit, at: number): number {
  let end = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const one of mine) {
    if (one.at >= end) {
      end = one.at + limit.windowMs;
      count = 0;
    }
    count += one.amount;
  }
  return at < end ? count : 0;
}

function freeByCounter(mine: readonly OracleSpending[], { quota, windowMs }: Limit, at: number): number {
  const step = Math.floor(at / windowMs);
  const sumOf = (wanted: number) =>
    mine.reduce((sum, one) => (Math.floor(one.at / windowMs) === wanted ? sum + one.amount : sum), 0);
  const left = BigInt((step + 1) * windowMs - at);
  const counted = BigInt(sumOf(step)) * BigInt(windowMs) + BigInt(sumOf(step - 1)) * left;
  return floorDivide(BigInt(quota) * BigInt(windowMs) - counted, BigInt(windowMs));
}

/**
 * Fills and drains the bucket again from the start, in whole numbers that cannot round: one unit is `windowMs`, and
 * each ms drains `quota`.
 */
function freeInBucket(mine: readonly OracleSpending[], limit: Limit, at: number): number {
  let level = 0n;
  let since = 0;
  for (const one of mine.toSorted((a, b) => a.at - b.at)) {
    level = drained(level, limit, one.at - since) + BigInt(one.amount) * BigInt(limit.windowMs);
    since = one.at;
  }
  const capacity = BigInt(limit.quota) * BigInt(limit.windowMs);
  return floorDivide(capacity - drained(level, limit, at - since), BigInt(limit.windowMs));
}

function floorDivide(amount: bigint, by: bigint): number {
  return Number(amount >= 0n ? amount / by : -((-amount + by - 1n) / by));
}

function drained(level: bigint, limit: Limit, ms: number): bigint {
  const left = level - BigInt(ms) * BigInt(limit.quota);
  return left > 0n ? left : 0n;
}

function sumWithin(mine: readonly OracleSpending[], after: number, until: number): number {
  return mine.reduce((sum, one) => (one.at > after && one.at <= until ? sum + one.amount : sum), 0);
}

const dateFormats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(timeZone: string): Intl.DateTimeFormat {
  const format = dateFormats.get(timeZone) ?? new Intl.DateTimeFormat("sv-SE", { timeZone });
  dateFormats.set(timeZone, format);
  return format;
}

/** Returns a name for the calendar window of a moment. Two moments are in the same window if their names are equal. */
function windowName({ calendar, timeZone = "UTC", windowMs }: Limit, at: number): string | number {
  if (calendar === undefined) return Math.floor(at / windowMs);
  const [date = ""] = dateFormat(timeZone).format(at).split(" ");
  if (calendar === "year") return date.slice(0, 4);
  if (calendar === "month") return date.slice(0, 7);
  if (calendar === "day") return date;
  // 1970-01-05 was a Monday.
  return Math.floor((Date.parse(date) - Date.UTC(1970, 0, 5)) / (7 * 24 * 3_600_000));
}

/** Returns the first whole millisecond at which a condition becomes true. The condition must stay true afterwards. */
function firstMoment(holds: (t: number) => boolean): number {
  if (holds(0)) return 0;
  let high = 1;
  while (!holds(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
