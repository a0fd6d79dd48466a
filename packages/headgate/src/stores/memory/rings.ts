import { first as firstEntry, keptMs as keptPlace } from "../../core/algorithms/sliding-window.ts";
import type { Kind } from "./kinds.ts";
import { sizeBits, sizeMask } from "./rows.ts";

/** This number, in place of a size, marks the id of a ring: `Rows` has no such size. */
const ringMark = 14;

export function isRing(row: number): boolean {
  return (row & sizeMask) === ringMark;
}

/**
 * Stamps are whole milliseconds since the start of their ring's era, so that each fits into 32 bits. A window is at most
 * as long as an era: requests from two eras ago do not count any more.
 */
export const eraMs = 2 ** 30;
export const mostEras = 2 ** 16;
/** Marks a place without a stamp, by a value that is older than any window. */
const never = -(2 ** 31);

/**
 * A ring begins with a word for shape, era and size, the number of stamps ever added, and one cursor for each window.
 */
export const headPlace = 1;
export const cursorsPlace = 2;
const eraShift = 4;
const shapeShift = 20;
const bitsMask = (1 << eraShift) - 1;
const eraMask = mostEras - 1;
const mostShapes = 2 ** (32 - shapeShift);

/** A ring has room for 2^`bits` stamps. It starts small, because most callers make one or two requests. */
const firstBits = 1;
/** Callers who need more are counted in the general rows, which merge old entries. */
export const mostBits = 11;
export const mostWindows = 16;

const chunkBits = 16;
const chunkWords = 1 << chunkBits;
const firstRings = 64;
/** The maximum number that ids can address: a gigabyte. The last few are for the current decision, which must not fail midway. */
const mostChunks = 4096;
const spareChunks = 64;

/** The common properties of all rings of one kind that are read by the same windows. */
export interface Shape {
  readonly number: number;
  /** In milliseconds; a ring has a cursor for each. */
  readonly windows: readonly number[];
  /** How long stamps are kept: the layer may remember longer than these windows need. */
  keepMs: number;
  /** The `live` kind that the rings belong to. */
  kind: Kind | undefined;
}

/** Rings of one length. */
interface Shelf {
  readonly words: number;
  used: number;
  /**
   * The address plus one of the last freed ring. Its first word is the address of the ring that was freed before it.
   */
  free: number;
  readonly chunks: number[];
  /** The last chunk is unused from this index on. */
  end: number;
}

/** The chunk in which a ring lies. */
export function chunkOf(row: number): number {
  return row >>> (sizeBits + chunkBits - 1);
}

/** Where in its chunk it begins. */
export function placeOf(row: number): number {
  return (row >>> (sizeBits - 1)) & (chunkWords - 2);
}

export function bitsOf(word: number): number {
  return word & bitsMask;
}

export function eraOf(word: number): number {
  return (word >>> eraShift) & eraMask;
}

export function shapeNumberOf(word: number): number {
  return word >>> shapeShift;
}

/**
 * The state of callers who have only made plain requests under sliding windows: a stamp of four bytes for each request,
 * in a ring, with a cursor for the start of each window. So a decision usually reads one stamp for each limit.
 *
 * It is the state of `sliding-window` in another form. A request that is not plain converts it into that state. The caller
 * is then counted there until none of its requests count any more.
 */
export class Rings {
  /** When this has changed, look up the place of a ring again. */
  moves = 0;
  readonly chunks: Int32Array[] = [];
  readonly #freeChunks: number[] = [];
  readonly #shelves = new Map<number, Shelf>();
  readonly #shapes: Shape[] = [];
  readonly #shapesByName = new Map<string, Shape>();
  /** How many chunks are in use. */
  #chunksUsed = 0;

  /** Whether there is no room: no ring may then be added or grow. */
  get isFull(): boolean {
    return this.#chunksUsed >= mostChunks - spareChunks;
  }

  /** The shape of rings for these windows; `undefined` if the windows are too many or too long for a ring. */
  shapeOf(kindName: string, windows: readonly number[]): Shape | undefined {
    if (windows.length > mostWindows || windows.some((windowMs) => windowMs > eraMs)) return undefined;
    const name = `${kindName}\u0000${windows.join(" ")}`;
    let shape = this.#shapesByName.get(name);
    if (shape === undefined && this.#shapes.length < mostShapes) {
      shape = { number: this.#shapes.length, windows, keepMs: Math.max(...windows), kind: undefined };
      this.#shapes.push(shape);
      this.#shapesByName.set(name, shape);
    }
    return shape;
  }

  shapeIn(row: number): Shape {
    const word = this.#chunkOf(row)[placeOf(row)] as number;
    return this.#shapes[shapeNumberOf(word)] as Shape;
  }

  /** Makes an empty ring. */
  add(shape: Shape, era: number): number {
    return this.#add(shape, firstBits, era);
  }

  /** Makes the same ring with twice the room, and gives back the place of this one. */
  grow(row: number): number {
    const shape = this.shapeIn(row);
    const [from, start] = [this.#chunkOf(row), placeOf(row)];
    const word = from[start] as number;
    const bits = bitsOf(word);
    const head = from[start + headPlace] as number;
    const to = this.#add(shape, bits + 1, eraOf(word));
    // The chunk may have been replaced.
    const old = this.#chunkOf(row);
    const [chunk, at] = [this.#chunkOf(to), placeOf(to)];
    const stamps = cursorsPlace + shape.windows.length;
    for (let i = headPlace; i < stamps; i += 1) chunk[at + i] = old[start + i] as number;
    const room = 1 << bits;
    for (let n = head - room; n < head; n += 1) {
      chunk[at + stamps + (n & (2 * room - 1))] = old[start + stamps + (n & (room - 1))] as number;
    }
    this.remove(row);
    return to;
  }

  remove(row: number): void {
    this.moves += 1;
    const chunk = this.#chunkOf(row);
    const at = placeOf(row);
    const word = chunk[at] as number;
    const shelf = this.#shelfOf(this.shapeIn(row), bitsOf(word));
    shelf.used -= 1;
    if (shelf.used === 0) {
      this.#clear(shelf);
      return;
    }
    chunk[at] = shelf.free;
    shelf.free = addressOf(row) + 1;
  }

  /** Converts the stamps of a ring to a later era. */
  renew(chunk: Int32Array, at: number, era: number): void {
    const word = chunk[at] as number;
    const stamps = at + cursorsPlace + (this.#shapes[shapeNumberOf(word)] as Shape).windows.length;
    const isNext = eraOf(word) + 1 === era;
    for (let i = stamps; i < stamps + (1 << bitsOf(word)); i += 1) {
      const stamp = chunk[i] as number;
      chunk[i] = isNext && stamp >= 0 ? stamp - eraMs : never;
    }
    chunk[at] = (word & ~(eraMask << eraShift)) | (era << eraShift);
  }

  /** The time from which no stamp of a ring counts any more. */
  blankAt(row: number): number {
    const chunk = this.#chunkOf(row);
    const at = placeOf(row);
    const word = chunk[at] as number;
    const newestIndex = ((chunk[at + headPlace] as number) - 1) & ((1 << bitsOf(word)) - 1);
    const { windows, keepMs } = this.#shapes[shapeNumberOf(word)] as Shape;
    const newest = chunk[at + cursorsPlace + windows.length + newestIndex] as number;
    return eraOf(word) * eraMs + newest + keepMs;
  }

  /** The maximum length of the `sliding-window` state that the ring unfolds into. */
  unfoldedLength(row: number): number {
    const word = this.#chunkOf(row)[placeOf(row)] as number;
    return firstEntry + 2 * (1 << bitsOf(word));
  }

  /** Writes the counts of a ring as a `sliding-window` state, into a row of zeros. */
  unfold(row: number, numbers: Float64Array, at: number): void {
    const chunk = this.#chunkOf(row);
    const start = placeOf(row);
    const word = chunk[start] as number;
    const { windows, keepMs } = this.shapeIn(row);
    const stamps = start + cursorsPlace + windows.length;
    const room = 1 << bitsOf(word);
    const head = chunk[start + headPlace] as number;
    const since = eraOf(word) * eraMs;
    let end = at + firstEntry;
    let total = 0;
    for (let n = head - room; n < head; n += 1) {
      const stamp = chunk[stamps + (n & (room - 1))] as number;
      if (stamp === never) continue;
      total += 1;
      // Requests of one millisecond share an entry there.
      if (end > at + firstEntry && numbers[end - 2] === since + stamp) end -= 2;
      numbers[end] = since + stamp;
      numbers[end + 1] = total;
      end += 2;
    }
    numbers[at] = end - at - firstEntry;
    numbers[at + keptPlace] = keepMs;
  }

  #chunkOf(row: number): Int32Array {
    return this.chunks[chunkOf(row)] as Int32Array;
  }

  #add(shape: Shape, bits: number, era: number): number {
    const shelf = this.#shelfOf(shape, bits);
    const row = idOf(this.#take(shelf));
    const chunk = this.#chunkOf(row);
    const at = placeOf(row);
    const stamps = at + cursorsPlace + shape.windows.length;
    chunk[at] = (shape.number << shapeShift) | (era << eraShift) | bits;
    for (let i = at + headPlace; i < stamps; i += 1) chunk[i] = 0;
    for (let i = stamps; i < stamps + (1 << bits); i += 1) chunk[i] = never;
    return row;
  }

  #shelfOf({ windows }: Shape, bits: number): Shelf {
    // Addresses are even.
    const words = (cursorsPlace + windows.length + (1 << bits) + 1) & ~1;
    let shelf = this.#shelves.get(words);
    if (shelf === undefined) {
      shelf = { words, used: 0, free: 0, chunks: [], end: 0 };
      this.#shelves.set(words, shelf);
    }
    return shelf;
  }

  /** The address for one more ring. */
  #take(shelf: Shelf): number {
    shelf.used += 1;
    if (shelf.free !== 0) {
      const address = shelf.free - 1;
      shelf.free = (this.chunks[address >>> chunkBits] as Int32Array)[address & (chunkWords - 1)] as number;
      return address;
    }
    const last = shelf.chunks.at(-1);
    if (last === undefined || shelf.end + shelf.words > (this.chunks[last] as Int32Array).length)
      this.#lengthen(shelf, last);
    const address = ((shelf.chunks.at(-1) as number) << chunkBits) | shelf.end;
    shelf.end += shelf.words;
    return address;
  }

  /** The first chunk of a shelf starts small and doubles: most stores are small. */
  #lengthen(shelf: Shelf, last: number | undefined): void {
    if (last === undefined) {
      this.#open(shelf, Math.min(chunkWords, firstRings * shelf.words));
      return;
    }
    const before = this.chunks[last] as Int32Array;
    if (before.length === chunkWords) {
      this.#open(shelf, chunkWords);
      return;
    }
    const longer = new Int32Array(Math.min(chunkWords, 2 * before.length));
    longer.set(before);
    this.chunks[last] = longer;
    this.moves += 1;
  }

  #open(shelf: Shelf, words: number): void {
    const number = this.#freeChunks.pop() ?? this.chunks.length;
    this.chunks[number] = new Int32Array(words);
    this.#chunksUsed += 1;
    shelf.chunks.push(number);
    shelf.end = 0;
  }

  #clear(shelf: Shelf): void {
    for (const number of shelf.chunks) {
      this.chunks[number] = nothing;
      this.#freeChunks.push(number);
    }
    this.#chunksUsed -= shelf.chunks.length;
    shelf.chunks.length = 0;
    shelf.free = 0;
    shelf.end = 0;
  }
}

const nothing = new Int32Array(0);

function addressOf(row: number): number {
  return (row >>> sizeBits) * 2;
}

function idOf(address: number): number {
  return ((address / 2) << sizeBits) | ringMark;
}
