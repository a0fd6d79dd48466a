import type { Charge } from "../../core/store.ts";
import type { Accounts } from "./accounts.ts";
import { CoarseLanes } from "./coarse-lanes.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";
import type { Plan, PlannedGroup } from "./kinds.ts";
import { readingLength, waitPlace } from "./outcome.ts";
import {
  bitsOf,
  chunkOf,
  cursorsPlace,
  eraMs,
  eraOf,
  headPlace,
  isRing,
  mostBits,
  mostEras,
  mostWindows,
  placeOf,
  type Shape,
  shapeNumberOf,
} from "./rings.ts";
import { noRow } from "./rows.ts";

/** One layer in the current decision. */
interface Lane {
  group: PlannedGroup;
  shape: Shape;
  /** The index of its first reading. */
  start: number;
  high: number;
  low: number;
  /** Its ring; `noRow` if it has none. */
  row: number;
  chunk: Int32Array;
  at: number;
  /** Whether it had a ring when the decision began. */
  wasThere: boolean;
  /** For each window, how many stamps have left it. */
  readonly cursors: Int32Array;
}

const nothing = new Int32Array(0);
/** Up to this number of stamps, checking each one is faster than a binary search. */
const fewStamps = 8;

/**
 * Plain requests under sliding windows, exact or coarse: one request in each layer, without holds or overrides, in a
 * store that is not full. Nearly all requests are plain, so nearly all the time for decisions is spent here. The exact
 * windows are therefore written out for the numbers of a ring, without calls to other code.
 *
 * If a request is not plain, this code stops before anything has changed. The general path then decides the request, and
 * converts the rings that it needs. Both paths decide in the same way.
 */
export class PlainPath {
  readonly #accounts: Accounts;
  readonly #lanes: Lane[] = [];
  /** The layers with a coarse log. */
  readonly #coarse: CoarseLanes;
  /** The number of lanes in the current decision. The other lanes are left over from earlier decisions. */
  #used = 0;
  #readings = 0;
  #era = 0;
  #now = 0;
  /** Milliseconds since the era began. */
  #since = 0;
  /** The start of the latest era that was seen. */
  #eraStart = 0;
  readonly key: KeyHash = { high: 0, low: 0 };
  /** Whether the current decision admits. */
  admitted = false;

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
    this.#coarse = new CoarseLanes(accounts);
  }

  /** Begins a decision. @returns whether there can be a plain one now. */
  begin(now: number): boolean {
    const { isSharing, kinds, rings } = this.#accounts;
    if (isSharing || kinds.hasMates || rings.isFull) return false;
    this.#used = 0;
    this.#coarse.used = 0;
    this.#readings = 0;
    this.#now = now;
    let since = now - this.#eraStart;
    if (!(since >= 0 && since < eraMs)) {
      const era = Math.floor(now / eraMs);
      if (!(era >= 0 && era < mostEras)) return false;
      this.#era = era;
      this.#eraStart = era * eraMs;
      since = now - this.#eraStart;
    }
    this.#since = since | 0;
    return this.#since === since;
  }

  /** Adds one request in one partition; `key` is then the hash of its key. @returns whether the request is plain. */
  add(plan: Plan, key: string): boolean {
    const { shape } = plan;
    if (shape === undefined) return plan.isCoarse && this.#addCoarse(plan, key);
    const group = plan.groups[0] as PlannedGroup;
    const { windowMs } = group.memory;
    if (windowMs > shape.keepMs) {
      if (windowMs > eraMs) return false;
      shape.keepMs = windowMs;
    }
    hashKey(key, this.key);
    const lane = this.#laneAt(this.#used, group, shape);
    lane.start = this.#readings * readingLength;
    this.#used += 1;
    this.#readings += group.quotas.length;
    lane.high = this.key.high ^ group.kind.high;
    lane.low = this.key.low ^ group.kind.low;
    return true;
  }

  #addCoarse({ groups }: Plan, key: string): boolean {
    hashKey(key, this.key);
    this.#coarse.add(groups[0] as PlannedGroup, this.key, this.#readings * readingLength);
    this.#readings += 1;
    return true;
  }

  /**
   * Decides the added requests.
   *
   * @returns the readings, as `MemoryOutcome` takes them; `undefined` if the general path has to decide. Nothing has changed then.
   */
  decide(peek: boolean): number[] | undefined {
    if (!this.#find()) return undefined;
    const into = blank(this.#readings);
    let isFree = true;
    for (let n = 0; n < this.#used; n += 1) {
      const lane = this.#lanes[n] as Lane;
      if (lane.row === noRow) readNew(lane.group, into, lane.start);
      else if (!this.#read(lane, into, lane.start)) isFree = false;
    }
    if (this.#coarse.used > 0 && !this.#coarse.read(this.#now, into)) isFree = false;
    this.admitted = isFree;
    if (isFree && !peek) this.#charge(into);
    else setWaits(into);
    return into;
  }

  #laneAt(place: number, group: PlannedGroup, shape: Shape): Lane {
    let lane = this.#lanes[place];
    if (lane === undefined) {
      const cursors = new Int32Array(mostWindows);
      lane = {
        group,
        shape,
        start: 0,
        high: 0,
        low: 0,
        row: noRow,
        chunk: nothing,
        at: 0,
        wasThere: false,
        cursors,
      };
      this.#lanes[place] = lane;
    }
    lane.group = group;
    lane.shape = shape;
    return lane;
  }

  /**
   * Finds every ring. Each step runs for all rings before the next begins, so that memory that lies far apart is fetched at
   * the same time. With many callers, waiting for memory is most of a decision.
   *
   * @returns whether all of them can be decided here.
   */
  #find(): boolean {
    const accounts = this.#accounts;
    const { chunks } = accounts.rings;
    let added = this.#coarse.used === 0 ? 0 : this.#coarse.find(this.#now);
    if (added < 0) return false;
    for (let n = 0; n < this.#used; n += 1) {
      const lane = this.#lanes[n] as Lane;
      lane.row = accounts.at(lane.high, lane.low);
    }
    for (let n = 0; n < this.#used; n += 1) {
      const lane = this.#lanes[n] as Lane;
      const { row } = lane;
      lane.wasThere = row !== noRow;
      if (row === noRow) {
        // A caller that other limits have counted starts with their state.
        if (accounts.kinds.matesOf(lane.group.kind).length > 0) return false;
        added += 1;
        continue;
      }
      if (!isRing(row)) return false;
      lane.chunk = chunks[chunkOf(row)] as Int32Array;
      lane.at = placeOf(row);
      if (!this.#isReadable(lane)) return false;
    }
    return added === 0 || accounts.hasRoomFor(added);
  }

  /** Whether the ring has the windows that the request reads and is not ahead of its clock, and whether it may grow. */
  #isReadable({ chunk, at, shape }: Lane): boolean {
    const word = chunk[at] as number;
    if (shapeNumberOf(word) !== shape.number) return false;
    const era = eraOf(word);
    if (era !== this.#era) {
      if (era > this.#era) return false;
      this.#accounts.rings.renew(chunk, at, this.#era);
    }
    const bits = bitsOf(word);
    const stamps = at + cursorsPlace + shape.windows.length;
    const mask = (1 << bits) - 1;
    const head = chunk[at + headPlace] as number;
    if ((chunk[stamps + ((head - 1) & mask)] as number) > this.#since) return false;
    return bits < mostBits || (chunk[stamps + (head & mask)] as number) <= this.#since - shape.keepMs;
  }

  /** Reads the limits of one lane. @returns whether one more request is free under each. */
  #read(lane: Lane, into: number[], start: number): boolean {
    const { chunk, at, cursors } = lane;
    const { quotas, windows } = lane.group;
    const since = this.#since;
    const count = quotas.length;
    const head = chunk[at + headPlace] as number;
    const stamps = at + cursorsPlace + count;
    const mask = (1 << bitsOf(chunk[at] as number)) - 1;
    let isFree = true;
    for (let l = 0; l < count; l += 1) {
      const after = since - (windows[l] as number);
      let cursor = chunk[at + cursorsPlace + l] as number;
      if (cursor !== head && (chunk[stamps + (cursor & mask)] as number) <= after)
        cursor = firstAfter(chunk, stamps, mask, cursor, head, after);
      cursors[l] = cursor;
      const quota = quotas[l] as number;
      const free = quota - ((head - cursor) | 0);
      const place = start + l * readingLength;
      if (free > 0) {
        into[place] = free;
        if (free < quota) into[place + 1] = (chunk[stamps + (cursor & mask)] as number) - after;
      } else {
        // In debt: nothing is free before the debt itself has left the window.
        into[place + 1] = (chunk[stamps + ((cursor - free) & mask)] as number) - after;
        isFree = false;
      }
    }
    return isFree;
  }

  /** Charges one request to each lane, and updates the readings to what is left. */
  #charge(into: number[]): void {
    const { rings } = this.#accounts;
    const { moves } = rings;
    for (let n = 0; n < this.#used; n += 1) {
      const lane = this.#lanes[n] as Lane;
      if (this.#coarse.used > 0) this.#coarse.charge(this.#now, into, lane.start);
      if (lane.row === noRow || rings.moves !== moves) this.#findAgain(lane);
      this.#put(lane);
      const { windows } = lane.group;
      for (let l = 0; l < windows.length; l += 1) {
        const place = lane.start + l * readingLength;
        into[place] = (into[place] as number) - 1;
        if (into[place + 1] === 0) into[place + 1] = windows[l] as number;
      }
    }
    if (this.#coarse.used > 0) this.#coarse.charge(this.#now, into, into.length);
  }

  /**
   * Other charges of the request may have moved the ring, or removed it because none of its stamps counted any more.
   */
  #findAgain(lane: Lane): void {
    const accounts = this.#accounts;
    const { group, shape, high, low } = lane;
    lane.row = accounts.at(high, low);
    const isNew = lane.row === noRow;
    // Even if this moves the rings of earlier lanes: they have already been charged.
    if (isNew) lane.row = accounts.openRing(group, shape, high, low, this.#eraStart + this.#since, this.#era);
    this.#point(lane);
    if (isNew || !lane.wasThere) {
      for (let l = 0; l < group.windows.length; l += 1)
        lane.cursors[l] = lane.chunk[lane.at + cursorsPlace + l] as number;
    }
  }

  #point(lane: Lane): void {
    lane.chunk = this.#accounts.rings.chunks[chunkOf(lane.row)] as Int32Array;
    lane.at = placeOf(lane.row);
  }

  #put(lane: Lane): void {
    const { windows, keepMs } = lane.shape;
    const head = lane.chunk[lane.at + headPlace] as number;
    let slot = slotOf(lane, windows.length, head);
    if ((lane.chunk[slot] as number) > this.#since - keepMs) {
      // The existing stamps still count.
      lane.row = this.#accounts.growRing(lane.row, lane.high, lane.low);
      this.#point(lane);
      slot = slotOf(lane, windows.length, head);
    }
    const { chunk, at, cursors } = lane;
    chunk[slot] = this.#since;
    chunk[at + headPlace] = head + 1;
    for (let l = 0; l < windows.length; l += 1) chunk[at + cursorsPlace + l] = cursors[l] as number;
  }
}

/** The index of the stamp with this number, or of its former place if the ring has wrapped around. */
function slotOf({ chunk, at }: Lane, count: number, index: number): number {
  return at + cursorsPlace + count + (index & ((1 << bitsOf(chunk[at] as number)) - 1));
}

function readNew({ quotas }: PlannedGroup, into: number[], start: number): void {
  for (let l = 0; l < quotas.length; l += 1) into[start + l * readingLength] = quotas[l] as number;
}

/** For used-up limits, the wait lasts until the reset. */
function setWaits(into: number[]): void {
  for (let place = 0; place < into.length; place += readingLength) {
    if (into[place] === 0) into[place + waitPlace] = into[place + 1] as number;
  }
}

/**
 * The first stamp from `cursor` on that is later than `after`; `head` if there is none. The stamp at `cursor` is not
 * later.
 */
function firstAfter(
  chunk: Int32Array,
  stamps: number,
  mask: number,
  cursor: number,
  head: number,
  after: number,
): number {
  let low = cursor;
  for (let looks = 0; looks < fewStamps; looks += 1) {
    low = (low + 1) | 0;
    if (low === head || (chunk[stamps + (low & mask)] as number) > after) return low;
  }
  let count = (head - low) | 0;
  // The stamp at `low` has left. Of the `count` stamps from there on, find the last one that has left, by halving.
  while (count > 1) {
    const half = count >> 1;
    if ((chunk[stamps + ((low + half) & mask)] as number) > after) count = half;
    else {
      low = (low + half) | 0;
      count -= half;
    }
  }
  return (low + 1) | 0;
}

/** Zeros for this many readings. Common numbers are literals, which are fastest. */
function blank(readings: number): number[] {
  if (readings === 3) return [0, 0, 0, 0, 0, 0, 0, 0, 0];
  if (readings === 2) return [0, 0, 0, 0, 0, 0];
  if (readings === 1) return [0, 0, 0];
  const zeros: number[] = [];
  for (let n = 0; n < readings * readingLength; n += 1) zeros.push(0);
  return zeros;
}

/** Whether a charge asks for one request, and nothing else. Only for limits under which nothing is held. */
export function isOneRequest({ needs, spends }: Pick<Charge, "needs" | "spends">): boolean {
  return needs.length === 1 && needs[0] === 1 && spends[0] === 1;
}
