import { bucketMs, coarseLog } from "../../core/algorithms/coarse-log.ts";
import { endOf, first, firstAfter, keptMs, slidingWindow } from "../../core/algorithms/sliding-window.ts";
import type { Limit } from "../../core/limit.ts";
import { type Accounts, blankRow } from "./accounts.ts";
import type { KeyHash } from "./key-hash.ts";
import type { PlannedGroup } from "./kinds.ts";
import { noRow } from "./rows.ts";

/** One layer with a coarse log in the current decision. */
interface CoarseLane {
  group: PlannedGroup;
  readonly key: KeyHash;
  /** The index of its reading. */
  start: number;
  /** `noRow` if it has none. */
  row: number;
  numbers: Float64Array;
  at: number;
  /** The index of the oldest entry in the window. */
  oldest: number;
}

/** Up to this number of entries that have left the window, looking at each is faster than a binary search. */
const fewEntries = 8;

/**
 * The layers of a plain decision that have one limit with a coarse log. Its state stays a row, as on the general path.
 * Most requests fall into the bucket of the one before: they are charged by one addition. All others are charged by the
 * algorithm itself.
 */
export class CoarseLanes {
  readonly #accounts: Accounts;
  readonly #lanes: CoarseLane[] = [];
  /** The value of the rows' `moves` when all rows were found. */
  #foundAt = 0;
  /** All lanes before this one have been charged. */
  #charged = 0;
  used = 0;

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  add(group: PlannedGroup, key: KeyHash, start: number): void {
    let lane = this.#lanes[this.used];
    if (lane === undefined) {
      lane = { group, key: { high: 0, low: 0 }, start, row: noRow, numbers: blankRow, at: 0, oldest: 0 };
      this.#lanes[this.used] = lane;
    }
    lane.group = group;
    lane.key.high = key.high;
    lane.key.low = key.low;
    lane.start = start;
    this.used += 1;
  }

  /** Finds the row of every lane. @returns how many rows a charge would add; -1 if the general path has to decide */
  find(now: number): number {
    const accounts = this.#accounts;
    const { rows } = accounts;
    let added = 0;
    this.#foundAt = rows.moves;
    this.#charged = 0;
    for (let n = 0; n < this.used; n += 1) {
      const lane = this.#lanes[n] as CoarseLane;
      const { kind } = lane.group;
      lane.row = accounts.at(lane.key.high ^ kind.high, lane.key.low ^ kind.low);
      if (lane.row === noRow) {
        // A caller that other limits have counted starts with their state.
        if (accounts.kinds.matesOf(kind).length > 0) return -1;
        lane.numbers = blankRow;
        lane.at = 0;
        added += 1;
        continue;
      }
      accounts.show(lane.row);
      lane.numbers = rows.numbers;
      lane.at = rows.at;
      const end = endOf(lane.numbers, lane.at);
      if (end > lane.at + first && (lane.numbers[end - 2] as number) > now) return -1;
    }
    return added;
  }

  /** Reads every limit. @returns whether one more request is free under each */
  read(now: number, into: number[]): boolean {
    let isFree = true;
    for (let n = 0; n < this.used; n += 1) {
      const lane = this.#lanes[n] as CoarseLane;
      lane.oldest = oldestIn(lane, now);
      if (!readInto(lane, now, into)) isFree = false;
    }
    return isFree;
  }

  /** Charges one request to each lane whose reading is before `upTo`, and updates these readings. */
  charge(now: number, into: number[], upTo: number): void {
    const { rows } = this.#accounts;
    for (; this.#charged < this.used; this.#charged += 1) {
      const lane = this.#lanes[this.#charged] as CoarseLane;
      if (lane.start >= upTo) return;
      if (lane.row === noRow || rows.moves !== this.#foundAt || !addTo(lane, now))
        this.#chargeSlowly(lane, now, into);
      else readInto(lane, now, into);
    }
  }

  #chargeSlowly({ group, key, start }: CoarseLane, now: number, into: number[]): void {
    const accounts = this.#accounts;
    const { rows } = accounts;
    const { limits } = group;
    const row = accounts.open(group, key, now);
    accounts.show(row);
    accounts.makeRoom(row, group.kind, limits, key, now);
    coarseLog.charge(rows.numbers, rows.at, limits, now, 1);
    slidingWindow.read(rows.numbers, rows.at, limits[0] as Limit, now, into, start);
  }
}

/** The first entry in the window; the log's end if there is none. */
function oldestIn({ group, numbers, at }: CoarseLane, now: number): number {
  const after = now - (group.windows[0] as number);
  const end = endOf(numbers, at);
  let index = at + first;
  for (let looks = 0; looks < fewEntries; looks += 1, index += 2) {
    if (index === end || (numbers[index] as number) > after) return index;
  }
  return firstAfter(numbers, at, end, after, end);
}

/** Reads one limit. @returns whether one more request is free */
function readInto({ group, numbers, at, start, oldest }: CoarseLane, now: number, into: number[]): boolean {
  const quota = group.quotas[0] as number;
  const end = endOf(numbers, at);
  const free = quota - ((numbers[end - 1] as number) - (numbers[oldest - 1] as number));
  into[start] = free > 0 ? free : 0;
  if (free < 0) slidingWindow.read(numbers, at, group.limits[0] as Limit, now, into, start);
  else
    into[start + 1] = oldest === end ? 0 : (numbers[oldest] as number) + (group.windows[0] as number) - now;
  return free > 0;
}

/** Adds one request to the newest bucket. @returns `false` if the request needs a bucket of its own */
function addTo({ group, numbers, at }: CoarseLane, now: number): boolean {
  const end = endOf(numbers, at);
  if (end === at + first) return false;
  const windowMs = group.windows[0] as number;
  const length = bucketMs(windowMs);
  const newest = numbers[end - 2] as number;
  if (Math.floor(newest / length) !== Math.floor(now / length)) return false;
  numbers[at + keptMs] = windowMs;
  numbers[end - 2] = now;
  numbers[end - 1] = (numbers[end - 1] as number) + 1;
  return true;
}
