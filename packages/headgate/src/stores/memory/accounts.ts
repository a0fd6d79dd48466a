import { copyNumbers } from "../../core/copy-numbers.ts";
import type { Limit } from "../../core/limit.ts";
import type { KeyHash } from "./key-hash.ts";
import { type Kind, Kinds, type PlannedGroup } from "./kinds.ts";
import { isRing, Rings, type Shape } from "./rings.ts";
import { RowIndex } from "./row-index.ts";
import { noRow, Rows } from "./rows.ts";

/** Once the store is full, new callers share this many accounts of each kind. A power of two. */
export const overflowAccounts = 4096;

/** A row begins with the number of its kind; then comes the state. */
const header = 1;

/** An empty state for every algorithm. It is only read. */
export const blankRow: Float64Array<ArrayBuffer> = new Float64Array(16);

/**
 * The callers' counts: a row of numbers for each key, space and kind of state.
 *
 * There is no timer. Each new caller checks a few others and forgets those whose windows are over, so that memory depends
 * on the number of active callers and pauses do not grow with it. A caller with units that still count is never forgotten.
 * When the store is full, new callers are counted in shared overflow accounts, chosen by a hash with a secret of this
 * process: limits may then refuse a little early, but are never widened.
 */
export class Accounts {
  readonly rows = new Rows();
  /** Rows in another form, for callers that only made plain requests. Code that finds or opens a row here converts them. */
  readonly rings = new Rings();
  readonly kinds = new Kinds(this.rings);
  /** The maximum number of rows that belong to one caller. */
  readonly most: number;

  /**
   * Whether there are shared accounts. A found row may then be shared, and a charge may move its caller out of it.
   * Every decision reads this several times, and reading the size of a map would be too slow.
   */
  isSharing = false;
  readonly #own = new RowIndex();
  /** By the kind's name, the rows of its shared accounts plus one; 0 for those not yet used. */
  readonly #shared = new Map<string, Int32Array>();
  /** Until this time, a shared account may hold something. */
  #sharedUntil = 0;
  /** Empty rows that hide a shared account, by hash, and until when they must. */
  readonly #hiding = new Map<string, number>();

  constructor(most: number) {
    this.most = most;
  }

  /** The number of rows that belong to one caller. */
  get held(): number {
    return this.#own.size;
  }

  /** The row with this key's count; `noRow` if there is none. Does not create one. */
  find(kind: Kind, key: KeyHash, now: number): number {
    const high = key.high ^ kind.high;
    const low = key.low ^ kind.low;
    const row = this.#own.find(high, low);
    if (row !== noRow) return isRing(row) ? this.#unfold(row, high, low) : row;
    return this.isSharing ? this.#sharedOf(kind, key, now) : noRow;
  }

  /** Whether this many rows can be added without removing others first. */
  hasRoomFor(count: number): boolean {
    return this.#own.size + count <= this.most;
  }

  /** The row or ring of a hash, as it is. */
  at(high: number, low: number): number {
    return this.#own.find(high, low);
  }

  /** Makes a ring for a hash that has nothing yet, in a store that is not full. */
  openRing(group: PlannedGroup, shape: Shape, high: number, low: number, now: number, era: number): number {
    this.#forget(now, 2);
    const kind = this.kinds.live(group.kind);
    group.kind = kind;
    this.kinds.addRow(kind);
    shape.kind = kind;
    const row = this.rings.add(shape, era);
    this.#own.set(high, low, row);
    return row;
  }

  /** Replaces the ring of a hash with a larger one. */
  growRing(row: number, high: number, low: number): number {
    const grown = this.rings.grow(row);
    this.#own.replace(high, low, row, grown);
    return grown;
  }

  /**
   * The row to charge this key to.
   *
   * @param begun the initial state of a new row, if other limits counted the key before.
   */
  open(group: PlannedGroup, key: KeyHash, now: number, begun?: Float64Array): number {
    const kind = this.kinds.live(group.kind);
    group.kind = kind;
    const high = key.high ^ kind.high;
    const low = key.low ^ kind.low;
    const own = this.#own.find(high, low);
    if (own !== noRow) return isRing(own) ? this.#unfold(own, high, low) : own;
    this.#forget(now, 2);
    if (this.#own.size >= this.most) this.#forget(now, 16);
    if (this.#own.size >= this.most) return this.#openShared(kind, key, now, begun);

    // A caller who was counted in a shared account keeps its count: starting from zero would widen the limit.
    const shared = this.#sharedOf(kind, key, now);
    const row = this.#create(kind, shared === noRow ? begun : this.#condensed(group, shared, now));
    this.#own.set(high, low, row);
    return row;
  }

  /** Points `rows` to the state in a row. */
  show(row: number): void {
    this.rows.find(row);
    this.rows.at += header;
  }

  /** Makes room for one more charge in the shown row, and shows its new place. */
  makeRoom(row: number, kind: Kind, limits: readonly Limit[], key: KeyHash, now: number): void {
    const { algorithm } = kind;
    if (algorithm.growth === 0) return;
    const { rows } = this;
    const room = rows.roomOf(row) - header - algorithm.growth;
    if (algorithm.length(rows.numbers, rows.at) <= room) return;
    algorithm.tidy?.(rows.numbers, rows.at, now, limits);
    if (algorithm.length(rows.numbers, rows.at) <= room) return;

    const moved = this.#copy(kind, row);
    const high = key.high ^ kind.high;
    const low = key.low ^ kind.low;
    if (!this.#own.replace(high, low, row, moved)) {
      (this.#shared.get(kind.name) as Int32Array)[accountOf(key)] = moved + 1;
    }
    this.#remove(row);
    this.show(moved);
  }

  /** Call it after every change to the state that is shown: shared accounts live as long as any of them counts. */
  noteBlankAt(kind: Kind): void {
    if (!this.isSharing) return;
    const { numbers, at } = this.rows;
    this.#sharedUntil = Math.max(this.#sharedUntil, kind.algorithm.blankAt(numbers, at, kind.limits));
  }

  /** Forgets a key's use of one kind, if it has its own row. */
  drop(kind: Kind, key: KeyHash): void {
    const high = key.high ^ kind.high;
    const low = key.low ^ kind.low;
    const own = this.#own.find(high, low);
    if (own === noRow || this.#hiding.has(idOf(high, low))) return;
    this.#remove(own);
    this.#own.delete(high, low);
  }

  /**
   * Forgets a key's count in a space, even if it was counted together with others.
   *
   * @returns when the last unit would have left its window; 0 if nothing was spent.
   */
  reset(space: string, key: KeyHash, now: number): number {
    let forgottenUntil = 0;
    for (const kind of this.kinds.inSpace(space)) {
      const high = key.high ^ kind.high;
      const low = key.low ^ kind.low;
      const own = this.#own.find(high, low);
      const shared = this.#sharedOf(kind, key, now);
      if (shared !== noRow) {
        // The caller gets an empty row. It hides the shared account as long as that may contain this caller's units.
        this.show(shared);
        const until = kind.algorithm.blankAt(this.rows.numbers, this.rows.at, kind.limits);
        this.#own.set(high, low, this.#create(kind));
        this.#hiding.set(idOf(high, low), until);
        forgottenUntil = Math.max(forgottenUntil, until);
      }
      if (own === noRow) continue;
      forgottenUntil = Math.max(forgottenUntil, this.#blankAt(own, kind));
      this.#remove(own);
      if (shared === noRow) this.#own.delete(high, low);
    }
    return forgottenUntil;
  }

  #create(kind: Kind, begun?: Float64Array): number {
    const length = kind.algorithm.length(begun ?? blankRow, 0);
    const row = this.#add(kind, length);
    if (begun !== undefined) copyNumbers(begun, 0, this.rows.numbers, this.rows.at + header, length);
    return row;
  }

  /**
   * The state of a shared account in a few numbers. It has counted many callers: with whole copies, a flood could make
   * each of its callers as large as the largest.
   */
  #condensed({ kind, limits }: PlannedGroup, shared: number, now: number): Float64Array {
    this.show(shared);
    const { numbers, at } = this.rows;
    const { algorithm } = kind;
    return (
      algorithm.condensed?.(numbers, at, now, limits) ?? numbers.slice(at, at + algorithm.length(numbers, at))
    );
  }

  /** A new row with the same state. */
  #copy(kind: Kind, from: number): number {
    this.show(from);
    const { rows } = this;
    const length = kind.algorithm.length(rows.numbers, rows.at);
    const row = this.#add(kind, length);
    this.show(from);
    const { numbers, at } = rows;
    this.show(row);
    copyNumbers(numbers, at, rows.numbers, rows.at, length);
    return row;
  }

  #add(kind: Kind, length: number): number {
    this.kinds.addRow(kind);
    const row = this.rows.add(header + length + kind.algorithm.growth);
    this.rows.find(row);
    this.rows.numbers[this.rows.at] = kind.number;
    return row;
  }

  /** Turns a ring into the row of the sliding window that it represents. */
  #unfold(ring: number, high: number, low: number): number {
    const kind = this.#kindOf(ring);
    const row = this.#add(kind, this.rings.unfoldedLength(ring));
    this.rings.unfold(ring, this.rows.numbers, this.rows.at + header);
    this.#own.replace(high, low, ring, row);
    this.#remove(ring);
    return row;
  }

  #kindOf(row: number): Kind {
    if (isRing(row)) return this.rings.shapeIn(row).kind as Kind;
    this.rows.find(row);
    return this.kinds.get(this.rows.numbers[this.rows.at] as number);
  }

  /** The time from which nothing in a row counts any more. */
  #blankAt(row: number, kind: Kind): number {
    if (isRing(row)) return this.rings.blankAt(row);
    this.show(row);
    return kind.algorithm.blankAt(this.rows.numbers, this.rows.at, kind.limits);
  }

  #remove(row: number): void {
    if (isRing(row)) {
      this.kinds.removeRow(this.#kindOf(row));
      this.rings.remove(row);
      return;
    }
    this.rows.find(row);
    this.kinds.removeRow(this.kinds.get(this.rows.numbers[this.rows.at] as number));
    this.rows.remove(row);
  }

  #sharedOf(kind: Kind, key: KeyHash, now: number): number {
    if (!this.isSharing) return noRow;
    if (now >= this.#sharedUntil) {
      this.#forgetShared();
      return noRow;
    }
    return (this.#shared.get(kind.name)?.[accountOf(key)] ?? 0) - 1;
  }

  #openShared(kind: Kind, key: KeyHash, now: number, begun: Float64Array | undefined): number {
    const found = this.#sharedOf(kind, key, now);
    if (found !== noRow) return found;
    let accounts = this.#shared.get(kind.name);
    if (accounts === undefined) {
      accounts = new Int32Array(overflowAccounts);
      this.#shared.set(kind.name, accounts);
      this.isSharing = true;
    }
    const row = this.#create(kind, begun);
    accounts[accountOf(key)] = row + 1;
    // Even if nothing is charged to the row, its initial state counts.
    this.show(row);
    this.noteBlankAt(kind);
    return row;
  }

  #forgetShared(): void {
    for (const accounts of this.#shared.values()) {
      for (const value of accounts) if (value !== 0) this.#remove(value - 1);
    }
    this.#shared.clear();
    this.isSharing = false;
  }

  /** Looks at the next few rows, in a circle. */
  #forget(now: number, looks: number): void {
    for (let look = 0; look < looks; look += 1) {
      const row = this.#own.next();
      if (row === noRow) continue;
      const kind = this.#kindOf(row);
      if (this.#blankAt(row, kind) > now) continue;
      const { sweptHigh, sweptLow } = this.#own;
      if (this.kinds.hasMates && this.#hasCompany(kind, sweptHigh, sweptLow, now)) continue;
      if (this.#hiding.size > 0) {
        const id = idOf(sweptHigh, sweptLow);
        if ((this.#hiding.get(id) ?? 0) > now) continue;
        this.#hiding.delete(id);
      }
      this.#remove(row);
      this.#own.delete(sweptHigh, sweptLow);
    }
  }

  /**
   * Whether other limits of the unit also count this key, with units that still count. Then this row must stay although it
   * is blank: a key without a row would start with the state of the others.
   */
  #hasCompany(kind: Kind, high: number, low: number, now: number): boolean {
    for (const mate of this.kinds.matesOf(kind)) {
      const row = this.#own.find(high ^ kind.high ^ mate.high, low ^ kind.low ^ mate.low);
      if (row !== noRow && this.#blankAt(row, mate) > now) return true;
    }
    return false;
  }
}

function accountOf({ low }: KeyHash): number {
  return low & (overflowAccounts - 1);
}

function idOf(high: number, low: number): string {
  return `${high} ${low}`;
}
