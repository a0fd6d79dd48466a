import { type Clock, monotonic } from "../../core/clock.ts";
import { amountsOf, type Cost, spentOf } from "../../core/cost.ts";
import type { LayerMemory } from "../../core/layer-memory.ts";
import { compileLimits, type LimitSet, type LimitsInput } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Outcome, Reading, Store } from "../../core/store.ts";
import type { FakeClock } from "../fake-clock.ts";

/** One partition of one layer, as a request meets it. */
export interface Place {
  readonly space: string;
  readonly key: string;
  readonly limits: LimitSet;
}

/** What a store said to one request. */
export interface Decision {
  readonly admitted: boolean;
  readonly at: number;
  /** The longest wait of all limits. */
  readonly waitMs: number;
  /** Place by place, limit by limit. */
  readonly readings: readonly (readonly Reading[])[];
  /** What can be given back, and under which marks. */
  readonly charged: readonly Charged[];
}

interface Charged extends Place {
  readonly at: number;
  readonly marks: readonly number[];
  readonly spends: readonly number[];
}

/** One store under test, with the words in which the tests speak to it. */
export interface Trial {
  readonly store: Store;
  readonly clock: FakeClock;
  /** A partition that nobody has used. The same name gives the same partition within a trial. */
  place(limits: LimitsInput, key?: string, layer?: string): Place;
  /** The same partition, under other limits. */
  under(place: Place, limits: LimitsInput): Place;
  admit(places: Place | readonly Place[], cost?: Cost): Promise<Decision>;
  peek(places: Place | readonly Place[], cost?: Cost): Promise<Decision>;
  /** Reads without asking for anything: a cost of 0 in every unit. */
  read(place: Place): Promise<readonly Reading[]>;
  /** Gives back so much of what was charged; all of it by default. */
  refund(decision: Decision, amounts?: Cost): Promise<Outcome>;
  /** Spends, whatever is free. */
  spend(places: Place | readonly Place[], cost: Cost): Promise<Decision>;
  /** Keeps the leases of an admitted request alive. */
  renew(decision: Decision): Promise<Outcome>;
  reset(...places: Place[]): Promise<void>;
  /** Asks again at the told moment, having asked 1 ms before it. */
  waitFor(places: Place | readonly Place[], cost?: Cost): Promise<{ early: Decision; due: Decision }>;
}

let trials = 0;

/** @param clock moves the time that the store goes by. */
export function startTrial(store: Store, clock: FakeClock): Trial {
  // Remote stores may keep what earlier trials left: no trial meets another's partitions.
  trials += 1;
  const name = `suite-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${trials}`;
  // A store without a clock of its own is given the limiter's time, which never runs backwards.
  const limiterClock: Clock = monotonic(clock);
  const compiled = new Map<string, LimitSet>();
  const memories = new Map<string, LayerMemory>();

  /** All limits of one layer share its memory, as those of its plans do. */
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

  async function decide(
    places: Place | readonly Place[],
    cost: Cost | undefined,
    peek: boolean,
  ): Promise<Decision> {
    const charges = listOf(places).map((place): Charge => ({ ...place, ...amountsOf(place.limits, cost) }));
    const outcome = await store.decide(charges, limiterClock.now(), peek);
    return concluded(outcome, charges, outcome.admitted && !peek);
  }

  async function adjust(adjustments: readonly Adjustment[]): Promise<Outcome> {
    return await store.adjust(adjustments, limiterClock.now());
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

    async read(place) {
      const nothing = Object.fromEntries(place.limits.groups.map(({ unit }) => [unit, 0]));
      const { readings } = await decide(place, nothing, true);
      return readings[0] ?? [];
    },

    refund({ charged }, amounts) {
      return adjust(
        charged.map(({ space, key, limits, marks, spends, at }) => ({
          space,
          key,
          limits,
          refunds: limits.groups.flatMap(({ unit }, group) => {
            const amount = amounts === undefined ? (spends[group] ?? 0) : (amounts[unit] ?? 0);
            return amount === 0 ? [] : [{ group, amount, chargedAt: at, mark: marks[group] ?? 0 }];
          }),
          renewals: [],
          spends: limits.groups.map(() => 0),
        })),
      );
    },

    async spend(places, cost) {
      const adjustments = listOf(places).map(
        (place): Adjustment => ({
          ...place,
          refunds: [],
          renewals: [],
          spends: place.limits.groups.map(({ unit }) =>
            Object.hasOwn(cost, unit) ? spentOf(cost, unit) : 0,
          ),
        }),
      );
      return concluded(await adjust(adjustments), adjustments, true);
    },

    renew({ charged }) {
      return adjust(
        charged.map(({ space, key, limits, marks, spends }) => ({
          space,
          key,
          limits,
          refunds: [],
          renewals: limits.groups.flatMap((group, g) =>
            group.algorithm.renew !== undefined && (spends[g] ?? 0) > 0
              ? [{ group: g, mark: marks[g] ?? 0 }]
              : [],
          ),
          spends: limits.groups.map(() => 0),
        })),
      );
    },

    async reset(...places) {
      await store.reset(places, limiterClock.now());
    },

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

function concluded(
  outcome: Outcome,
  charges: readonly (Place & { readonly spends: readonly number[] })[],
  charged: boolean,
): Decision {
  return {
    admitted: outcome.admitted,
    at: outcome.now,
    waitMs: Math.max(0, ...outcome.readings.flat().map(({ waitMs }) => waitMs)),
    readings: outcome.readings,
    charged: charged
      ? charges.map(({ space, key, limits, spends }, c) => ({
          space,
          key,
          limits,
          spends,
          at: outcome.now,
          marks: outcome.marks[c] ?? [],
        }))
      : [],
  };
}

function listOf(places: Place | readonly Place[]): readonly Place[] {
  return Array.isArray(places) ? (places as readonly Place[]) : [places as Place];
}
