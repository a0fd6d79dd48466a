/** In numbers of 8 bytes. Each row takes the smallest size that fits. Longer rows have their own array. */
const sizes = [3, 4, 6, 10, 14, 22, 38, 70, 134, 262, 518, 1030, 2054, 4102] as const;
const longest = sizes[sizes.length - 1] as number;
export const sizeBits = 4;
export const sizeMask = (1 << sizeBits) - 1;
/** This number, in place of a size, marks the id of a row with its own array. */
const alone = sizeMask;
/** The maximum length of a chunk in numbers: half a megabyte. */
const chunkLength = 65_536;
const firstRows = 64;

export const noRow = -1;

/** The rows of one size, in chunks of 2^`bits` of them. */
class Shelf {
  readonly size: number;
  readonly bits: number;
  readonly mask: number;
  chunks: Float64Array[] = [];
  used = 0;
  /** The last freed row; its first number is the row that was freed before it. */
  free = noRow;
  /** Rows from this number on were never used. */
  end = 0;

  constructor(size: number) {
    this.size = size;
    this.bits = Math.floor(Math.log2(chunkLength / size));
    this.mask = (1 << this.bits) - 1;
  }

  add(): number {
    this.used += 1;
    const { free } = this;
    if (free !== noRow) {
      const chunk = this.chunks[free >> this.bits] as Float64Array;
      const at = (free & this.mask) * this.size;
      this.free = chunk[at] as number;
      chunk.fill(0, at, at + this.size);
      return free;
    }
    const index = this.end;
    this.end += 1;
    const last = index >> this.bits;
    const chunk = this.chunks[last];
    if (chunk === undefined || (index & this.mask) * this.size >= chunk.length) this.#lengthen(last);
    return index;
  }

  remove(index: number): void {
    this.used -= 1;
    if (this.used === 0) {
      this.chunks = [];
      this.free = noRow;
      this.end = 0;
      return;
    }
    const chunk = this.chunks[index >> this.bits] as Float64Array;
    chunk[(index & this.mask) * this.size] = this.free;
    this.free = index;
  }

  /** The first chunk starts small and doubles: most stores are small. */
  #lengthen(which: number): void {
    const whole = (1 << this.bits) * this.size;
    const before = this.chunks[which];
    const few = which === 0 ? Math.min(whole, (before?.length ?? (firstRows * this.size) / 2) * 2) : whole;
    const chunk = new Float64Array(few);
    if (before !== undefined) chunk.set(before);
    this.chunks[which] = chunk;
  }
}

/**
 * Rows of numbers with ids, in memory that the garbage collector does not scan. A million small objects would take it a
 * second to mark and need twice the memory; here they are a few hundred arrays.
 */
export class Rows {
  /** When this has changed, look up the place of a row again. */
  moves = 0;
  /** The place of the row that was found last. */
  numbers = new Float64Array(0);
  at = 0;

  readonly #shelves: Shelf[] = sizes.map((size) => new Shelf(size));
  readonly #alone: (Float64Array | undefined)[] = [];
  readonly #freeAlone: number[] = [];

  /** Makes a row of zeros that has room for this many numbers, and returns its id. */
  add(length: number): number {
    if (length > longest) {
      const index = this.#freeAlone.pop() ?? this.#alone.length;
      this.#alone[index] = new Float64Array(2 ** Math.ceil(Math.log2(length)));
      return (index << sizeBits) | alone;
    }
    let which = 0;
    while (length > (sizes[which] as number)) which += 1;
    const shelf = this.#shelves[which] as Shelf;
    const chunk = shelf.chunks[0];
    const index = shelf.add();
    if (chunk !== shelf.chunks[0]) this.moves += 1;
    return (index << sizeBits) | which;
  }

  /** Points `numbers` and `at` to a row, until another is found or added. */
  find(row: number): void {
    const which = row & sizeMask;
    const index = row >> sizeBits;
    if (which === alone) {
      this.numbers = this.#alone[index] as Float64Array<ArrayBuffer>;
      this.at = 0;
      return;
    }
    const shelf = this.#shelves[which] as Shelf;
    this.numbers = shelf.chunks[index >> shelf.bits] as Float64Array<ArrayBuffer>;
    this.at = (index & shelf.mask) * shelf.size;
  }

  /** How many numbers the row has room for. */
  roomOf(row: number): number {
    const which = row & sizeMask;
    return which === alone ? (this.#alone[row >> sizeBits] as Float64Array).length : (sizes[which] as number);
  }

  /** Frees the row's place for other rows; its numbers are lost. */
  remove(row: number): void {
    const which = row & sizeMask;
    const index = row >> sizeBits;
    this.moves += 1;
    if (which !== alone) {
      (this.#shelves[which] as Shelf).remove(index);
      return;
    }
    this.#alone[index] = undefined;
    this.#freeAlone.push(index);
  }
}
