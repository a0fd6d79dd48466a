import type { Algorithm } from "../../core/algorithms/algorithm.ts";
import { HeadgateError } from "../../core/errors.ts";
import type { Limit } from "../../core/limit.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Store } from "../../core/store.ts";
import { Accounts, blankRow } from "./accounts.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";
import type { Kind, Plan } from "./kinds.ts";
import { MemoryOutcome, readingLength } from "./outcome.ts";
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

/**
 * Counts in the memory of this process: synchronous, exact, without timers, and bounded.
 *
 * @throws HeadgateError `option-invalid`
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { maxPartitions = defaultMaxPartitions } = options;
  if (!Number.isSafeInteger(maxPartitions) || maxPartitions < 1) {
    throw new HeadgateError(
      "option-invalid",
      `maxPartitions must be a whole number from 1 up, got ${String(maxPartitions)}.`,
    );
  }

  let accounts = new Accounts(maxPartitions);
  /** For each charge of the batch at hand: what its key hashes to, and the rows of its groups, charge by charge. */
  const keys: KeyHash[] = [];
  const plans: Plan[] = [];
  const found: number[] = [];

  function keyAt(place: number): KeyHash {
    let hash = keys[place];
    if (hash === undefined) {
      hash = { high: 0, low: 0 };
      keys[place] = hash;
    }
    return hash;
  }

  return {
    name: "memory",
    remote: false,

    get size() {
      return { partitions: accounts.held, maxPartitions };
    },

    decide(charges, now, peek) {
      const { rows, kinds } = accounts;
      let admitted = true;
      let limitCount = 0;
      let groupCount = 0;
      for (let c = 0; c < charges.length; c += 1) {
        const charge = charges[c] as Charge;
        const plan = kinds.planOf(charge.space, charge.limits, c);
        const key = keyAt(c);
        plans[c] = plan;
        hashKey(charge.key, key);
        limitCount += plan.limits.limits.length;
        for (let g = 0; g < plan.kinds.length; g += 1) {
          const kind = plan.kinds[g] as Kind;
          const row = accounts.find(kind, key, now);
          found[groupCount] = row;
          groupCount += 1;
          const limits = limitsOf(plan, g);
          const need = charge.needs[g] as number;
          if (row === noRow) {
            if (admitted && !isFree(kind.algorithm, blankRow, 0, limits, now, need)) admitted = false;
            continue;
          }
          accounts.show(row);
          kind.algorithm.keepFor?.(rows.numbers, rows.at, limits);
          if (admitted && !isFree(kind.algorithm, rows.numbers, rows.at, limits, now, need)) admitted = false;
        }
      }

      const numbers = new Array<number>(limitCount * readingLength);
      if (!admitted || peek) {
        readAll(charges, now, numbers);
        return new MemoryOutcome(admitted, now, charges, numbers, undefined);
      }
      const marks = new Array<number>(groupCount);
      const { moves } = accounts;
      let n = 0;
      let r = 0;
      for (let c = 0; c < charges.length; c += 1) {
        const charge = charges[c] as Charge;
        const plan = plans[c] as Plan;
        const key = keyAt(c);
        for (let g = 0; g < plan.kinds.length; g += 1) {
          let row = found[r] as number;
          if (row === noRow || accounts.moves !== moves) row = accounts.open(plan, g, key, now);
          const kind = plan.kinds[g] as Kind;
          const limits = limitsOf(plan, g);
          accounts.showForCharge(row, kind, key, now);
          marks[r] = kind.algorithm.charge(rows.numbers, rows.at, limits, now, charge.spends[g] as number);
          accounts.noteBlankAt(kind);
          read(plan, g, rows.numbers, rows.at, now, undefined, numbers, n);
          r += 1;
        }
        n += plan.limits.limits.length * readingLength;
      }
      return new MemoryOutcome(true, now, charges, numbers, marks);
    },

    adjust(adjustments, now) {
      const { rows, kinds } = accounts;
      const numbers: number[] = [];
      const marks: number[] = [];
      for (const { space, key: text, limits, refunds, renewals, spends } of adjustments) {
        const plan = kinds.planOf(space, limits, mostPlaced);
        const key = keyAt(0);
        hashKey(text, key);
        const start = numbers.length;
        for (let l = 0; l < limits.limits.length * readingLength; l += 1) numbers.push(0);
        for (let g = 0; g < plan.kinds.length; g += 1) {
          const amount = spends[g] as number;
          const row =
            amount > 0 ? accounts.open(plan, g, key, now) : accounts.find(plan.kinds[g] as Kind, key, now);
          const kind = plan.kinds[g] as Kind;
          const { algorithm } = kind;
          const mine = limitsOf(plan, g);
          if (row === noRow) {
            marks.push(0);
            read(plan, g, blankRow, 0, now, undefined, numbers, start);
            continue;
          }
          accounts.showForCharge(row, kind, key, now);
          algorithm.keepFor?.(rows.numbers, rows.at, mine);
          for (const refund of refunds) {
            if (refund.group !== g) continue;
            const { amount: given, chargedAt, mark } = refund;
            algorithm.refund(rows.numbers, rows.at, mine, now, given, chargedAt, mark);
          }
          for (const { group, mark } of renewals) {
            if (group === g) algorithm.renew?.(rows.numbers, rows.at, mine, now, mark);
          }
          marks.push(algorithm.charge(rows.numbers, rows.at, mine, now, amount));
          accounts.noteBlankAt(kind);
          read(plan, g, rows.numbers, rows.at, now, undefined, numbers, start);
        }
      }
      return new MemoryOutcome(true, now, adjustments, numbers, marks);
    },

    reset(partitions, now) {
      for (const { space, key: text } of partitions) {
        const key = keyAt(0);
        hashKey(text, key);
        accounts.reset(space, key, now);
      }
    },

    close() {
      accounts = new Accounts(maxPartitions);
    },
  };

  /** Reads the rows that were found for a batch, as what asked for so much sees them. */
  function readAll(charges: readonly Charge[], now: number, into: number[]): void {
    const { rows } = accounts;
    let n = 0;
    let r = 0;
    for (let c = 0; c < charges.length; c += 1) {
      const { needs } = charges[c] as Charge;
      const plan = plans[c] as Plan;
      for (let g = 0; g < plan.kinds.length; g += 1) {
        const row = found[r] as number;
        r += 1;
        if (row !== noRow) accounts.show(row);
        const numbers = row === noRow ? blankRow : rows.numbers;
        read(plan, g, numbers, row === noRow ? 0 : rows.at, now, needs[g] as number, into, n);
      }
      n += plan.limits.limits.length * readingLength;
    }
  }
}

/** Charges beyond this place are not expected to come again in the same order. */
const mostPlaced = Number.MAX_SAFE_INTEGER;

function limitsOf(plan: Plan, group: number): readonly Limit[] {
  return plan.limits.limitsOfGroup[group] as readonly Limit[];
}

function isFree(
  algorithm: Algorithm,
  row: Float64Array,
  at: number,
  limits: readonly Limit[],
  now: number,
  need: number,
): boolean {
  for (let l = 0; l < limits.length; l += 1) {
    if (algorithm.waitMs(row, at, limits[l] as Limit, now, need) > 0) return false;
  }
  return true;
}

/**
 * Writes what one group of limits reads.
 *
 * @param need what is asked for; `undefined` where it has been admitted.
 * @param start where the readings of the plan begin in `into`.
 */
function read(
  plan: Plan,
  group: number,
  row: Float64Array,
  at: number,
  now: number,
  need: number | undefined,
  into: number[],
  start: number,
): void {
  const { algorithm } = plan.kinds[group] as Kind;
  const limits = limitsOf(plan, group);
  const places = plan.placesOf[group] as readonly number[];
  for (let l = 0; l < limits.length; l += 1) {
    const limit = limits[l] as Limit;
    const n = start + (places[l] as number) * readingLength;
    into[n] = algorithm.remaining(row, at, limit, now);
    into[n + 1] = need === undefined || need === 0 ? 0 : algorithm.waitMs(row, at, limit, now, need);
    into[n + 2] = algorithm.resetMs(row, at, limit, now);
  }
}
