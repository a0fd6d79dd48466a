import { spread } from "./key-hash.ts";
import { noRow } from "./rows.ts";

/** An entry has three numbers: both halves of the hash, and the row's id plus one; 0 means that there is none. */
const width = 3;
const firstSlots = 16;
/** A part that would need more is divided: at most this many entries are moved at once, never all. */
const mostSlots = 8192;

/** An open-addressed table of the hashes that begin with the same bits. */
class Part {
  entries: Int32Array;
  mask: number;
  used = 0;
  /** How many leading bits its hashes have in common. */
  readonly depth: number;

  constructor(depth: number, slots: number) {
    this.depth = depth;
    this.mask = slots - 1;
    this.entries = new Int32Array(slots * width);
  }

  /** The index of the entry, or the free index where it would be. */
  place(high: number, low: number, bits: number): number {
    const { entries, mask } = this;
    let slot = bits & mask;
    while (true) {
      const at = slot * width;
      if (entries[at + 2] === 0 || (entries[at] === low && entries[at + 1] === high)) return at;
      slot = (slot + 1) & mask;
    }
  }

  isFull(): boolean {
    return this.used * 4 >= this.mask * 3;
  }

  put(high: number, low: number, bits: number, value: number): void {
    const at = this.place(high, low, bits);
    const { entries } = this;
    if (entries[at + 2] === 0) this.used += 1;
    entries[at] = low;
    entries[at + 1] = high;
    entries[at + 2] = value;
  }

  /** Removes an entry, and moves later entries up that it had kept from their own place. */
  cut(at: number): void {
    const { entries, mask } = this;
    let hole = at / width;
    let slot = (hole + 1) & mask;
    while (entries[slot * width + 2] !== 0) {
      const from = slot * width;
      const home = spread(entries[from + 1] as number, entries[from] as number) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        entries.copyWithin(hole * width, from, from + width);
        hole = slot;
      }
      slot = (slot + 1) & mask;
    }
    entries[hole * width + 2] = 0;
    this.used -= 1;
  }
}

/**
 * Finds rows by the hash of their key. Extendible hashing (Fagin and others, 1979): the leading bits of a hash choose a
 * part. A full part is divided in two, and the others stay unchanged, so growing takes a fraction of a millisecond at a
 * time, for any number of entries.
 */
export class RowIndex {
  size = 0;
  /** 2^depth places. A part with fewer bits is at several places. */
  #parts: Part[] = [new Part(0, firstSlots)];
  #depth = 0;
  #sweptPart = 0;
  #sweptSlot = 0;
  /** The last entry that `next` visited. */
  sweptHigh = 0;
  sweptLow = 0;

  find(high: number, low: number): number {
    const bits = spread(high, low);
    const part = this.#partOf(bits);
    return (part.entries[part.place(high, low, bits) + 2] as number) - 1;
  }

  /** Adds an entry, or changes the row of an existing one. */
  set(high: number, low: number, row: number): void {
    const bits = spread(high, low);
    let part = this.#partOf(bits);
    while (part.isFull()) {
      this.#enlarge(part, bits);
      part = this.#partOf(bits);
    }
    const before = part.used;
    part.put(high, low, bits, row + 1);
    this.size += part.used - before;
  }

  /** Changes the row of the entry that has this row. @returns whether there is such an entry. */
  replace(high: number, low: number, row: number, by: number): boolean {
    const bits = spread(high, low);
    const part = this.#partOf(bits);
    const { entries } = part;
    const at = part.place(high, low, bits);
    if (entries[at + 2] !== row + 1) return false;
    entries[at + 2] = by + 1;
    return true;
  }

  delete(high: number, low: number): void {
    const bits = spread(high, low);
    const part = this.#partOf(bits);
    const at = part.place(high, low, bits);
    if (part.entries[at + 2] === 0) return;
    part.cut(at);
    this.size -= 1;
    if (this.size === 0) this.clear();
  }

  clear(): void {
    this.#parts = [new Part(0, firstSlots)];
    this.#depth = 0;
    this.#sweptPart = 0;
    this.#sweptSlot = 0;
    this.size = 0;
  }

  /**
   * The next row of an endless walk in circles, whose hash is then in `sweptHigh` and `sweptLow`; `noRow` if the next
   * few places are empty. What is added or deleted meanwhile may be seen twice, or not before the next round.
   */
  next(): number {
    for (let looks = 0; looks < 16; looks += 1) {
      const part = this.#parts[this.#sweptPart] as Part;
      if (this.#sweptSlot > part.mask) {
        this.#sweptSlot = 0;
        // A part at several places is visited once.
        const places = 2 ** (this.#depth - part.depth);
        const next = (Math.floor(this.#sweptPart / places) + 1) * places;
        this.#sweptPart = next >= this.#parts.length ? 0 : next;
        return noRow;
      }
      const at = this.#sweptSlot * width;
      this.#sweptSlot += 1;
      const value = part.entries[at + 2] as number;
      if (value === 0) continue;
      this.sweptLow = part.entries[at] as number;
      this.sweptHigh = part.entries[at + 1] as number;
      return value - 1;
    }
    return noRow;
  }

  #partOf(bits: number): Part {
    // Shifting by 32 would shift by nothing.
    return this.#parts[this.#depth === 0 ? 0 : bits >>> (32 - this.#depth)] as Part;
  }

  #enlarge(part: Part, bits: number): void {
    const slots = part.mask + 1;
    if (slots < mostSlots) {
      const larger = new Part(part.depth, slots * 2);
      this.#pour(part, [larger]);
      this.#replace(part, bits, [larger]);
      return;
    }
    if (part.depth === this.#depth) {
      this.#parts = this.#parts.flatMap((one) => [one, one]);
      this.#depth += 1;
      this.#sweptPart *= 2;
    }
    const halves = [new Part(part.depth + 1, slots), new Part(part.depth + 1, slots)];
    this.#pour(part, halves);
    this.#replace(part, bits, halves);
  }

  /** Moves all entries of a part into another, or into two by the next bit of their hashes. */
  #pour({ entries, mask, depth }: Part, into: readonly Part[]): void {
    for (let at = 0; at < (mask + 1) * width; at += width) {
      const value = entries[at + 2] as number;
      if (value === 0) continue;
      const low = entries[at] as number;
      const high = entries[at + 1] as number;
      const bits = spread(high, low);
      const which = into.length === 1 ? 0 : (bits >>> (31 - depth)) & 1;
      (into[which] as Part).put(high, low, bits, value);
    }
  }

  /** Replaces one part by new ones, each at its share of the places. */
  #replace(part: Part, bits: number, by: readonly Part[]): void {
    const places = 2 ** (this.#depth - part.depth);
    const start = this.#depth === 0 ? 0 : Math.floor((bits >>> (32 - this.#depth)) / places) * places;
    for (let place = 0; place < places; place += 1) {
      this.#parts[start + place] = by[Math.floor((place * by.length) / places)] as Part;
    }
  }
}
