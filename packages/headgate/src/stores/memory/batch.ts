import type { Limit } from "../../core/limit.ts";
import type { Charge } from "../../core/store.ts";
import { type Accounts, blankRow } from "./accounts.ts";
import { begunOf, chargeExtras } from "./company.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";
import type { PlannedGroup } from "./kinds.ts";
import { readingLength, waitPlace } from "./outcome.ts";
import { noRow } from "./rows.ts";
import { hasRead, isFreeFor, read, type Slot } from "./slot.ts";

/**
 * Decides requests of any algorithm and any cost, if nothing is held and no override applies. Call `find`, then `decide`. The
 * working space of one decision is kept for the next, so that a decision allocates little.
 */
export class BatchPath {
  readonly #accounts: Accounts;
  /** The groups of the current batch, in order. Places after the last one are left over from other batches. */
  readonly #slots: Slot[] = [];
  #used = 0;
  /** The value of the rows' `moves` when all rows were found. */
  #foundAt = 0;
  /** Written to make the processor fetch a row early. It is never read. */
  readonly #fetched = new Float64Array(1);
  /** The hash of the current key. */
  readonly #key: KeyHash = { high: 0, low: 0 };
  /** The marks of the last decision, by group; `undefined` if there are none. */
  marks: number[] | undefined;

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  #slotAt(place: number, group: PlannedGroup): Slot {
    let slot = this.#slots[place];
    if (slot === undefined) {
      slot = {
        group,
        key: { high: 0, low: 0 },
        start: 0,
        need: 0,
        spend: 0,
        row: noRow,
        numbers: blankRow,
        at: 0,
        begun: undefined,
      };
      this.#slots[place] = slot;
    }
    slot.group = group;
    return slot;
  }

  /**
   * Finds the row of every group of a batch. Each step runs for all groups before the next begins, so that the processor fetches rows
   * that lie far apart at the same time. With many callers, waiting for memory is most of a decision.
   *
   * @returns whether one of the partitions may have an override
   */
  find(charges: readonly Charge[], now: number, mayBeOverridden: (key: KeyHash) => boolean): boolean {
    const { rows, kinds } = this.#accounts;
    const key = this.#key;
    let start = 0;
    let isSuspect = false;
    this.#used = 0;
    for (let c = 0; c < charges.length; c += 1) {
      const charge = charges[c] as Charge;
      const plan = kinds.planOf(charge.space, charge.limits, c);
      hashKey(charge.key, key);
      if (mayBeOverridden(key)) isSuspect = true;
      for (let g = 0; g < plan.groups.length; g += 1) {
        const slot = this.#slotAt(this.#used, plan.groups[g] as PlannedGroup);
        slot.key.high = key.high;
        slot.key.low = key.low;
        slot.start = start;
        slot.need = charge.needs[g] as number;
        slot.spend = charge.spends[g] as number;
        this.#used += 1;
      }
      start += plan.limits.limits.length * readingLength;
    }
    for (let r = 0; r < this.#used; r += 1) {
      const slot = this.#slots[r] as Slot;
      slot.row = this.#accounts.find(slot.group.kind, slot.key, now);
    }
    // This may unfold rings into rows first, which can move other rows.
    do this.#foundAt = rows.moves;
    while (!this.#showFound(now));
    return isSuspect;
  }

  /** Decides the batch that was found, all or nothing. @returns whether it is admitted */
  decide(now: number, peek: boolean, into: number[]): boolean {
    const admitted = this.#look(now, into);
    this.marks = undefined;
    if (admitted && !peek) {
      this.#charge(now, into);
      return true;
    }
    this.#readFound(now, into);
    if (!peek) this.#keepChanges(now);
    return admitted;
  }

  /** Gives every slot its numbers. @returns `false` if a row has moved meanwhile */
  #showFound(now: number): boolean {
    const { rows } = this.#accounts;
    for (let r = 0; r < this.#used; r += 1) {
      const slot = this.#slots[r] as Slot;
      if (slot.row === noRow) {
        slot.begun = begunOf(this.#accounts, slot.group, slot.key, now);
        slot.numbers = slot.begun ?? blankRow;
        slot.at = 0;
      } else {
        this.#accounts.show(slot.row);
        slot.numbers = rows.numbers;
        slot.at = rows.at;
      }
      this.#fetched[0] = slot.numbers[slot.at] as number;
    }
    return rows.moves === this.#foundAt;
  }

  /** Whether every group of a batch is free. Also reads the groups whose algorithm can do both at once. */
  #look(now: number, into: number[]): boolean {
    let isFree = true;
    for (let r = 0; r < this.#used; r += 1) {
      const slot = this.#slots[r] as Slot;
      const { group } = slot;
      const { algorithm } = group.kind;
      if (slot.row !== noRow) algorithm.keepFor?.(slot.numbers, slot.at, group.memory.windowMs);
      if (algorithm.readSpent !== undefined) {
        read(slot, now, into);
        isFree = isFree && hasRead(slot, into);
      } else {
        isFree = isFree && isFreeFor(slot, now);
      }
    }
    return isFree;
  }

  /** Stores the converted states of limits that have changed, so that a reported wait stays true. */
  #keepChanges(now: number): void {
    let begins = false;
    for (let r = 0; r < this.#used; r += 1) {
      const { group, row, numbers, at, begun } = this.#slots[r] as Slot;
      if (row !== noRow) group.kind.algorithm.adapt?.(numbers, at, group.limits, now);
      else if (begun !== undefined) begins = true;
    }
    if (!begins) return;
    // Last, as rows may move.
    for (let r = 0; r < this.#used; r += 1) {
      const { group, key, row, begun } = this.#slots[r] as Slot;
      if (row === noRow && begun !== undefined) this.#accounts.open(group, key, now, begun);
    }
  }

  /** Completes the readings of a batch that spends nothing. */
  #readFound(now: number, into: number[]): void {
    for (let r = 0; r < this.#used; r += 1) {
      const slot = this.#slots[r] as Slot;
      const { group, numbers, at, start, need } = slot;
      const { algorithm } = group.kind;
      if (algorithm.readSpent === undefined) read(slot, now, into);
      if (need === 0) continue;
      for (let l = 0; l < group.limits.length; l += 1) {
        const wait = algorithm.waitMs(numbers, at, group.limits[l] as Limit, now, need);
        into[start + (group.places[l] as number) + waitPlace] = wait;
      }
    }
  }

  #charge(now: number, into: number[]): void {
    const { rows, kinds } = this.#accounts;
    for (let r = 0; r < this.#used; r += 1) {
      const slot = this.#slots[r] as Slot;
      const { group, spend } = slot;
      if (slot.row === noRow || rows.moves !== this.#foundAt || this.#accounts.isSharing) {
        if (slot.row === noRow && spend === 0) {
          if (group.kind.algorithm.readSpent === undefined) read(slot, now, into);
          continue;
        }
        slot.row = this.#accounts.open(group, slot.key, now, slot.row === noRow ? slot.begun : undefined);
        this.#accounts.show(slot.row);
        group.kind.algorithm.keepFor?.(rows.numbers, rows.at, group.memory.windowMs);
      } else {
        rows.numbers = slot.numbers;
        rows.at = slot.at;
      }
      const { limits } = group;
      const kind = kinds.live(group.kind);
      const { algorithm } = kind;
      this.#accounts.makeRoom(slot.row, kind, limits, slot.key, now);
      const mark = spend === 0 ? 0 : algorithm.charge(rows.numbers, rows.at, limits, now, spend);
      if (mark !== 0) {
        this.marks ??= new Array<number>(this.#used).fill(0);
        this.marks[r] = mark;
      }
      this.#accounts.noteBlankAt(kind);
      if (algorithm.readSpent === undefined) {
        slot.numbers = rows.numbers;
        slot.at = rows.at;
        read(slot, now, into);
      } else {
        for (let l = 0; l < limits.length; l += 1) {
          const place = slot.start + (group.places[l] as number);
          algorithm.readSpent(limits[l] as Limit, spend, into, place);
        }
      }
      if (kinds.hasMates && spend > 0) chargeExtras(this.#accounts, group, slot.key, now, spend);
    }
  }
}
