import type { LimitGroup, LimitSet } from "../../core/limit-set.ts";
import { blocked, type OverrideTerms, writeNote } from "../../core/override.ts";
import type { Adjustment, Charge, Hold } from "../../core/store.ts";
import { calendarEdges, describeGroup } from "./limit-descriptions.ts";
import { type PartitionId, partitionId } from "./partition-id.ts";
import { holdingsStateId, never, requestKinds } from "./sql/codes.ts";

/** One request to the store. */
export type StoreRequest =
  | { readonly kind: "admit" | "peek"; readonly charges: readonly Charge[]; readonly hold: Hold | undefined }
  | { readonly kind: "adjust"; readonly adjustments: readonly Adjustment[] }
  | { readonly kind: "reset"; readonly partitions: readonly Partition[] };

export interface Partition {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
}

/** The parameters of the `apply` function, as texts that any driver passes on as they are. */
export type ApplyParameters = [
  partitionIds: string,
  stateIds: string,
  limits: string,
  requests: string,
  locks: string,
  at: string | null,
];

/**
 * Writes a batch of requests as the `apply` function in `sql/apply.ts` reads it.
 *
 * @param processNow this process's time, ms, for calendars
 * @param at the time to decide at, ms; `null` for the server's own
 */
export function encode(
  requests: readonly StoreRequest[],
  processNow: number,
  at: number | null,
): ApplyParameters {
  const partitionIds: string[] = [];
  const stateIds: string[] = [];
  const places = new Map<string, number>();
  const limits: number[] = [];
  const limitPlaces = new Map<LimitGroup, number>();
  const numbers: number[] = [];
  const locks = new Set<number>();
  /** By partition and unit: where the states of requests are in `numbers`, and the kinds of those requests. */
  const units = new Map<string, { place: number; isShared: boolean; at: number[]; kindAt: number[] }>();

  function placeOf(id: string, state: string): number {
    const name = id + state;
    let place = places.get(name);
    if (place === undefined) {
      place = partitionIds.push(id);
      stateIds.push(state);
      places.set(name, place);
    }
    return place;
  }

  /**
   * Writes the position of a group's state. It is negative if the batch names another state of the same unit and partition,
   * and 0 if there is no state because the algorithm does not spend (`concurrent`).
   */
  function pushPlace(id: string, group: LimitGroup, kindAt: number): void {
    const { stateId } = describeGroup(group);
    if (stateId === undefined) {
      numbers.push(0);
      return;
    }
    const place = placeOf(id, stateId);
    const at = numbers.push(place) - 1;
    const name = `${id} ${group.unit}`;
    const mates = units.get(name);
    if (mates === undefined) {
      units.set(name, { place, isShared: false, at: [at], kindAt: [kindAt] });
      return;
    }
    mates.at.push(at);
    mates.kindAt.push(kindAt);
    mates.isShared ||= mates.place !== place;
  }

  function limitsPlaceOf(group: LimitGroup): number {
    let place = limitPlaces.get(group);
    if (place === undefined) {
      const description = describeGroup(group);
      place = limits.length + 1;
      limits.push(...description.numbers);
      if (description.calendar !== undefined) limits.push(...calendarEdges(description.calendar, processNow));
      limitPlaces.set(group, place);
    }
    return place;
  }

  function locked({ id, lock }: PartitionId): string {
    locks.add(lock);
    return id;
  }

  /** Reading needs no lock: it sees each decision completely or not at all. */
  function idOf({ space, key }: Charge, peek: boolean): string {
    const partition = partitionId(space, key);
    return peek ? partition.id : locked(partition);
  }

  function countGroups(entries: readonly { readonly limits: LimitSet }[]): number {
    let count = 0;
    for (const entry of entries) count += entry.limits.groups.length;
    return count;
  }

  function writeCharges(charges: readonly Charge[], peek: boolean): void {
    const kind = peek ? requestKinds.peek : isPlain(charges) ? requestKinds.plain : requestKinds.admit;
    const kindAt = numbers.push(kind, countGroups(charges)) - 2;
    for (const charge of charges) {
      const id = idOf(charge, peek);
      charge.limits.groups.forEach((group, g) => {
        pushPlace(id, group, kindAt);
        numbers.push(limitsPlaceOf(group), charge.needs[g] ?? 0, charge.spends[g] ?? 0);
      });
    }
  }

  /** Overrides of the limits are written around the request: most requests have none, and write nothing. */
  function writeUnder(charges: readonly Charge[], peek: boolean, write: () => void): void {
    const named = charges.filter(({ override }) => override !== undefined);
    if (named.length === 0) {
      write();
      return;
    }
    numbers.push(requestKinds.under, named.length);
    for (const charge of named)
      numbers.push(placeOf(idOf(charge, peek), holdingsStateId), charge.override?.id ?? 0);
    write();
    numbers.push(requestKinds.under, 0);
  }

  function writeReserving(charges: readonly Charge[], peek: boolean, hold: Hold | undefined): void {
    const kindAt = numbers.length;
    numbers.push(
      peek ? requestKinds.reservePeek : requestKinds.reserve,
      charges.length,
      ...(hold === undefined ? [0, 0, -1] : [...halvesOf(hold.rid), hold.seq]),
    );
    for (const charge of charges) {
      const { limits, needs, spends, holds = [], known = [] } = charge;
      const id = idOf(charge, peek);
      const holdsAnything = holds.some((units) => units > 0);
      numbers.push(placeOf(id, holdingsStateId), limits.leaseMs, Number(holdsAnything), limits.groups.length);
      limits.groups.forEach((group, g) => {
        pushPlace(id, group, kindAt);
        numbers.push(limitsPlaceOf(group), describeGroup(group).unitId, Number(isFirstOfUnit(limits, g)));
        numbers.push(needs[g] ?? 0, spends[g] ?? 0, holds[g] ?? 0, known[g] ?? 0);
      });
    }
  }

  function writeAdjustments(adjustments: readonly Adjustment[]): void {
    const kindAt = numbers.push(requestKinds.adjust, adjustments.length) - 2;
    for (const { space, key, limits, rid, seq, ended, raises, known, used, held, refunds } of adjustments) {
      const id = locked(partitionId(space, key));
      numbers.push(placeOf(id, holdingsStateId), limits.leaseMs, ...halvesOf(rid), seq);
      numbers.push(Number(ended), Number(raises), limits.groups.length);
      limits.groups.forEach((group, g) => {
        const mine = refunds.filter((refund) => refund.group === g);
        pushPlace(id, group, kindAt);
        numbers.push(limitsPlaceOf(group), describeGroup(group).unitId, Number(isFirstOfUnit(limits, g)));
        numbers.push(known[g] ?? 0, used[g] ?? 0, held[g] ?? 0, mine.length);
        for (const { amount, chargedAt, mark } of mine) numbers.push(amount, chargedAt, mark);
      });
    }
  }

  function writeReset(partitions: readonly Partition[]): void {
    numbers.push(requestKinds.reset, partitions.length);
    for (const { space, key } of partitions) {
      numbers.push(placeOf(locked(partitionId(space, key)), holdingsStateId));
    }
  }

  for (const request of requests) {
    if (request.kind === "adjust") {
      writeAdjustments(request.adjustments);
    } else if (request.kind === "reset") {
      writeReset(request.partitions);
    } else {
      const { charges, hold } = request;
      const peek = request.kind === "peek";
      writeUnder(charges, peek, () => {
        if (mayHold(charges, hold) || charges.some(countsNothing)) writeReserving(charges, peek, hold);
        else writeCharges(charges, peek);
      });
    }
  }

  for (const { isShared, at: places, kindAt } of units.values()) {
    if (!isShared) continue;
    for (const place of places) numbers[place] = -(numbers[place] as number);
    for (const place of kindAt)
      if (numbers[place] === requestKinds.plain) numbers[place] = requestKinds.admit;
  }

  // All processes lock in the same order, so that there is no deadlock.
  const sorted = [...locks].sort((a, b) => a - b);
  return [
    `{${partitionIds.join()}}`,
    `{${stateIds.join()}}`,
    `{${limits.join()}}`,
    `{${numbers.join()}}`,
    `{${sorted.join()}}`,
    at === null ? null : String(at),
  ];
}

/** The parameters of the `override` function, in its order. */
export function encodeOverride(
  partitions: readonly { readonly space: string; readonly key: string }[],
  terms: OverrideTerms | undefined,
  at: number | null,
): (string | null)[] {
  const ids = partitions.map(({ space, key }) => partitionId(space, key));
  const locks = [...new Set(ids.map(({ lock }) => lock))].sort((a, b) => a - b);
  const { id = 0, limits = "", until, forMs } = terms ?? {};
  const endsAt = forMs === undefined || until !== undefined ? momentOf(until) : null;
  return [
    `{${ids.map((one) => one.id).join()}}`,
    String(id),
    String(limits === blocked),
    endsAt,
    forMs === undefined ? null : String(Math.floor(forMs)),
    terms === undefined ? null : writeNote(terms),
    `{${locks.join()}}`,
    at === null ? null : String(at),
  ];
}

function momentOf(until = Number.POSITIVE_INFINITY): string {
  return until === Number.POSITIVE_INFINITY ? String(never) : String(Math.floor(until));
}

/** Whether holds have to be looked up. */
function mayHold(charges: readonly Charge[], hold: Hold | undefined): boolean {
  return hold !== undefined || charges.some(({ limits }) => limits.holdable);
}

/** A plain request names partitions only by their groups. Without one, its block would not be found. */
function countsNothing({ limits }: Charge): boolean {
  return limits.groups.length === 0;
}

/** A reservation's id as two numbers of 48 bits. */
function halvesOf(rid: string): [high: number, low: number] {
  return [Number.parseInt(rid.slice(0, 12), 16), Number.parseInt(rid.slice(12), 16)];
}

/** The used and held amounts of a unit are written with the first of its groups. */
function isFirstOfUnit({ groups }: LimitSet, g: number): boolean {
  return groups.findIndex(({ unit }) => unit === groups[g]?.unit) === g;
}

/** Beyond this many, comparing each with all others would take longer than it saves. */
const mostPlainCharges = 8;

/** Whether all charges are to sliding windows, spend what they need, and name each state once. */
function isPlain(charges: readonly Charge[]): boolean {
  if (charges.length > mostPlainCharges) return false;
  return charges.every(({ space, key, limits, needs, spends, override }, c) => {
    if (override !== undefined) return false;
    const earlier = charges.findIndex((other) => other.key === key && other.space === space);
    if (earlier < c) return false;
    return limits.groups.every((group, g) => {
      const need = needs[g] ?? 0;
      return group.limits[0]?.algorithm === "sliding-window" && need > 0 && spends[g] === need;
    });
  });
}
