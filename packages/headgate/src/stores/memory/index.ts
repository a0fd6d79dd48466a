import type { Limit } from "../../core/limit.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import { checkOptions } from "../../core/options.ts";
import type { OverrideTerms } from "../../core/override.ts";
import type { Adjustment, Charge, Hold, Outcome, SharedText, Store } from "../../core/store.ts";
import { checkWholeNumber } from "../../core/whole-number.ts";
import { Accounts, blankRow } from "./accounts.ts";
import { type KeylessCharge, offerByKeys } from "./by-keys.ts";
import { begunOf, chargeExtras } from "./company.ts";
import { GeneralPath } from "./general.ts";
import { Held } from "./held.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";
import type { PlannedGroup } from "./kinds.ts";
import { blankNumbers, MemoryOutcome, readingLength, waitPlace } from "./outcome.ts";
import { Overrides } from "./overrides.ts";
import { isOneRequest, PlainPath } from "./plain.ts";
import { Resets } from "./resets.ts";
import { noRow } from "./rows.ts";
import { hasRead, isFreeFor, read, type Slot } from "./slot.ts";

export interface MemoryStoreOptions {
  /**
   * How many partitions are counted separately, over all layers; 1,000,000 by default. Beyond that, new callers
   * share accounts, which may refuse early but never widens a limit.
   */
  maxPartitions?: number;
}

/** The store of this process. Everything is answered at once, without a promise. */
export interface MemoryStore extends Store {
  readonly name: "memory";
  readonly remote: false;
  decide(charges: readonly Charge[], now: number, peek: boolean, hold?: Hold): Outcome;
  adjust(adjustments: readonly Adjustment[], now: number): Outcome;
  reset(partitions: readonly { space: string; key: string; limits: LimitSet }[], now: number): void;
  /** @throws HeadgateError `store-full` beyond 100,000 partitions. */
  override(
    partitions: readonly { space: string; key: string }[],
    terms: OverrideTerms | undefined,
    now: number,
  ): void;
  readShared(limiter: string, version: number): SharedText | undefined;
  writeShared(limiter: string, version: number, next: SharedText): boolean;
  /** How full it is. */
  readonly size: { readonly partitions: number; readonly maxPartitions: number };
}

const noText: SharedText = { version: 0, text: "" };
const defaultMaxPartitions = 1_000_000;
/** What rows can be numbered for. They would take 7 GB. */
const mostPartitions = 100_000_000;

/**
 * Counts in the memory of this process: synchronous, exact, without timers, and bounded.
 *
 * @throws HeadgateError `option-invalid`
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  checkOptions("memoryStore", options, ["maxPartitions"], "option-invalid");
  const { maxPartitions = defaultMaxPartitions } = options;
  checkWholeNumber("maxPartitions", maxPartitions, 1, mostPartitions);

  let accounts = new Accounts(maxPartitions);
  /** Made at the first override. */
  let overrides: Overrides | undefined;
  let resets = new Resets();
  let general = new GeneralPath(accounts, new Held(), resets);
  let plain = new PlainPath(accounts);
  /** The texts that the processes of each limiter would share. */
  const texts = new Map<string, SharedText>();
  /** The groups of the current batch, in order; those beyond it are left from other batches. */
  const slots: Slot[] = [];
  let used = 0;
  /** The value of the rows' `moves` when all rows were found. */
  let foundAt = 0;
  /** Read only so that memory fetches it. */
  const fetched = new Float64Array(1);
  /** The hash of the current key. */
  const key: KeyHash = { high: 0, low: 0 };

  function slotAt(place: number, group: PlannedGroup): Slot {
    let slot = slots[place];
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
      slots[place] = slot;
    }
    slot.group = group;
    return slot;
  }

  /** Adds one request to the plain decision at hand. @returns whether it is plain, and surely not overridden. */
  function addPlain({ space, limits }: KeylessCharge, key: string, place: number): boolean {
    return plain.add(accounts.kinds.planOf(space, limits, place), key) && !overrides?.mayHave(plain.key);
  }

  /** The readings of a batch of plain requests; `undefined` if one of them is not plain. */
  function decidePlainly(charges: readonly Charge[], now: number, peek: boolean): number[] | undefined {
    if (!plain.begin(now)) return undefined;
    for (let c = 0; c < charges.length; c += 1) {
      const charge = charges[c] as Charge;
      if (!isOneRequest(charge) || !addPlain(charge, charge.key, c)) return undefined;
    }
    return plain.decide(peek);
  }

  function admitByKeys(
    parts: readonly KeylessCharge[],
    keys: readonly string[],
    now: number,
  ): MemoryOutcome | undefined {
    // In the millisecond of a reset, what is charged has to be marked.
    if (now <= resets.latestAt || !plain.begin(now)) return undefined;
    for (let p = 0; p < parts.length; p += 1) {
      if (!addPlain(parts[p] as KeylessCharge, keys[p] as string, p)) return undefined;
    }
    const readings = plain.decide(false);
    if (readings !== undefined) return new MemoryOutcome(plain.admitted, now, parts, readings, undefined);
  }

  /**
   * Finds the row of every group of a batch. In steps, each for all of them, so that memory fetches what lies far apart
   * at the same time: where callers are many, waiting for it is most of a decision.
   *
   * @returns whether one of the partitions may be overridden.
   */
  function find(charges: readonly Charge[], now: number): boolean {
    const { rows, kinds } = accounts;
    let start = 0;
    let isSuspect = false;
    used = 0;
    for (let c = 0; c < charges.length; c += 1) {
      const charge = charges[c] as Charge;
      const plan = kinds.planOf(charge.space, charge.limits, c);
      hashKey(charge.key, key);
      if (overrides?.mayHave(key)) isSuspect = true;
      for (let g = 0; g < plan.groups.length; g += 1) {
        const slot = slotAt(used, plan.groups[g] as PlannedGroup);
        slot.key.high = key.high;
        slot.key.low = key.low;
        slot.start = start;
        slot.need = charge.needs[g] as number;
        slot.spend = charge.spends[g] as number;
        used += 1;
      }
      start += plan.limits.limits.length * readingLength;
    }
    for (let r = 0; r < used; r += 1) {
      const slot = slots[r] as Slot;
      slot.row = accounts.find(slot.group.kind, slot.key, now);
    }
    // Unfolding what others counted may be necessary first, and may move rows.
    do foundAt = rows.moves;
    while (!showFound(now));
    return isSuspect;
  }

  /** Shows every slot its numbers. @returns whether none has moved meanwhile. */
  function showFound(now: number): boolean {
    const { rows } = accounts;
    for (let r = 0; r < used; r += 1) {
      const slot = slots[r] as Slot;
      if (slot.row === noRow) {
        slot.begun = begunOf(accounts, slot.group, slot.key, now);
        slot.numbers = slot.begun ?? blankRow;
        slot.at = 0;
      } else {
        accounts.show(slot.row);
        slot.numbers = rows.numbers;
        slot.at = rows.at;
      }
      fetched[0] = slot.numbers[slot.at] as number;
    }
    return rows.moves === foundAt;
  }

  /** Whether every group of a batch is free. Reads those that can tell both at once. */
  function look(now: number, into: number[]): boolean {
    let isFree = true;
    for (let r = 0; r < used; r += 1) {
      const slot = slots[r] as Slot;
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

  /** Keeps the converted states of limits that have changed: a wait that was reported must stay true. */
  function keepChanges(now: number): void {
    let begins = false;
    for (let r = 0; r < used; r += 1) {
      const { group, row, numbers, at, begun } = slots[r] as Slot;
      if (row !== noRow) group.kind.algorithm.adapt?.(numbers, at, group.limits, now);
      else if (begun !== undefined) begins = true;
    }
    if (!begins) return;
    // Last, as rows may move.
    for (let r = 0; r < used; r += 1) {
      const { group, key: of, row, begun } = slots[r] as Slot;
      if (row === noRow && begun !== undefined) accounts.open(group, of, now, begun);
    }
  }

  /** Completes the readings of a batch for which nothing is spent, as the request with this cost sees them. */
  function readFound(now: number, into: number[]): void {
    for (let r = 0; r < used; r += 1) {
      const slot = slots[r] as Slot;
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

  const store: MemoryStore = {
    name: "memory",
    remote: false,

    get size() {
      return { partitions: accounts.held, maxPartitions };
    },

    decide(charges, now, peek, hold) {
      // In the millisecond of a reset, what is charged has to be marked.
      if (hold !== undefined || isGeneral(charges) || now <= resets.latestAt) {
        return general.decide(charges, now, peek, hold, overrides?.findAll(charges, now));
      }
      const readings = decidePlainly(charges, now, peek);
      if (readings !== undefined) return new MemoryOutcome(plain.admitted, now, charges, readings, undefined);
      const into = blankNumbers(charges);
      if (find(charges, now)) {
        const found = overrides?.findAll(charges, now);
        if (found !== undefined) return general.decide(charges, now, peek, hold, found);
      }
      const admitted = look(now, into);
      if (!admitted || peek) {
        readFound(now, into);
        if (!peek) keepChanges(now);
        return new MemoryOutcome(admitted, now, charges, into, undefined);
      }
      const { rows, kinds } = accounts;
      let marks: number[] | undefined;
      for (let r = 0; r < used; r += 1) {
        const slot = slots[r] as Slot;
        const { group, spend } = slot;
        if (slot.row === noRow || rows.moves !== foundAt || accounts.isSharing) {
          if (slot.row === noRow && spend === 0) {
            if (group.kind.algorithm.readSpent === undefined) read(slot, now, into);
            continue;
          }
          slot.row = accounts.open(group, slot.key, now, slot.row === noRow ? slot.begun : undefined);
          accounts.show(slot.row);
          group.kind.algorithm.keepFor?.(rows.numbers, rows.at, group.memory.windowMs);
        } else {
          rows.numbers = slot.numbers;
          rows.at = slot.at;
        }
        const { limits } = group;
        const kind = kinds.live(group.kind);
        const { algorithm } = kind;
        accounts.makeRoom(slot.row, kind, limits, slot.key, now);
        const mark = spend === 0 ? 0 : algorithm.charge(rows.numbers, rows.at, limits, now, spend);
        if (mark !== 0) {
          marks ??= new Array<number>(used).fill(0);
          marks[r] = mark;
        }
        accounts.noteBlankAt(kind);
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
        if (kinds.hasMates && spend > 0) chargeExtras(accounts, group, slot.key, now, spend);
      }
      return new MemoryOutcome(true, now, charges, into, marks);
    },

    adjust: (adjustments, now) => general.adjust(adjustments, now),

    reset(partitions, now) {
      for (const { space, key: text } of partitions) {
        hashKey(text, key);
        resets.note(space, text, now, accounts.reset(space, key, now));
      }
    },

    override(partitions, terms, now) {
      if (terms === undefined) {
        for (const { space, key: text } of partitions) overrides?.end(space, text);
        return;
      }
      overrides ??= new Overrides();
      overrides.set(partitions, terms, now);
    },

    readShared(limiter, version) {
      // Asked for every decision, and mostly there is none.
      const kept = texts.size === 0 ? noText : (texts.get(limiter) ?? noText);
      return kept.version === version ? undefined : kept;
    },

    writeShared(limiter, version, next) {
      if ((texts.get(limiter) ?? noText).version !== version) return false;
      texts.set(limiter, next);
      return true;
    },

    close() {
      texts.clear();
      accounts = new Accounts(maxPartitions);
      overrides = undefined;
      resets = new Resets();
      general = new GeneralPath(accounts, new Held(), resets);
      plain = new PlainPath(accounts);
    },
  };
  return offerByKeys(store, admitByKeys);
}

/** Whether units of any of these limits may be held, which has to be looked up then, or whether they are an override's. */
function isGeneral(charges: readonly Charge[]): boolean {
  for (let c = 0; c < charges.length; c += 1) {
    const { limits, override } = charges[c] as Charge;
    if (limits.holdable || override !== undefined) return true;
  }
  return false;
}
