import type { Algorithm } from "./algorithms/algorithm.ts";
import { algorithmOf } from "./algorithms/index.ts";
import { beginClaim, type Claim, isPaid, meetClaim, withoutRequests } from "./claim.ts";
import { changeClaims, claimPartition, keepClaim, readClaim } from "./claim-state.ts";
import { mostStatesOfUnit, type OtherState } from "./conversion.ts";
import {
  adjustHoldings,
  type Holdings,
  heldOf,
  hold as holdUnits,
  lapse,
  needOf,
  noHoldings,
  refundsOf,
  rememberedMs,
  type Standing,
  standingOf,
  waitFor,
} from "./holdings.ts";
import type { Limit } from "./limit.ts";
import { counting, type LimitGroup, type LimitSet } from "./limit-set.ts";
import {
  beginOverride,
  inForce,
  type Override,
  type OverrideTerms,
  readNote,
  refusedByOverrides,
  writeNote,
} from "./override.ts";
import { markSince, noteReset, type Reset, remembered, resetInForce } from "./reset.ts";
import type { Adjustment, Charge, Hold, Outcome, Reading, Refund } from "./store.ts";

/**
 * What a store keeps for one partition, as text; `undefined` if nothing. The format is private and changes between
 * releases.
 */
export type PartitionState = string | undefined;

/** Identifies a partition. */
interface Named {
  readonly space: string;
  readonly key: string;
}

/**
 * Returns the stored state of a partition. This is synchronous: a store with asynchronous reads loads all partitions of
 * a call first.
 */
export type LoadState = (space: string, key: string) => PartitionState;

/** A store's answer, and the states that the store must write. */
export interface DecidedStates {
  readonly outcome: Outcome;
  readonly kept: readonly KeptState[];
}

/** The new state of a partition. */
export interface KeptState extends Named {
  /** The state; `undefined` if the partition must be deleted. */
  readonly state: PartitionState;
  /**
   * The time, in milliseconds, from which the state is equivalent to none and may be deleted, unless it is written
   * again.
   */
  readonly until: number;
}

/** A partition while it is being decided. */
interface Partition extends Named {
  /** The rows by the id of their group. */
  readonly rows: Map<string, Row>;
  /** How far back its layer remembers, ms, according to this call. */
  readonly memoryMs: number;
  holdings: Holdings;
  override: Override | undefined;
  reset: Reset | undefined;
}

/** The part of a partition that is stored. */
type Contents = Omit<Partition, keyof Named | "memoryMs">;

/** The count of what was spent, and the limits that counted it last. */
interface Row {
  readonly unit: string;
  readonly limits: readonly Limit[];
  readonly numbers: Float64Array;
}

const blankRow = new Float64Array(16);

/**
 * Decides a request over partitions that the caller stores: load them, decide, and write the new states, all in one
 * transaction. Implements all of `Store.decide`.
 */
export function decideStates(
  load: LoadState,
  charges: readonly Charge[],
  now: number,
  peek: boolean,
  hold?: Hold,
  claim?: Claim,
): DecidedStates {
  if (claim === undefined || hold === undefined || peek) return decideCharges(load, charges, now, peek, hold);
  const place = claimPartition(claim, claim.id);
  const known = readClaim(load(place.space, place.key));
  const met = meetClaim(known, claim, hold.rid, now);
  if (typeof met !== "number")
    return { outcome: { admitted: false, now, readings: [], marks: [], known: met }, kept: [] };
  const asked = isPaid(known, hold.rid, met, now) ? withoutRequests(charges) : charges;
  const decided = decideCharges(load, asked, now, false, hold);
  if (!decided.outcome.admitted) return decided;
  const begun = keepClaim(place, beginClaim(claim, hold.rid, met, now), now);
  return { outcome: { ...decided.outcome, attempt: met }, kept: [...decided.kept, begun] };
}

function decideCharges(
  load: LoadState,
  charges: readonly Charge[],
  now: number,
  peek: boolean,
  hold: Hold | undefined,
): DecidedStates {
  const partitions = openAll(load, charges, now);
  const standings = charges.map(({ holds }, c): Standing => {
    if (hold === undefined) return "open";
    const more = holds?.some((units) => units > 0) === true;
    return standingOf((partitions[c] as Partition).holdings, hold, more);
  });
  const overrides = partitions.map(({ override }) => override);
  const obstacle = refusedByOverrides(overrides, charges, hold, (c) => standings[c] === "applied");
  const refusedFor: Outcome["refusedFor"] = standings.includes("ended")
    ? "ended"
    : (obstacle ?? (standings.includes("crowded") ? "crowded" : undefined));
  const needs = charges.map((charge, c) =>
    charge.limits.groups.map((_, g) =>
      standings[c] === "applied" ? 0 : needOf(charge, g, (partitions[c] as Partition).holdings, hold),
    ),
  );
  const refused = charges.map(({ limits }, c) => read(partitions[c] as Partition, limits, now, needs[c]));
  const admitted = refusedFor === undefined && refused.flat().every(({ waitMs }) => waitMs === 0);
  if (!admitted || peek) {
    const outcome = {
      admitted,
      now,
      readings: refused,
      marks: [],
      ...(refusedFor ? { refusedFor } : {}),
      ...(refusedFor !== undefined && refusedFor === obstacle ? { overrides } : {}),
    };
    if (peek || refusedFor === "overridden") return { outcome, kept: [] };
    // Keep converted states: the wait that is reported now must stay true.
    const changed = partitions.filter((partition, c) =>
      keepChanges(partition, (charges[c] as Charge).limits, now),
    );
    return { outcome, kept: closeAll(changed, now) };
  }
  const marks = charges.map((charge, c) => {
    const partition = partitions[c] as Partition;
    const applies = standings[c] === "open";
    const spent = applies ? spend(partition, charge.limits, now, charge.spends) : charge.spends.map(() => 0);
    if (applies && hold !== undefined) keepHold(partition, charge, hold, spent, now);
    return spent;
  });
  const readings = charges.map(({ limits }, c) => read(partitions[c] as Partition, limits, now));
  return { outcome: { admitted: true, now, readings, marks }, kept: closeAll(partitions, now) };
}

/** Like `decideStates`, for `Store.adjust`. Several adjustments of one partition are applied one after another. */
export function adjustStates(load: LoadState, reported: readonly Adjustment[], now: number): DecidedStates {
  const { kept: claims, counted: adjustments } = changeClaims(load, reported, now);
  const partitions = openAll(load, adjustments, now);
  const marks = adjustments.map((adjustment, a) => {
    const { groups, leaseMs } = adjustment.limits;
    const partition = partitions[a] as Partition;
    const mine = groups.map(() => 0);
    const units = groups.map(({ unit }) => unit);
    adjustHoldings(partition.holdings, adjustment, units, now, leaseMs, (unit, change, last) => {
      const ofUnit = groups.flatMap((group, g) => (group.unit === unit ? [g] : []));
      if (change > 0) {
        const amounts = groups.map((group) => (group.unit === unit ? change : 0));
        const spent = spend(partition, adjustment.limits, now, amounts);
        for (const g of ofUnit) mine[g] = spent[g] ?? 0;
      } else {
        for (const [nth, g] of ofUnit.entries()) {
          const refunds = refundsOf(adjustment, g, -change, last, nth);
          refund(partition, groups[g] as LimitGroup, now, refunds);
        }
      }
      return ofUnit.map((g) => mine[g] ?? 0);
    });
    return mine;
  });
  const readings = adjustments.map(({ limits }, a) => read(partitions[a] as Partition, limits, now));
  const kept = [...closeAll(partitions, now), ...claims];
  return { outcome: { admitted: true, now, readings, marks }, kept };
}

/** Like `decideStates`, for `Store.reset`: forgets what was spent, and keeps holds and overrides. */
export function resetStates(load: LoadState, named: readonly Named[], now: number): readonly KeptState[] {
  const partitions = openAll(load, named, now);
  for (const partition of partitions) {
    const { rows } = partition;
    const until = Math.max(0, ...[...rows.values()].map(blankAtOf));
    partition.reset = noteReset(partition.reset, now, until);
    rows.clear();
  }
  return closeAll(partitions, now);
}

/** Like `decideStates`, for `Store.override`. */
export function overrideStates(
  load: LoadState,
  named: readonly Named[],
  terms: OverrideTerms | undefined,
  now: number,
): readonly KeptState[] {
  const partitions = openAll(load, named, now);
  for (const partition of partitions)
    partition.override = terms === undefined ? undefined : beginOverride(terms, now);
  return closeAll(partitions, now);
}

/** Opens one partition for each name; the same object if a partition is named twice. */
function openAll(
  load: LoadState,
  named: readonly (Named & { readonly limits?: LimitSet })[],
  now: number,
): Partition[] {
  const opened = new Map<string, Partition>();
  return named.map(({ space, key, limits }) => {
    const name = JSON.stringify([space, key]);
    const memoryMs = Math.max(0, ...(limits?.groups ?? []).map(({ memory }) => memory.windowMs));
    const partition = opened.get(name) ?? { space, key, memoryMs, ...open(load(space, key), now) };
    opened.set(name, partition);
    return partition;
  });
}

function closeAll(partitions: readonly Partition[], now: number): KeptState[] {
  return [...new Set(partitions)].map((partition) => {
    const { space, key } = partition;
    return { space, key, state: close(partition), until: neededUntil(partition, now) };
  });
}

function neededUntil({ rows, holdings, memoryMs, override, reset }: Partition, now: number): number {
  let until = Math.max(now + memoryMs, override?.until ?? 0, reset?.until ?? 0);
  for (const row of rows.values()) until = Math.max(until, blankAtOf(row));
  for (const { expiresAt } of holdings.entries.values()) until = Math.max(until, expiresAt + rememberedMs);
  return until;
}

function read(
  partition: Partition,
  { groups, limits, groupOf }: LimitSet,
  now: number,
  needs?: readonly number[],
): Reading[] {
  const { holdings } = partition;
  const rows = groups.map((group) => rowOf(partition, group, now));
  return limits.map((limit, l): Reading => {
    const g = groupOf[l] ?? 0;
    const { unit, algorithm } = counting(groups[g] as LimitGroup);
    const row = rows[g] as Float64Array;
    const wait = (units: number) =>
      waitFor(holdings, unit, limit.quota, now, units, (all) => algorithm.waitMs(row, 0, limit, now, all));
    const found: number[] = [];
    algorithm.read(row, 0, limit, now, found, 0);
    let [remaining = 0, resetMs = 0] = found;
    const held = heldOf(holdings, unit);
    if (held > 0) {
      remaining = Math.max(0, remaining - held);
      resetMs = remaining === limit.quota ? 0 : wait(remaining + 1).ms;
    }
    const { ms, holders } = wait(needs?.[g] ?? 0);
    return { remaining, resetMs, waitMs: ms, ...(holders ? { holders } : {}) };
  });
}

/**
 * Returns the state of a group, with room for one more charge. A new state begins with what other states of the unit
 * have counted.
 */
function rowOf({ rows }: Partition, group: LimitGroup, now: number): Float64Array {
  const { id, unit, algorithm, memory, begin } = counting(group);
  const kept = rows.get(id)?.numbers ?? begin(othersOf(rows, unit), now) ?? blankRow;
  return withRoom(kept, algorithm, memory.windowMs);
}

/** @param windowMs how long a log must keep entries, including the wider windows of other plans. */
function withRoom(kept: Float64Array, algorithm: Algorithm, windowMs: number): Float64Array {
  const row = new Float64Array(algorithm.length(kept, 0) + algorithm.growth);
  row.set(kept.subarray(0, Math.min(kept.length, row.length)));
  algorithm.keepFor?.(row, 0, windowMs);
  return row;
}

function othersOf(rows: Partition["rows"], unit: string): OtherState[] {
  return [...rows.values()].flatMap(({ unit: its, limits, numbers: row }) =>
    its === unit ? [{ algorithm: algorithmOf(limits[0] as Limit), limits, row, at: 0 }] : [],
  );
}

function keepRow(
  { rows }: Partition,
  { id, unit, limits }: Pick<LimitGroup, "id" | "unit" | "limits">,
  row: Float64Array,
  now: number,
): void {
  const algorithm = algorithmOf(limits[0] as Limit);
  algorithm.tidy?.(row, 0, now, limits);
  rows.set(id, { unit, limits, numbers: row.slice(0, algorithm.length(row, 0)) });
}

/** Gives units back, but only in a state that exists: without one, they were not spent here. */
function refund(partition: Partition, group: LimitGroup, now: number, refunds: readonly Refund[]): void {
  if (refunds.length === 0 || !partition.rows.has(group.id)) return;
  const row = rowOf(partition, group, now);
  for (const { amount, chargedAt, mark } of remembered(partition.reset, refunds))
    counting(group).algorithm.refund(row, 0, group.limits, now, amount, chargedAt, mark);
  keepRow(partition, group, row, now);
}

/** Spends these amounts in each group, and also in the states that other limits left of the same unit. */
function spend(partition: Partition, set: LimitSet, now: number, amounts: readonly number[]): number[] {
  const { rows } = partition;
  // Begin all new states before charging any of them.
  const begun = set.groups.map((group, g) => (amounts[g] ? rowOf(partition, group, now) : undefined));
  const marks = set.groups.map((group, g) => {
    const row = begun[g];
    if (row === undefined) return 0;
    const mark = counting(group).algorithm.charge(row, 0, group.limits, now, amounts[g] as number);
    keepRow(partition, group, row, now);
    return markSince(partition.reset, now, mark);
  });
  const room = new Map<string, number>();
  for (const [id, { unit, limits, numbers }] of lastingFirst(rows)) {
    const g = set.groups.findIndex((group) => group.unit === unit);
    const amount = amounts[g] ?? 0;
    const algorithm = algorithmOf(limits[0] as Limit);
    if (amount === 0 || algorithm.spentAfter === undefined || set.groups.some((one) => one.id === id))
      continue;
    const left = room.get(unit) ?? mostStatesOfUnit - set.groups.filter((one) => one.unit === unit).length;
    if (left <= 0 || algorithm.blankAt(numbers, 0, limits) <= now) {
      rows.delete(id);
      continue;
    }
    room.set(unit, left - 1);
    const row = withRoom(numbers, algorithm, set.groups[g]?.memory.windowMs ?? 0);
    (algorithm.chargeAlong ?? algorithm.charge)(row, 0, limits, now, amount);
    keepRow(partition, { id, unit, limits }, row, now);
  }
  return marks;
}

/** Returns the rows, those that stay relevant longest first. */
function lastingFirst(rows: Partition["rows"]): [string, Row][] {
  return [...rows].sort(([, a], [, b]) => blankAtOf(b) - blankAtOf(a));
}

function blankAtOf({ limits, numbers }: Row): number {
  return algorithmOf(limits[0] as Limit).blankAt(numbers, 0, limits);
}

/** Keeps only the states that changed limits have converted. Returns whether there are any. */
function keepChanges(partition: Partition, { groups }: LimitSet, now: number): boolean {
  // Begin all new states before keeping any of them.
  const begun = groups.map((group) => rowOf(partition, group, now));
  let changed = false;
  for (const [g, group] of groups.entries()) {
    const row = begun[g] as Float64Array;
    const { id, algorithm, limits } = counting(group);
    const known = partition.rows.get(id);
    const blankAt = algorithm.blankAt(row, 0, limits);
    const isNew = known === undefined && blankAt > now;
    // If a window has grown, the reported wait is for the longer window, so the log must be kept that long.
    const livesLonger = known !== undefined && blankAt > algorithm.blankAt(known.numbers, 0, limits);
    if (!algorithm.adapt?.(row, 0, limits, now) && !isNew && !livesLonger) continue;
    keepRow(partition, group, row, now);
    changed = true;
  }
  return changed;
}

function keepHold(
  { holdings }: Partition,
  { limits, spends, holds, known }: Charge,
  hold: Hold,
  marks: readonly number[],
  now: number,
): void {
  const units = limits.groups.map(({ unit }) => unit);
  const portions = units.flatMap((unit, g) =>
    units.indexOf(unit) === g
      ? [
          {
            unit,
            spend: spends[g] ?? 0,
            hold: holds?.[g] ?? 0,
            known: known?.[g] ?? 0,
            marks: marks.filter((_, at) => units[at] === unit),
          },
        ]
      : [],
  );
  holdUnits(holdings, hold, portions, now, limits.leaseMs);
}

/** Serializes the state: maps become lists of pairs, and `Infinity` becomes text. */
function close({ rows, holdings, override, reset }: Contents): PartitionState {
  const isBlank = rows.size === 0 && holdings.entries.size === 0;
  if (isBlank && override === undefined && reset === undefined) return undefined;
  const written = {
    rows: [...rows].map(([id, row]) => [id, { ...row, numbers: [...row.numbers] }]),
    holdings,
    // The note is a string within the text, so that an operator's words such as "never" are not read as a number.
    override: override && { until: override.until, note: writeNote(override) },
    reset,
  };
  return JSON.stringify(written, (_key, value) => {
    if (value instanceof Map) return { pairs: [...value] };
    return value === Number.POSITIVE_INFINITY ? "never" : value;
  });
}

function open(state: PartitionState, now: number): Contents {
  if (state === undefined)
    return { rows: new Map(), holdings: noHoldings(), override: undefined, reset: undefined };
  const read = JSON.parse(state, (_key, value) => {
    if (typeof value === "object" && value !== null && Array.isArray(value.pairs))
      return new Map(value.pairs);
    return value === "never" ? Number.POSITIVE_INFINITY : value;
  });
  const rows = read.rows.map(([id, row]: [string, Row]): [string, Row] => [
    id,
    { ...row, numbers: Float64Array.from(row.numbers) },
  ]);
  lapse(read.holdings, now);
  const { override, reset } = read;
  return {
    rows: new Map(rows),
    holdings: read.holdings,
    override: override && inForce(readNote(override.note, override.until), now),
    reset: resetInForce(reset, now),
  };
}
