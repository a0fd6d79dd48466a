import { HeadgateError } from "../../core/errors.ts";
import type { Limit } from "../../core/limit.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Store } from "../../core/store.ts";
import { Accounts, blankRow } from "./accounts.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";
import type { Plan, PlannedGroup } from "./kinds.ts";
import { blankNumbers, MemoryOutcome, readingLength, waitPlace } from "./outcome.ts";
import { noRow } from "./rows.ts";

export interface MemoryStoreOptions {
  /**
   * How many partitions are told apart at most, over all layers; 1,000,000 by default. Beyond it, unseen callers
   * share accounts, which may refuse early but never widens a limit.
   */
  maxPartitions?: number;
}

/** The store of this process. Everything is answered at once, without a promise. */
export interface MemoryStore extends Store {
  readonly name: "memory";
  readonly remote: false;
  decide(charges: readonly Charge[], now: number, peek: boolean): MemoryOutcome;
  adjust(adjustments: readonly Adjustment[], now: number): MemoryOutcome;
  reset(partitions: readonly { space: string; key: string; limits: LimitSet }[], now: number): void;
  /** How full it is. */
  readonly size: { readonly partitions: number; readonly maxPartitions: number };
}

const defaultMaxPartitions = 1_000_000;
/** What rows can be numbered for. They would take 7 GB. */
const mostPartitions = 100_000_000;

/**
 * Counts in the memory of this process: synchronous, exact, without timers, and bounded.
 *
 * @throws HeadgateError `option-invalid`
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { maxPartitions = defaultMaxPartitions } = options;
  if (!Number.isSafeInteger(maxPartitions) || maxPartitions < 1 || maxPartitions > mostPartitions) {
    throw new HeadgateError(
      "option-invalid",
      `maxPartitions must be a whole number from 1 to ${mostPartitions}, got ${String(maxPartitions)}.`,
    );
  }

  let accounts = new Accounts(maxPartitions);
  /** For each charge of the batch at hand: its plan, and what its key hashes to. */
  const plans: Plan[] = [];
  const keys: KeyHash[] = [];
  /** For each group of each of them: the row that was found, and where it lies. */
  const found: number[] = [];
  const foundIn: Float64Array[] = [];
  const foundAt: number[] = [];

  function hashAt(place: number, text: string): KeyHash {
    let hash = keys[place];
    if (hash === undefined) {
      hash = { high: 0, low: 0 };
      keys[place] = hash;
    }
    hashKey(text, hash);
    return hash;
  }

  /** Looks up every group of a batch, and tells whether all of them are free. */
  function look(charges: readonly Charge[], now: number): boolean {
    const { rows, kinds } = accounts;
    let isFree = true;
    let r = 0;
    for (let c = 0; c < charges.length; c += 1) {
      const { space, key: text, limits, needs } = charges[c] as Charge;
      const plan = kinds.planOf(space, limits, c);
      const key = hashAt(c, text);
      plans[c] = plan;
      for (let g = 0; g < plan.groups.length; g += 1) {
        const group = plan.groups[g] as PlannedGroup;
        const { algorithm } = group.kind;
        const row = accounts.find(group.kind, key, now);
        let numbers = blankRow;
        let at = 0;
        if (row !== noRow) {
          accounts.show(row);
          ({ numbers, at } = rows);
          algorithm.keepFor?.(numbers, at, group.limits);
        }
        found[r] = row;
        foundIn[r] = numbers;
        foundAt[r] = at;
        r += 1;
        const need = needs[g] as number;
        for (let l = 0; isFree && l < group.limits.length; l += 1) {
          isFree = !(algorithm.waitMs(numbers, at, group.limits[l] as Limit, now, need) > 0);
        }
      }
    }
    return isFree;
  }

  /** Reads the rows that were found for a batch, as what asked for so much sees them. */
  function readFound(charges: readonly Charge[], now: number, into: number[]): void {
    let start = 0;
    let r = 0;
    for (let c = 0; c < charges.length; c += 1) {
      const { needs } = charges[c] as Charge;
      const plan = plans[c] as Plan;
      for (let g = 0; g < plan.groups.length; g += 1) {
        const group = plan.groups[g] as PlannedGroup;
        const numbers = foundIn[r] as Float64Array;
        const at = foundAt[r] as number;
        const need = needs[g] as number;
        r += 1;
        read(group, numbers, at, now, into, start);
        if (need === 0) continue;
        for (let l = 0; l < group.limits.length; l += 1) {
          const wait = group.kind.algorithm.waitMs(numbers, at, group.limits[l] as Limit, now, need);
          into[start + (group.places[l] as number) * readingLength + waitPlace] = wait;
        }
      }
      start += plan.limits.limits.length * readingLength;
    }
  }

  return {
    name: "memory",
    remote: false,

    get size() {
      return { partitions: accounts.held, maxPartitions };
    },

    decide(charges, now, peek) {
      const admitted = look(charges, now);
      const numbers = blankNumbers(charges);
      if (!admitted || peek) {
        readFound(charges, now, numbers);
        return new MemoryOutcome(admitted, now, charges, numbers, undefined);
      }
      const { rows, kinds } = accounts;
      const { moves } = rows;
      let marks: number[] | undefined;
      let start = 0;
      let r = 0;
      for (let c = 0; c < charges.length; c += 1) {
        const { spends } = charges[c] as Charge;
        const plan = plans[c] as Plan;
        const key = keys[c] as KeyHash;
        for (let g = 0; g < plan.groups.length; g += 1) {
          const group = plan.groups[g] as PlannedGroup;
          let row = found[r] as number;
          if (row === noRow || rows.moves !== moves || accounts.isSharing) {
            row = accounts.open(group, key, now);
            accounts.show(row);
          } else {
            rows.numbers = foundIn[r] as Float64Array<ArrayBuffer>;
            rows.at = foundAt[r] as number;
          }
          const { limits } = group;
          const kind = kinds.live(group.kind);
          accounts.makeRoom(row, kind, key, now);
          const { numbers: into, at } = rows;
          const mark = kind.algorithm.charge(into, at, limits, now, spends[g] as number);
          if (mark !== 0) {
            marks ??= new Array<number>(countGroups(charges)).fill(0);
            marks[r] = mark;
          }
          accounts.noteBlankAt(kind);
          read(group, into, at, now, numbers, start);
          r += 1;
        }
        start += plan.limits.limits.length * readingLength;
      }
      return new MemoryOutcome(true, now, charges, numbers, marks);
    },

    adjust(adjustments, now) {
      const { rows, kinds } = accounts;
      const numbers = blankNumbers(adjustments);
      const marks = new Array<number>(countGroups(adjustments)).fill(0);
      let start = 0;
      let r = 0;
      for (const { space, key: text, limits, refunds, renewals, spends } of adjustments) {
        const plan = kinds.planOf(space, limits, notInTurn);
        const key = hashAt(0, text);
        for (const [g, group] of plan.groups.entries()) {
          const amount = spends[g] as number;
          const row = amount > 0 ? accounts.open(group, key, now) : accounts.find(group.kind, key, now);
          r += 1;
          if (row === noRow) {
            read(group, blankRow, 0, now, numbers, start);
            continue;
          }
          const kind = kinds.live(group.kind);
          const { algorithm } = kind;
          accounts.show(row);
          if (amount > 0) accounts.makeRoom(row, kind, key, now);
          const { numbers: states, at } = rows;
          algorithm.keepFor?.(states, at, group.limits);
          for (const { group: of, amount: given, chargedAt, mark } of refunds) {
            if (of === g) algorithm.refund(states, at, group.limits, now, given, chargedAt, mark);
          }
          for (const { group: of, mark } of renewals) {
            if (of === g) algorithm.renew?.(states, at, group.limits, now, mark);
          }
          marks[r - 1] = algorithm.charge(states, at, group.limits, now, amount);
          accounts.noteBlankAt(kind);
          read(group, states, at, now, numbers, start);
        }
        start += limits.limits.length * readingLength;
      }
      return new MemoryOutcome(true, now, adjustments, numbers, marks);
    },

    reset(partitions, now) {
      for (const { space, key: text } of partitions) {
        accounts.reset(space, hashAt(0, text), now);
      }
    },

    close() {
      accounts = new Accounts(maxPartitions);
    },
  };
}

/** Adjustments come in no order that would be worth remembering. */
const notInTurn = Number.MAX_SAFE_INTEGER;

/** Writes what one group of limits reads, where the readings of its plan begin at `start`. */
function read(
  { kind, limits, places }: PlannedGroup,
  row: Float64Array,
  at: number,
  now: number,
  into: number[],
  start: number,
): void {
  for (let l = 0; l < limits.length; l += 1) {
    const place = start + (places[l] as number) * readingLength;
    kind.algorithm.read(row, at, limits[l] as Limit, now, into, place);
  }
}

function countGroups(charges: readonly Pick<Charge, "limits">[]): number {
  let count = 0;
  for (const { limits } of charges) count += limits.groups.length;
  return count;
}
