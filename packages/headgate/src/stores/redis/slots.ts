import type { LimitGroup } from "../../core/limit-set.ts";
import { isInDoubt } from "../../core/ruling.ts";
import type { Adjustment, Charge, Outcome, Reading } from "../../core/store.ts";
import { inDoubt } from "./doubt.ts";
import { slotOf } from "./keys.ts";
import type { Request } from "./message.ts";

/** A charge or an adjustment with the key that its partition is stored under. */
type Keyed<Part> = Part & { readonly storedKey: string };

/** Sends a request whose keys live in one slot. */
export type Ask = (slot: number, request: Request) => Promise<Outcome>;

interface SlotShare<Part> {
  readonly slot: number;
  readonly parts: Keyed<Part>[];
  /** What their partitions are stored under. */
  readonly keys: string[];
  /** Where these parts stand in the whole. */
  readonly places: number[];
}

/**
 * Decides charges that live in different slots of a cluster, for which no one call is atomic: each slot charges its
 * share, all or nothing, at the same time as the others; where one refuses, the others give back exactly what they
 * charged. Meanwhile others may be refused who would have been admitted; nobody is ever admitted beyond a limit.
 */
export async function decideAcross(
  charges: readonly Keyed<Charge>[],
  at: number,
  peek: boolean,
  ask: Ask,
): Promise<Outcome> {
  const shares = bySlot(charges);
  const asked = shares.map(({ slot, keys, parts }) =>
    ask(slot, { do: peek ? "peek" : "decide", at, keys, parts }),
  );
  const settled = await Promise.allSettled(asked);
  const fault = settled.find((one) => one.status === "rejected");
  const outcomes = settled.map((one) => (one.status === "fulfilled" ? one.value : undefined));
  const admitted = outcomes.every((outcome) => outcome?.admitted === true);
  if (!peek && !admitted) {
    await Promise.all(
      shares.map(async (share, s) => {
        const outcome = outcomes[s];
        if (outcome?.admitted !== true) return;
        // If it cannot be given back it stays charged, which refuses too much rather than admit too much.
        const refunded = await giveBack(share, outcome, at, ask).catch(() => outcome);
        outcomes[s] = { ...refunded, admitted: true, marks: [] };
      }),
    );
  }
  if (fault !== undefined) throw fault.reason;
  return merge(shares, outcomes as Outcome[], admitted);
}

/**
 * Adjusts partitions in different slots, each by itself: an adjustment is never refused. Where some slots fail and
 * others do not, what was given back there must not be given back again.
 */
export async function adjustAcross(
  adjustments: readonly Keyed<Adjustment>[],
  at: number,
  ask: Ask,
): Promise<Outcome> {
  const shares = bySlot(adjustments);
  const asked = shares.map(({ slot, keys, parts }) => ask(slot, { do: "adjust", at, keys, parts }));
  const settled = await Promise.allSettled(asked);
  const faults = settled.filter((one) => one.status === "rejected");
  if (faults.length > 0) {
    const fault = faults.find(({ reason }) => isInDoubt(reason)) ?? faults[0];
    throw faults.length < shares.length ? inDoubt(fault?.reason) : fault?.reason;
  }
  return merge(shares, await Promise.all(asked), true);
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

function giveBack(share: SlotShare<Charge>, outcome: Outcome, at: number, ask: Ask): Promise<Outcome> {
  const parts = share.parts.map(({ spends, needs: _, ...partition }, p) => ({
    ...partition,
    renewals: [],
    spends: spends.map(() => 0),
    refunds: spends.flatMap((amount, group) =>
      amount === 0 ? [] : [{ group, amount, chargedAt: outcome.now, mark: outcome.marks[p]?.[group] ?? 0 }],
    ),
  }));
  return ask(share.slot, { do: "adjust", at, keys: share.keys, parts });
}

/**
 * One outcome of many. Nodes have clocks of their own: the earliest is given, for which a bucket gives back a little
 * less where the others are ahead, and the marks of sliding windows, which say how far a stamp is ahead of it, absorb
 * the difference.
 */
function merge(
  shares: readonly SlotShare<{ readonly limits: { readonly groups: readonly LimitGroup[] } }>[],
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
        return limits[0]?.algorithm === "sliding-window" ? mark + outcome.now - now : mark;
      });
    });
  });
  return { admitted, now, readings, marks };
}
