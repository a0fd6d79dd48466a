import { type Clock, monotonic } from "../../core/clock.ts";
import { amountsOf, type Cost, spentOf } from "../../core/cost.ts";
import type { LayerMemory } from "../../core/layer-memory.ts";
import { compileLimits, type LimitSet, type LimitsInput } from "../../core/limit-set.ts";
import { beginOverride, blocked, type Override, type OverrideTerms } from "../../core/override.ts";
import type { Adjustment, Charge, Outcome, Reading, Refund, Store } from "../../core/store.ts";
import type { FakeClock } from "../fake-clock.ts";
import { expectThat } from "./expect.ts";

/** One partition of one layer in a request. */
export interface Place {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
  /** The override from which the limits come. */
  readonly override?: Override;
}

/** A store's decision about one request. */
export interface Decision {
  readonly admitted: boolean;
  readonly at: number;
  /** The longest wait of all limits. */
  readonly waitMs: number;
  /** For each place, the readings of its limits. */
  readonly readings: readonly (readonly Reading[])[];
  readonly refusedFor: Outcome["refusedFor"];
  /** For each place, the override in force, if it is the reason for the refusal. */
  readonly overrides: Outcome["overrides"];
  /** The reservation, as far as the caller knows it. */
  readonly reservation: Reservation;
}

/** What was spent and is held under one reservation id. */
export interface Reservation {
  readonly rid: string;
  seq: number;
  readonly places: readonly Place[];
  /** For each place, for each group, in totals. */
  readonly used: readonly number[][];
  readonly held: readonly number[][];
  /** For each place, the charges that can be given back, newest first. */
  readonly refunds: readonly Refund[][];
}

/** One store under test, with the operations that tests use. */
export interface Trial {
  readonly store: Store;
  readonly clock: FakeClock;
  /** Returns a new partition. The same name returns the same partition within a trial. */
  place(limits: LimitsInput, key?: string, layer?: string): Place;
  /** Returns the same partition under other limits. */
  under(place: Place, limits: LimitsInput): Place;
  /** Decides a request. Places of `concurrent` limits are held; all other units are spent immediately. */
  admit(places: Place | readonly Place[], cost?: Cost): Promise<Decision>;
  /** Asks like a limiter: requests are spent immediately, and all other units are held. */
  hold(places: Place | readonly Place[], cost: Cost): Promise<Decision>;
  /** Asks to hold this much more for the same reservation; requests are spent immediately. */
  extend(decision: Decision, cost: Cost): Promise<Decision>;
  /** Reports the total use so far, which reduces the hold. The report is also a heartbeat. */
  report(decision: Decision, used?: Cost): Promise<Outcome>;
  /** Ends the reservation with `used` in totals, or as reported. */
  end(decision: Decision, used?: Cost): Promise<Outcome>;
  peek(places: Place | readonly Place[], cost?: Cost): Promise<Decision>;
  /** Reads with a cost of 0 in every unit. */
  read(place: Place): Promise<readonly Reading[]>;
  /** Gives back spent or held units. Default: all of them. */
  refund(decision: Decision, amounts?: Cost): Promise<Outcome>;
  /** Spends without checking the quota. */
  spend(places: Place | readonly Place[], cost: Cost): Promise<Decision>;
  reset(...places: Place[]): Promise<void>;
  /** Sets an override of these partitions. */
  override(places: Place | readonly Place[], terms: Omit<OverrideTerms, "id">): Promise<Override>;
  /** Sets an override that admits nobody. */
  block(places: Place | readonly Place[], terms?: Omit<OverrideTerms, "id" | "limits">): Promise<void>;
  /** Ends the override in force. */
  unblock(places: Place | readonly Place[]): Promise<void>;
  /** Asks 1 ms before the reported moment, and again at that moment. */
  waitFor(places: Place | readonly Place[], cost?: Cost): Promise<{ early: Decision; due: Decision }>;
}

let trials = 0;

/** @param clock the store's clock. */
export function startTrial(store: Store, clock: FakeClock): Trial {
  // A remote store may contain partitions of earlier trials, so names are unique.
  trials += 1;
  const name = `suite-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${trials}`;
  // A store without its own clock gets the limiter's time, which never runs backwards.
  const limiterClock: Clock = monotonic(clock);
  const compiled = new Map<string, LimitSet>();
  const memories = new Map<string, LayerMemory>();

  /** All limits of one layer share its memory, like the plans of a layer. */
  function limitsOf(input: LimitsInput, layer: string): LimitSet {
    const text = JSON.stringify([layer, input]);
    let limits = compiled.get(text);
    if (limits === undefined) {
      const memory = memories.get(layer) ?? new Map();
      memories.set(layer, memory);
      limits = compileLimits("suite", input, memory);
      compiled.set(text, limits);
    }
    return limits;
  }

  async function ask(charges: readonly Charge[], peek: boolean, reservation: Reservation): Promise<Decision> {
    const { rid, seq } = reservation;
    const holds = charges.some((charge) => charge.holds !== undefined);
    const outcome = await store.decide(charges, limiterClock.now(), peek, holds ? { rid, seq } : undefined);
    if (outcome.admitted && !peek) {
      charges.forEach((charge, c) => {
        charge.limits.groups.forEach((_, g) => {
          note(reservation, c, g, charge.spends[g] ?? 0, outcome);
          if (charge.holds !== undefined) (reservation.held[c] as number[])[g] = charge.holds[g] ?? 0;
        });
      });
    }
    return {
      admitted: outcome.admitted,
      at: outcome.now,
      waitMs: Math.max(0, ...outcome.readings.flat().map(({ waitMs }) => waitMs)),
      readings: outcome.readings,
      refusedFor: outcome.refusedFor,
      overrides: outcome.overrides,
      reservation,
    };
  }

  function decide(places: Place | readonly Place[], cost: Cost | undefined, peek: boolean) {
    const list = listOf(places);
    const charges = list.map((place): Charge => ({ ...place, ...atOnce(place.limits, cost ?? {}) }));
    return ask(charges, peek, reserve(list));
  }

  async function adjust(
    reservation: Reservation,
    totals: { used: readonly number[][]; held: readonly number[][] },
    ended: boolean,
  ): Promise<Outcome> {
    const { rid, places, used: known, refunds } = reservation;
    reservation.seq += 1;
    const adjustments = places.map(
      (place, c): Adjustment => ({
        ...place,
        rid,
        seq: reservation.seq,
        ended,
        raises: false,
        known: [...(known[c] ?? [])],
        used: totals.used[c] ?? [],
        held: totals.held[c] ?? [],
        refunds: (refunds[c] ?? []).map((refund) => ({ ...refund })),
      }),
    );
    const outcome = await store.adjust(adjustments, limiterClock.now());
    places.forEach(({ limits }, c) => {
      limits.groups.forEach((_, g) => {
        note(reservation, c, g, (totals.used[c]?.[g] ?? 0) - (known[c]?.[g] ?? 0), outcome);
        (reservation.held[c] as number[])[g] = ended ? 0 : (totals.held[c]?.[g] ?? 0);
      });
    });
    return outcome;
  }

  async function applyOverride(
    places: Place | readonly Place[],
    terms: OverrideTerms | undefined,
  ): Promise<void> {
    expectThat(store.override !== undefined, "The store has override, to block callers with");
    const partitions = listOf(places).map(({ space, key }) => ({ space, key }));
    await store.override?.(partitions, terms, limiterClock.now());
  }

  const trial: Trial = {
    store,
    clock,

    place: (limits, key = "caller", layer = "layer") => ({
      space: `${name}.${layer}`,
      key,
      limits: limitsOf(limits, `${name}.${layer}`),
    }),

    under: ({ space, key }, limits) => ({ space, key, limits: limitsOf(limits, space) }),

    admit: (places, cost) => decide(places, cost, false),
    peek: (places, cost) => decide(places, cost, true),

    hold(places, cost) {
      const list = listOf(places);
      const charges = list.map((place): Charge => ({ ...place, ...amountsOf(place.limits, cost) }));
      return ask(charges, false, reserve(list));
    },

    extend({ reservation }, cost) {
      reservation.seq += 1;
      const charges = reservation.places.map((place, c): Charge => {
        const { groups } = place.limits;
        const more = groups.map(({ unit }) => cost[unit] ?? 0);
        const held = reservation.held[c] ?? [];
        // Requests are never held.
        const isSpent = groups.map(({ unit }) => unit === "requests");
        return {
          ...place,
          needs: more,
          spends: more.map((units, g) => (isSpent[g] ? units : 0)),
          holds: more.map((units, g) => (isSpent[g] ? 0 : units + (held[g] ?? 0))),
          known: [...(reservation.used[c] ?? [])],
        };
      });
      return ask(charges, false, reservation);
    },

    report: ({ reservation }, used) => adjust(reservation, totalsOf(reservation, used), false),
    end: ({ reservation }, used) => adjust(reservation, totalsOf(reservation, used), true),

    async read(place) {
      const nothing = Object.fromEntries(place.limits.groups.map(({ unit }) => [unit, 0]));
      const { readings } = await decide(place, nothing, true);
      return readings[0] ?? [];
    },

    refund({ reservation }, amounts) {
      const less = (totals: readonly number[][]) =>
        totals.map((units, c) =>
          units.map((amount, g) => {
            const unit = reservation.places[c]?.limits.groups[g]?.unit ?? "";
            return Math.max(0, amount - (amounts === undefined ? amount : (amounts[unit] ?? 0)));
          }),
        );
      return adjust(reservation, { used: less(reservation.used), held: less(reservation.held) }, false);
    },

    async spend(places, cost) {
      const list = listOf(places);
      const reservation = reserve(list);
      const used = list.map(({ limits }) => limits.groups.map(({ unit }) => cost[unit] ?? 0));
      const outcome = await adjust(reservation, { used, held: [] }, false);
      return {
        admitted: true,
        at: outcome.now,
        waitMs: 0,
        readings: outcome.readings,
        refusedFor: undefined,
        overrides: undefined,
        reservation,
      };
    },

    async reset(...places) {
      await store.reset(places, limiterClock.now());
    },

    async override(places, terms) {
      const named = { id: Math.floor(Math.random() * (2 ** 48 - 1)) + 1, ...terms };
      await applyOverride(places, named);
      return beginOverride(named, limiterClock.now());
    },

    block: (places, terms) => trial.override(places, { ...terms, limits: blocked }).then(() => {}),
    unblock: (places) => applyOverride(places, undefined),

    async waitFor(places, cost) {
      const { waitMs } = await decide(places, cost, true);
      clock.advance(waitMs - 1);
      const early = await decide(places, cost, true);
      clock.advance(1);
      const due = await decide(places, cost, false);
      return { early, due };
    },
  };
  return trial;
}

let reservations = 0;

/** Returns a reservation that has not been requested yet. */
export function reserve(places: readonly Place[]): Reservation {
  reservations += 1;
  const random = Math.floor(Math.random() * 2 ** 48);
  return {
    rid: random.toString(16).padStart(12, "0") + reservations.toString(16).padStart(12, "0"),
    seq: 1,
    places,
    used: places.map(({ limits }) => limits.groups.map(() => 0)),
    held: places.map(({ limits }) => limits.groups.map(() => 0)),
    refunds: places.map(() => []),
  };
}

/** Records that this much more, or less, was used in one group. */
function note(reservation: Reservation, c: number, g: number, change: number, { now, marks }: Outcome): void {
  if (change === 0) return;
  const used = reservation.used[c] as number[];
  used[g] = (used[g] ?? 0) + change;
  const refunds = reservation.refunds[c] as Refund[];
  if (change > 0) {
    refunds.unshift({ group: g, amount: change, chargedAt: now, mark: marks[c]?.[g] ?? 0 });
    return;
  }
  let left = -change;
  for (const [n, refund] of refunds.entries()) {
    if (refund.group !== g) continue;
    const given = Math.min(left, refund.amount);
    left -= given;
    refunds[n] = { ...refund, amount: refund.amount - given };
  }
}

/** Returns the totals after this use. */
function totalsOf(reservation: Reservation, used: Cost = {}) {
  const { places, used: before, held } = reservation;
  const unitOf = (c: number, g: number) => places[c]?.limits.groups[g]?.unit ?? "";
  const now = before.map((units, c) => units.map((amount, g) => used[unitOf(c, g)] ?? amount));
  return {
    used: now,
    held: held.map((units, c) =>
      units.map((amount, g) => Math.max(0, amount - Math.max(0, (now[c]?.[g] ?? 0) - (before[c]?.[g] ?? 0)))),
    ),
  };
}

/** Returns amounts with which places of `concurrent` limits are held, and all other units are spent immediately. */
function atOnce(limits: LimitSet, cost: Cost): Pick<Charge, "needs" | "spends" | "holds"> {
  const amounts = limits.groups.map(({ unit }) => spentOf(cost, unit));
  const isHeld = limits.groups.map((_, g) => limits.limitsOfGroup[g]?.[0]?.algorithm === "concurrent");
  const held = amounts.map((amount, g) => (isHeld[g] ? amount : 0));
  return {
    needs: limits.groups.map(({ unit }, g) => (Object.hasOwn(cost, unit) ? (amounts[g] ?? 0) : 1)),
    spends: amounts.map((amount, g) => (isHeld[g] ? 0 : amount)),
    ...(held.some((units) => units > 0) ? { holds: held } : {}),
  };
}

function listOf(places: Place | readonly Place[]): readonly Place[] {
  return Array.isArray(places) ? (places as readonly Place[]) : [places as Place];
}
