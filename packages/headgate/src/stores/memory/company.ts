import { mostStatesOfUnit, type OtherState } from "../../core/conversion.ts";
import type { Accounts } from "./accounts.ts";
import type { KeyHash } from "./key-hash.ts";
import type { Kind, PlannedGroup } from "./kinds.ts";
import { noRow } from "./rows.ts";

/**
 * The initial state of a group without a row: the state of other limits of the unit for this key, if there are any.
 * Call this before any part of the request is charged.
 */
export function begunOf(
  accounts: Accounts,
  { kind, begin }: PlannedGroup,
  key: KeyHash,
  now: number,
): Float64Array<ArrayBuffer> | undefined {
  const mates = accounts.kinds.matesOf(kind);
  if (mates.length === 0) return undefined;
  const others: OtherState[] = [];
  for (const mate of mates) {
    const row = accounts.find(mate, key, now);
    if (row === noRow) continue;
    accounts.show(row);
    others.push({
      algorithm: mate.algorithm,
      limits: mate.limits,
      row: accounts.rows.numbers,
      at: accounts.rows.at,
    });
  }
  return others.length === 0 ? undefined : (begin(others, now) as Float64Array<ArrayBuffer> | undefined);
}

/** Writes what a group has charged to the states that other limits of the unit left, and ends those that are blank. */
export function chargeExtras(
  accounts: Accounts,
  group: PlannedGroup,
  key: KeyHash,
  now: number,
  amount: number,
): void {
  const { rows, kinds } = accounts;
  const extras = kinds.extrasOf(group);
  if (extras.length === 0) return;
  let room = mostStatesOfUnit - group.company.unitGroups;
  for (const { kind, row, blankAt } of lastingFirst(accounts, extras, key, now)) {
    if (blankAt <= now || room <= 0) {
      accounts.drop(kind, key);
      continue;
    }
    room -= 1;
    accounts.show(row);
    kind.algorithm.keepFor?.(rows.numbers, rows.at, group.memory.windowMs);
    accounts.makeRoom(row, kind, kind.limits, key, now);
    const charge = kind.algorithm.chargeAlong ?? kind.algorithm.charge;
    charge(rows.numbers, rows.at, kind.limits, now, amount);
    accounts.noteBlankAt(kind);
  }
}

interface Extra {
  readonly kind: Kind;
  readonly row: number;
  readonly blankAt: number;
}

/** The existing states; those that count for the longest time come first. */
function lastingFirst(accounts: Accounts, extras: readonly Kind[], key: KeyHash, now: number): Extra[] {
  const found: Extra[] = [];
  for (const kind of extras) {
    const row = accounts.find(kind, key, now);
    if (row === noRow) continue;
    accounts.show(row);
    const blankAt = kind.algorithm.blankAt(accounts.rows.numbers, accounts.rows.at, kind.limits);
    found.push({ kind, row, blankAt });
  }
  return found.sort((a, b) => b.blankAt - a.blankAt);
}
