import type { Adjustment, Charge, Hold, Refund } from "./store.ts";

/**
 * The maximum number of reservations that hold something in a partition. Further such reservations are refused.
 */
export const mostHolds = 4096;
/** How long a reservation is remembered after it has ended or lapsed, ms, so that late calls still find it. */
export const rememberedMs = 60_000;
/** With fewer entries than this, expired entries are not removed. */
const fewEntries = 64;
const mostEntries = 2 * mostHolds;

/** What one reservation has used and holds in one partition, in totals by unit. */
export interface Entry {
  /** The number of the last applied call. Higher numbers are newer. */
  seq: number;
  /** Whether the reservation has ended, so that no further call is applied. */
  ended: boolean;
  /** Whether its heartbeat has stopped. The reservation then holds nothing, but a final `end` is still applied. */
  lapsed: boolean;
  /** When the hold expires or, once the reservation has ended or lapsed, when it is forgotten. The store's time, ms. */
  expiresAt: number;
  readonly used: Map<string, number>;
  readonly held: Map<string, number>;
  /** The last charge of each unit. It can be given back even if the answer to the call was lost. */
  readonly last: Map<string, Spending>;
}

/** Units that were spent by one call. */
export interface Spending {
  readonly at: number;
  readonly amount: number;
  /** For each group of the unit, in the order of the limits: what the algorithm needs to give them back. */
  readonly marks: readonly number[];
}

/** What the reservations of one partition hold. All transitions are pure: they know no store and no clock. */
export interface Holdings {
  readonly entries: Map<string, Entry>;
  /** The sum of what is held, by unit. */
  readonly held: Map<string, number>;
  /** How many entries hold something. */
  holding: number;
  /** No entry that holds something expires before this time. */
  earliest: number;
  /** The number of entries at which expired entries are removed. */
  tidyAt: number;
  /**
   * When the holdings were last read, the store's time, ms. Entries that had expired by then are ignored, even if not
   * yet removed.
   */
  seenAt: number;
}

export function noHoldings(): Holdings {
  return {
    entries: new Map(),
    held: new Map(),
    holding: 0,
    earliest: Number.POSITIVE_INFINITY,
    tidyAt: fewEntries,
    seenAt: 0,
  };
}

/** Releases the holds that have expired by `now`. Call this before anything else. */
export function lapse(holdings: Holdings, now: number): void {
  holdings.seenAt = now;
  if (holdings.earliest > now) return;
  let earliest = Number.POSITIVE_INFINITY;
  for (const entry of holdings.entries.values()) {
    if (!holdsSomething(entry)) continue;
    if (entry.expiresAt > now) {
      earliest = Math.min(earliest, entry.expiresAt);
      continue;
    }
    release(holdings, entry);
    entry.lapsed = true;
    entry.expiresAt += rememberedMs;
  }
  holdings.earliest = earliest;
}

/** Returns how much of a unit all reservations hold together. Call `lapse` first. */
export function heldOf(holdings: Holdings | undefined, unit: string): number {
  return holdings?.held.get(unit) ?? 0;
}

/** Whether a call about a reservation can be applied to a partition. */
export type Standing =
  /** The call has not been applied yet. */
  | "open"
  /** This call, or a later one, has been applied already: it is admitted and changes nothing. */
  | "applied"
  /** The reservation has ended: late calls are refused. */
  | "ended"
  /** The partition has reached its maximum number of reservations. */
  | "crowded";

/** @param more whether the call asks to hold something. */
export function standingOf(holdings: Holdings | undefined, { rid, seq }: Hold, more: boolean): Standing {
  const entry = find(holdings, rid);
  if (entry?.ended) return "ended";
  if (entry !== undefined && seq <= entry.seq) return "applied";
  const isNew = entry === undefined || !holdsSomething(entry);
  if (more && isNew && (holdings?.holding ?? 0) >= mostHolds) return "crowded";
  return "open";
}

/** Returns how much of a unit a reservation holds already. */
export function heldBy(holdings: Holdings | undefined, rid: string, unit: string): number {
  return find(holdings, rid)?.held.get(unit) ?? 0;
}

/** Returns how many units must be free in addition to those that the reservation holds already. */
export function needOf(
  { needs, spends, holds, limits }: Pick<Charge, "needs" | "spends" | "holds" | "limits">,
  g: number,
  holdings: Holdings | undefined,
  hold: Hold | undefined,
): number {
  const total = holds?.[g] ?? 0;
  if (hold === undefined || total === 0) return needs[g] as number;
  return Math.max(
    0,
    (spends[g] as number) + total - heldBy(holdings, hold.rid, limits.groups[g]?.unit ?? ""),
  );
}

/** Returns the entry of a reservation, unless it has expired. All stores ignore an entry from the same moment on. */
function find(holdings: Holdings | undefined, rid: string): Entry | undefined {
  const entry = holdings?.entries.get(rid);
  if (holdings === undefined || entry === undefined) return undefined;
  return holdsSomething(entry) || entry.expiresAt > holdings.seenAt ? entry : undefined;
}

/** One unit in one call: what is spent immediately, and the total that is held from now on. */
export interface Portion {
  readonly unit: string;
  readonly spend: number;
  readonly hold: number;
  /** The use before this call, for a store that has no entry of the reservation. */
  readonly known: number;
  /** The mark of each group of the unit, if units are spent. */
  readonly marks?: readonly number[];
}

/** Admits or extends a reservation whose standing is `open`. */
export function hold(
  holdings: Holdings,
  { rid, seq }: Hold,
  portions: readonly Portion[],
  now: number,
  leaseMs: number,
): void {
  const entry = entryOf(holdings, rid, portions, now);
  const wasHolding = holdsSomething(entry);
  for (const portion of portions) {
    entry.used.set(portion.unit, (entry.used.get(portion.unit) ?? 0) + portion.spend);
    if (portion.spend > 0) noteSpending(entry, portion.unit, portion.spend, now, portion.marks);
    setHeld(holdings, entry, portion.unit, portion.hold);
  }
  entry.seq = seq;
  renew(holdings, entry, wasHolding, now, leaseMs);
}

/**
 * Applies a change to the used total of a unit: charges it if positive, gives it back if negative.
 *
 * @param last the last charge of the unit, which is given back first.
 * @returns the marks of what was charged, one for each group of the unit.
 */
export type UsedChange = (
  unit: string,
  change: number,
  last: Spending | undefined,
) => readonly number[] | undefined;

/**
 * Applies the totals of a reservation: what it has used and still holds. This is never refused. Applying the same
 * totals twice changes nothing.
 *
 * @param units the units of the adjustment's numbers, one for each group; if a unit occurs twice, the first counts.
 */
export function adjustHoldings(
  holdings: Holdings,
  adjustment: Pick<Adjustment, "rid" | "seq" | "ended" | "raises" | "known" | "used" | "held">,
  units: readonly string[],
  now: number,
  leaseMs: number,
  changeUsed: UsedChange,
): void {
  const { rid, seq, ended, raises, known, used, held } = adjustment;
  const before = find(holdings, rid);
  if (before !== undefined && (before.ended || (!ended && seq <= before.seq))) return;
  const firsts = units.map((unit, g) => ({ unit, g })).filter(({ unit, g }) => units.indexOf(unit) === g);
  const entry = entryOf(
    holdings,
    rid,
    firsts.map(({ unit, g }) => ({ unit, spend: 0, hold: 0, known: known[g] ?? 0 })),
    now,
  );
  const wasHolding = holdsSomething(entry);
  for (const { unit, g } of firsts) {
    const total = used[g] ?? 0;
    const change = total - (entry.used.get(unit) ?? known[g] ?? 0);
    entry.used.set(unit, total);
    if (change !== 0) {
      const last = entry.last.get(unit);
      const marks = changeUsed(unit, change, last);
      if (change > 0) noteSpending(entry, unit, change, now, marks);
      else if (last !== undefined) noteSpending(entry, unit, last.amount + change, last.at, last.marks);
    }
    const most = raises ? Number.POSITIVE_INFINITY : (entry.held.get(unit) ?? 0);
    setHeld(holdings, entry, unit, ended ? 0 : Math.min(held[g] ?? 0, most));
  }
  if (ended) release(holdings, entry);
  entry.seq = Math.max(seq, entry.seq);
  entry.ended = ended;
  renew(holdings, entry, wasHolding, now, leaseMs);
}

/**
 * Chooses the charges to give back for units of a group that were charged but not used: first the last charge that the
 * entry knows, then the charges that the caller lists. The caller's list starts with its newest charges, which include
 * the entry's last charge: as many units as that charge are skipped.
 *
 * @param ofUnit the number of the group among those of its unit.
 */
export function refundsOf(
  { refunds }: Pick<Adjustment, "refunds">,
  group: number,
  amount: number,
  last: Spending | undefined,
  ofUnit: number,
): Refund[] {
  const taken: Refund[] = [];
  let left = amount;
  let skipped = last?.amount ?? 0;
  if (last !== undefined) {
    const given = Math.min(left, last.amount);
    taken.push({ group, amount: given, chargedAt: last.at, mark: last.marks[ofUnit] ?? 0 });
    left -= given;
  }
  for (const refund of refunds) {
    if (refund.group !== group) continue;
    const skips = Math.min(skipped, refund.amount);
    skipped -= skips;
    const given = Math.min(left, refund.amount - skips);
    if (given > 0) taken.push({ ...refund, amount: given });
    left -= given;
  }
  return taken;
}

/** A wait, and whether it is a wait for holders to end rather than for a window to move on. */
export interface Wait {
  readonly ms: number;
  readonly holders: boolean;
}

/**
 * Milliseconds until `need` more units are free, if nobody spends meanwhile and no holder calls again.
 *
 * @param windowWait returns the algorithm's wait for a total of units; `Infinity` if it never ends.
 */
export function waitFor(
  holdings: Holdings | undefined,
  unit: string,
  quota: number,
  now: number,
  need: number,
  windowWait: (units: number) => number,
): Wait {
  if (need > quota) return { ms: Number.POSITIVE_INFINITY, holders: false };
  if (need === 0) return { ms: 0, holders: false };
  let left = heldOf(holdings, unit);
  let ms = windowWait(need + left);
  let holders = false;
  if (holdings === undefined || left === 0 || ms <= holdings.earliest - now) return { ms, holders };
  for (const { expiresAt, amount } of byExpiry(holdings, unit)) {
    const lapsesIn = expiresAt - now;
    if (lapsesIn >= ms) break;
    left -= amount;
    const after = Math.max(lapsesIn, windowWait(need + left));
    if (after < ms) {
      ms = after;
      holders = true;
    }
  }
  return { ms, holders };
}

/** Returns when the last entry expires. From then on the holdings can be deleted. */
export function overAt(holdings: Holdings): number {
  let latest = 0;
  for (const { expiresAt } of holdings.entries.values()) latest = Math.max(latest, expiresAt);
  return latest;
}

function byExpiry(holdings: Holdings, unit: string): { expiresAt: number; amount: number }[] {
  const all: { expiresAt: number; amount: number }[] = [];
  for (const { expiresAt, held } of holdings.entries.values()) {
    const amount = held.get(unit) ?? 0;
    if (amount > 0) all.push({ expiresAt, amount });
  }
  return all.sort((a, b) => a.expiresAt - b.expiresAt);
}

function entryOf(holdings: Holdings, rid: string, portions: readonly Portion[], now: number): Entry {
  const { entries } = holdings;
  let entry = find(holdings, rid);
  if (entry !== undefined) return entry;
  if (entries.size >= holdings.tidyAt) tidy(holdings, now);
  entry = {
    seq: 0,
    ended: false,
    lapsed: false,
    expiresAt: now,
    used: new Map(),
    held: new Map(),
    last: new Map(),
  };
  for (const { unit, known } of portions) if (known > 0) entry.used.set(unit, known);
  entries.set(rid, entry);
  return entry;
}

function setHeld(holdings: Holdings, entry: Entry, unit: string, amount: number): void {
  const before = entry.held.get(unit) ?? 0;
  if (amount === before) return;
  const wasHolding = entry.held.size > 0;
  if (amount > 0) entry.held.set(unit, amount);
  else entry.held.delete(unit);
  const sum = (holdings.held.get(unit) ?? 0) + amount - before;
  if (sum > 0) holdings.held.set(unit, sum);
  else holdings.held.delete(unit);
  const isHolding = entry.held.size > 0;
  if (isHolding !== wasHolding) holdings.holding += isHolding ? 1 : -1;
}

function noteSpending(
  entry: Entry,
  unit: string,
  amount: number,
  at: number,
  marks: readonly number[] = [],
): void {
  if (amount > 0) entry.last.set(unit, { at, amount, marks });
  else entry.last.delete(unit);
}

function release(holdings: Holdings, entry: Entry): void {
  for (const unit of [...entry.held.keys()]) setHeld(holdings, entry, unit, 0);
}

/**
 * @param wasHolding whether the entry held something before. If not, `expiresAt` was only the time at which to forget
 * the entry.
 */
function renew(holdings: Holdings, entry: Entry, wasHolding: boolean, now: number, leaseMs: number): void {
  const expiresAt = now + leaseMs;
  if (!holdsSomething(entry)) {
    entry.expiresAt = expiresAt + rememberedMs;
    return;
  }
  entry.lapsed = false;
  entry.expiresAt = wasHolding ? Math.max(entry.expiresAt, expiresAt) : expiresAt;
  holdings.earliest = Math.min(holdings.earliest, entry.expiresAt);
}

function holdsSomething({ held }: Entry): boolean {
  return held.size > 0;
}

/**
 * Removes expired entries. Runs when the number of entries has doubled since the last run, so the cost per entry is
 * low. A partition in which thousands of reservations end each minute forgets the oldest early.
 */
export function tidy(holdings: Holdings, now: number): void {
  const { entries } = holdings;
  const spare: [rid: string, expiresAt: number][] = [];
  for (const [rid, entry] of entries) {
    if (holdsSomething(entry)) continue;
    if (entry.expiresAt <= now) entries.delete(rid);
    else spare.push([rid, entry.expiresAt]);
  }
  if (spare.length > mostHolds) {
    spare.sort((a, b) => a[1] - b[1]);
    for (const [rid] of spare.slice(0, spare.length - mostHolds)) entries.delete(rid);
  }
  holdings.tidyAt = Math.min(
    Math.max(fewEntries, 2 * entries.size),
    Math.max(mostEntries, entries.size + fewEntries),
  );
}
