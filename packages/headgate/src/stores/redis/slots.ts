import { withKnown } from "../../core/claim.ts";
import type { LimitGroup } from "../../core/limit-set.ts";
import type { Override } from "../../core/override.ts";
import { isInDoubt } from "../../core/ruling.ts";
import type { Adjustment, Outcome, Reading } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import type { Request } from "./encode.ts";
import { slotOf } from "./partition-id.ts";

/** A charge or an adjustment with the key that its partition is stored under. */
export type Keyed<Part> = Part & { readonly storedKey: string };

/** Sends a request whose keys live in one slot. */
export type Ask = (slot: number, request: Request) => Promise<Outcome>;

export interface SlotShare<Part> {
  readonly slot: number;
  readonly parts: Keyed<Part>[];
  /** The keys of their partitions. */
  readonly keys: string[];
  /** The indexes of these parts in the whole list. */
  readonly places: number[];
}

/** A server does nothing else while a script runs. This many adjustments take a millisecond or two. */
const mostAdjustmentsACall = 64;

/**
 * Adjusts partitions in different slots, and many partitions, in several independent calls: an adjustment is never refused
 * and may be repeated. If some calls fail and others do not, the whole adjustment is in doubt.
 */
export async function adjustAcross(
  reported: readonly Keyed<Adjustment>[],
  at: number,
  ask: Ask,
  split: (adjustments: readonly Keyed<Adjustment>[]) => SlotShare<Adjustment>[] = bySlot,
): Promise<Outcome> {
  const slotOfPart = (adjustment: Keyed<Adjustment>) => split([adjustment])[0]?.slot ?? 0;
  const needsClaims = reported.some(({ claim, raises }) => raises && claim !== undefined);
  const adjustments = needsClaims ? await withCounted(reported, at, ask, slotOfPart) : reported;
  const shares = split(adjustments).flatMap((share) => inSteps(share, mostAdjustmentsACall));
  const asked = shares.map(({ slot, keys, parts }) => ask(slot, { do: "adjust", at, keys, parts }));
  const settled = await Promise.allSettled(asked);
  const faults = settled.filter((one) => one.status === "rejected");
  if (faults.length > 0) {
    const fault = faults.find(({ reason }) => isInDoubt(reason)) ?? faults[0];
    throw faults.length < shares.length ? inDoubt(fault?.reason) : fault?.reason;
  }
  return merge(shares, await Promise.all(asked), true);
}

/**
 * After a lost reply or a long outage, a store may have no entry of a reservation whose requests it has counted. The
 * claim of its id shows whether it has. A first attempt has paid in the claim's slot, but perhaps not in others. A later
 * attempt follows one that has paid in all of them.
 */
async function withCounted(
  adjustments: readonly Keyed<Adjustment>[],
  at: number,
  ask: Ask,
  slotOfPart: (adjustment: Keyed<Adjustment>) => number,
): Promise<readonly Keyed<Adjustment>[]> {
  const owned = new Map<string, { slot: number; requests: number; attempt: number }>();
  const asked = adjustments.map(async (adjustment) => {
    const { claim, raises, rid, storedKey: of } = adjustment;
    if (claim === undefined || !raises) return;
    const { id, requests } = claim;
    const slot = slotOfPart(adjustment);
    const { attempt = 0 } = await ask(slot, { do: "owned", at, of, keys: [], parts: [], rid, id });
    if (attempt > 0) owned.set(rid, { slot, requests, attempt });
  });
  await Promise.all(asked);
  if (owned.size === 0) return adjustments;
  return adjustments.map((adjustment) => {
    const its = owned.get(adjustment.rid);
    if (its === undefined) return adjustment;
    const hasPaid = its.attempt > 1 || its.slot === slotOfPart(adjustment);
    return hasPaid ? withKnown(adjustment, its.requests) : adjustment;
  });
}

function inSteps<Part>({ slot, parts, keys, places }: SlotShare<Part>, most: number): SlotShare<Part>[] {
  const steps: SlotShare<Part>[] = [];
  for (let from = 0; from < parts.length; from += most) {
    const upto = from + most;
    steps.push({
      slot,
      parts: parts.slice(from, upto),
      keys: keys.slice(from, upto),
      places: places.slice(from, upto),
    });
  }
  return steps;
}

/** All parts in one share, as without a cluster. */
export function inOneSlot<Part>(parts: readonly Keyed<Part>[]): SlotShare<Part>[] {
  const keys = parts.map(({ storedKey }) => storedKey);
  return [{ slot: 0, parts: [...parts], keys, places: [...parts.keys()] }];
}

/** Splits parts by the slots of their keys. */
export function bySlot<Part>(parts: readonly Keyed<Part>[]): SlotShare<Part>[] {
  const shares = new Map<number, SlotShare<Part>>();
  parts.forEach((part, place) => {
    const slot = slotOf(part.storedKey);
    const share = shares.get(slot);
    if (share === undefined) {
      shares.set(slot, { slot, parts: [part], keys: [part.storedKey], places: [place] });
    } else {
      share.parts.push(part);
      share.keys.push(part.storedKey);
      share.places.push(place);
    }
  });
  return [...shares.values()];
}

/** If several slots give reasons, the first one is used for the whole request. */
const mergedOrder = ["ended", "overridden", "blocked", "crowded"] as const;

/**
 * Joins many outcomes into one. Each node has its own clock, and the earliest time is used. A bucket on a node that is
 * ahead then gives back a little less. The marks of sliding windows are adjusted by the difference.
 */
export function merge(
  shares: readonly SlotShare<{
    readonly limits: { readonly groups: readonly LimitGroup[] };
    readonly override?: Override;
  }>[],
  outcomes: readonly Outcome[],
  admitted: boolean,
): Outcome {
  const now = Math.min(...outcomes.map((outcome) => outcome.now));
  const readings: (readonly Reading[])[] = [];
  const marks: (readonly number[])[] = [];
  shares.forEach(({ parts, places }, s) => {
    const outcome = outcomes[s] as Outcome;
    places.forEach((place, p) => {
      readings[place] = outcome.readings[p] ?? [];
      if (!admitted || outcome.marks.length === 0) return;
      const groups = parts[p]?.limits.groups ?? [];
      marks[place] = groups.map(({ limits }, g) => {
        const mark = outcome.marks[p]?.[g] ?? 0;
        if (limits[0]?.algorithm !== "sliding-window") return mark;
        const ahead = outcome.now - now;
        return mark < 0 ? mark - ahead : mark + ahead;
      });
    });
  });
  const reasons = outcomes.map(({ refusedFor }) => refusedFor);
  const refusedFor = mergedOrder.find((reason) => reasons.includes(reason));
  // There is no common order over several nodes.
  const order = outcomes.length === 1 ? outcomes[0]?.order : undefined;
  if (refusedFor === undefined) {
    const contended = !admitted && outcomes.some((outcome) => outcome.contended);
    return { admitted, now, order, readings, marks, ...(contended ? { contended } : {}) };
  }
  if (refusedFor === "ended" || refusedFor === "crowded")
    return { admitted, now, order, readings, marks, refusedFor };
  const overrides: (Override | undefined)[] = [];
  shares.forEach(({ parts, places }, s) => {
    places.forEach((place, p) => {
      // If a slot does not report another override, the one that the charge was made under is in force.
      overrides[place] = outcomes[s]?.overrides === undefined ? parts[p]?.override : outcomes[s].overrides[p];
    });
  });
  return { admitted, now, order, readings, marks, refusedFor, overrides };
}
