import {
  adjustHoldings,
  type Holdings,
  heldOf,
  hold as holdUnits,
  needOf,
  refundsOf,
  type Standing,
  standingOf,
  waitFor,
} from "../../core/holdings.ts";
import type { Limit } from "../../core/limit.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import { type Override, refusedByOverrides } from "../../core/override.ts";
import { markSince, remembered } from "../../core/reset.ts";
import type { Adjustment, Charge, Hold, Outcome, Refund } from "../../core/store.ts";
import { type Accounts, blankRow } from "./accounts.ts";
import { begunOf, chargeExtras } from "./company.ts";
import type { Held } from "./held.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";
import type { PlannedGroup } from "./kinds.ts";
import { blankNumbers, MemoryOutcome, readingLength, waitPlace } from "./outcome.ts";
import type { Resets } from "./resets.ts";
import { noRow } from "./rows.ts";

/** Plans are looked up by index, because similar decisions usually follow each other. That is not the case here. */
const notInTurn = Number.MAX_SAFE_INTEGER;

/** One group of a partition, and how many more of its units have to be free. */
interface Part {
  readonly group: PlannedGroup;
  readonly unit: string;
  need: number;
  /** The initial state of a new row; only if there is no row yet and other limits counted the unit. */
  begun: Float64Array<ArrayBuffer> | undefined;
}

/** A partition of a batch. */
interface Place {
  readonly key: KeyHash;
  readonly parts: readonly Part[];
  /** The index of its first reading. */
  readonly start: number;
}

/** The memory store for holds and possible holds: the same decisions as the fast path, and reservations. */
export class GeneralPath {
  readonly #accounts: Accounts;
  readonly #held: Held;
  readonly #resets: Resets;

  constructor(accounts: Accounts, held: Held, resets: Resets) {
    this.#accounts = accounts;
    this.#held = held;
    this.#resets = resets;
  }

  /** @param overrides the override in force for each charge; absent if there is none. */
  decide(
    charges: readonly Charge[],
    now: number,
    peek: boolean,
    hold: Hold | undefined,
    overrides: readonly (Override | undefined)[] = [],
  ): MemoryOutcome {
    const into = blankNumbers(charges);
    const holders: boolean[] = [];
    const places = this.#find(charges);
    const holdings = charges.map(({ space, key }) => this.#held.find(space, key, now));
    const added = holdings.filter((known) => known === undefined).length;
    const isFull = hold !== undefined && added > 0 && !this.#held.hasRoomFor(added, now);
    const standings = charges.map((charge, c) => standingIn(charge, holdings[c], hold, isFull));
    const obstacle = refusedByOverrides(overrides, charges, hold, (c) => standings[c] === "applied");
    const refusedFor = reasonOf(standings, obstacle);
    let admitted = refusedFor === undefined;
    for (const place of places) this.#begin(place, now);
    for (const [c, charge] of charges.entries()) {
      const { parts } = places[c] as Place;
      for (const [g, part] of parts.entries()) {
        part.need = standings[c] === "applied" ? 0 : needOf(charge, g, holdings[c], hold);
        admitted = this.#isFree(places[c] as Place, part, holdings[c], now) && admitted;
      }
    }
    if (!admitted || peek) {
      for (const [c, place] of places.entries())
        this.#read(place, holdings[c], now, into, !admitted, holders);
      if (!peek && refusedFor !== "overridden") this.#keepChanges(places, now);
      const named =
        refusedFor !== undefined && refusedFor === obstacle ? charges.map((_, c) => overrides[c]) : undefined;
      return new MemoryOutcome(admitted, now, charges, into, undefined, holders, refusedFor, named);
    }
    const marks: number[] = [];
    for (const [c, charge] of charges.entries()) {
      const place = places[c] as Place;
      const applies = standings[c] === "open";
      const reset = this.#resets.find(charge.space, charge.key, now);
      const first = marks.length;
      for (const [g, part] of place.parts.entries()) {
        const amount = applies ? (charge.spends[g] as number) : 0;
        marks.push(amount === 0 ? 0 : markSince(reset, now, this.#charge(part, place.key, now, amount)));
      }
      if (applies && hold !== undefined) this.#hold(charge, hold, marks.slice(first), now);
    }
    for (const [c, place] of places.entries()) {
      const { space, key } = charges[c] as Charge;
      this.#begin(place, now);
      this.#read(place, this.#held.find(space, key, now), now, into, false, holders);
    }
    return new MemoryOutcome(true, now, charges, into, marks, undefined, undefined);
  }

  adjust(adjustments: readonly Adjustment[], now: number): MemoryOutcome {
    const into = blankNumbers(adjustments);
    const places = this.#find(adjustments);
    const marks: number[] = [];
    for (const [a, adjustment] of adjustments.entries()) {
      const { key, parts } = places[a] as Place;
      // One after the other: units spent by earlier charges count too.
      this.#begin(places[a] as Place, now);
      const first = marks.length;
      for (let g = 0; g < parts.length; g += 1) marks.push(0);
      const holdings = this.#held.open(adjustment.space, adjustment.key, now);
      const reset = this.#resets.find(adjustment.space, adjustment.key, now);
      const units = parts.map(({ unit }) => unit);
      adjustHoldings(holdings, adjustment, units, now, adjustment.limits.leaseMs, (unit, change, last) => {
        const ofUnit: number[] = [];
        for (const [g, part] of parts.entries()) {
          if (part.unit !== unit) continue;
          if (change > 0) {
            marks[first + g] = markSince(reset, now, this.#charge(part, key, now, change));
          } else {
            const refunds = refundsOf(adjustment, g, -change, last, ofUnit.length);
            this.#giveBack(part.group, key, now, remembered(reset, refunds));
          }
          ofUnit.push(marks[first + g] as number);
        }
        return ofUnit;
      });
    }
    for (const [a, place] of places.entries()) {
      const { space, key } = adjustments[a] as Adjustment;
      this.#begin(place, now);
      this.#read(place, this.#held.find(space, key, now), now, into, false, []);
    }
    return new MemoryOutcome(true, now, adjustments, into, marks, undefined, undefined);
  }

  #find(charges: readonly { space: string; key: string; limits: LimitSet }[]): Place[] {
    let start = 0;
    return charges.map(({ space, key: text, limits }) => {
      const plan = this.#accounts.kinds.planOf(space, limits, notInTurn);
      const key: KeyHash = { high: 0, low: 0 };
      hashKey(text, key);
      const parts = plan.groups.map((group, g) => ({
        group,
        unit: limits.groups[g]?.unit ?? "",
        need: 0,
        begun: undefined,
      }));
      const place = { key, parts, start };
      start += limits.limits.length * readingLength;
      return place;
    });
  }

  /** Finds the initial states of a partition's groups. Call this before any part of its charge is spent. */
  #begin({ key, parts }: Place, now: number): void {
    for (const part of parts) {
      const isThere = this.#accounts.find(part.group.kind, key, now) !== noRow;
      part.begun = isThere ? undefined : begunOf(this.#accounts, part.group, key, now);
    }
  }

  /** Points the rows to the state of a group, or to its initial state if it has none. */
  #show({ group, begun }: Part, key: KeyHash, now: number): { numbers: Float64Array; at: number } {
    const row = this.#accounts.find(group.kind, key, now);
    if (row === noRow) return { numbers: begun ?? blankRow, at: 0 };
    this.#accounts.show(row);
    const { numbers, at } = this.#accounts.rows;
    group.kind.algorithm.keepFor?.(numbers, at, group.memory.windowMs);
    return { numbers, at };
  }

  #isFree(place: Place, part: Part, holdings: Holdings | undefined, now: number): boolean {
    const { group, unit, need } = part;
    if (need === 0) return true;
    const { numbers, at } = this.#show(part, place.key, now);
    const units = need + heldOf(holdings, unit);
    return group.limits.every(
      (limit) => units <= limit.quota && group.kind.algorithm.waitMs(numbers, at, limit, now, units) === 0,
    );
  }

  #read(
    { key, parts, start }: Place,
    holdings: Holdings | undefined,
    now: number,
    into: number[],
    refused: boolean,
    holders: boolean[],
  ): void {
    for (const part of parts) {
      const { group, unit, need } = part;
      const { numbers, at } = this.#show(part, key, now);
      const { algorithm } = group.kind;
      const held = heldOf(holdings, unit);
      for (const [l, limit] of group.limits.entries()) {
        const place = start + (group.places[l] as number);
        const wait = (units: number) =>
          waitFor(holdings, unit, limit.quota, now, units, (all) =>
            algorithm.waitMs(numbers, at, limit, now, all),
          );
        algorithm.read(numbers, at, limit, now, into, place);
        if (held > 0) readHeld(limit, held, into, place, wait);
        if (!refused) continue;
        const { ms, holders: forHolders } = wait(need);
        into[place + waitPlace] = ms;
        if (forHolders) holders[place / readingLength] = true;
      }
    }
  }

  /** Keeps the converted states of limits that have changed: a wait that was reported must stay true. */
  #keepChanges(places: readonly Place[], now: number): void {
    const accounts = this.#accounts;
    for (const { key, parts } of places) {
      for (const { group, begun } of parts) {
        const row = accounts.find(group.kind, key, now);
        if (row === noRow) {
          if (begun !== undefined) accounts.open(group, key, now, begun);
          continue;
        }
        accounts.show(row);
        group.kind.algorithm.adapt?.(accounts.rows.numbers, accounts.rows.at, group.limits, now);
      }
    }
  }

  #charge({ group, begun }: Part, key: KeyHash, now: number, amount: number): number {
    const accounts = this.#accounts;
    const row = accounts.open(group, key, now, begun);
    const kind = accounts.kinds.live(group.kind);
    accounts.show(row);
    accounts.makeRoom(row, kind, group.limits, key, now);
    const { rows } = accounts;
    kind.algorithm.keepFor?.(rows.numbers, rows.at, group.memory.windowMs);
    const mark = kind.algorithm.charge(rows.numbers, rows.at, group.limits, now, amount);
    accounts.noteBlankAt(kind);
    if (accounts.kinds.hasMates) chargeExtras(accounts, group, key, now, amount);
    return mark;
  }

  #giveBack(group: PlannedGroup, key: KeyHash, now: number, refunds: readonly Refund[]): void {
    const accounts = this.#accounts;
    const row = accounts.find(group.kind, key, now);
    if (row === noRow) return;
    const kind = accounts.kinds.live(group.kind);
    accounts.show(row);
    const { numbers, at } = accounts.rows;
    kind.algorithm.keepFor?.(numbers, at, group.memory.windowMs);
    for (const { amount, chargedAt, mark } of refunds)
      kind.algorithm.refund(numbers, at, group.limits, now, amount, chargedAt, mark);
    accounts.noteBlankAt(kind);
  }

  #hold(
    { space, key, limits, spends, holds, known }: Charge,
    hold: Hold,
    marks: readonly number[],
    now: number,
  ): void {
    const units = limits.groups.map(({ unit }) => unit);
    const portions = units.flatMap((unit, g) => {
      if (units.indexOf(unit) !== g) return [];
      const amounts = { spend: spends[g] ?? 0, hold: holds?.[g] ?? 0, known: known?.[g] ?? 0 };
      return [{ unit, ...amounts, marks: marks.filter((_, at) => units[at] === unit) }];
    });
    holdUnits(this.#held.open(space, key, now), hold, portions, now, limits.leaseMs);
  }
}

function standingIn(
  { holds }: Charge,
  holdings: Holdings | undefined,
  hold: Hold | undefined,
  isFull: boolean,
): Standing {
  if (hold === undefined) return "open";
  const more = holds?.some((units) => units > 0) === true;
  if (more && holdings === undefined && isFull) return "crowded";
  return standingOf(holdings, hold, more);
}

function reasonOf(
  standings: readonly Standing[],
  obstacle: "blocked" | "overridden" | undefined,
): Outcome["refusedFor"] {
  if (standings.includes("ended")) return "ended";
  if (obstacle !== undefined) return obstacle;
  return standings.includes("crowded") ? "crowded" : undefined;
}

/** Converts the reading of a limit into what is left, with the holds counted. */
function readHeld(
  { quota }: Limit,
  held: number,
  into: number[],
  place: number,
  wait: (units: number) => { ms: number },
): void {
  const remaining = Math.max(0, (into[place] as number) - held);
  into[place] = remaining;
  into[place + 1] = remaining === quota ? 0 : wait(remaining + 1).ms;
}
