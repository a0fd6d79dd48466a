import { after } from "../core/after.ts";
import { amountsOf, type Cost } from "../core/cost.ts";
import { HeadgateError } from "../core/errors.ts";
import type { LayerMemory } from "../core/layer-memory.ts";
import { blocked, type Override, type OverrideByPrefix } from "../core/override.ts";
import { reasonOf } from "../core/reason.ts";
import { type Ledger, partOf, type Question, type Ruling } from "../core/ruling.ts";
import { isSharedKey } from "../core/shared-keys.ts";
import type { Charge, Reading } from "../core/store.ts";
import type { KnownOverrides } from "./known-overrides.ts";
import { createOverridingLimits } from "./limits.ts";
import type { Prefixes } from "./prefixes.ts";

export interface OverridingOptions {
  readonly known: KnownOverrides;
  /** Absent where overrides by prefix count for nothing. */
  readonly prefixes?: Pick<Prefixes, "isEmpty" | "find">;
  /** Whether the store keeps overrides at all. */
  readonly storeOverrides: boolean;
  /** Whether asking the store costs a trip. */
  readonly isRemote: boolean;
  readonly ledger: Ledger;
  readonly memoryOf: (layer: string) => LayerMemory;
  readonly mintRid: () => string;
  readonly now: () => number;
  /** Reports each kind of mistake once. */
  readonly report: (error: unknown) => void;
  /** Asks the store, or what decides in its place. */
  readonly ask: (question: Question, peek: boolean) => Ruling | Promise<Ruling>;
}

/** An override may be replaced while it is read; so often it is asked again. */
const mostTries = 3;
/** When to ask again where that was not enough, ms. */
const retryMs = 1000;

/**
 * Decides under the overrides in force. The store keeps them, and refuses to decide a request that was asked for under
 * other limits: it is asked for again then, under those that the store has named.
 */
export function createOverriding(options: OverridingOptions) {
  const { known, prefixes, storeOverrides, isRemote, ledger, mintRid, now, report, ask } = options;
  const overriding = createOverridingLimits(options.memoryOf);

  function chargeUnder(
    charge: Charge,
    layer: string,
    override: Override,
    cost: Cost | undefined,
    as: "override" | "byPrefix" = "override",
  ): Charge {
    const { space, key } = charge;
    let { limits } = charge;
    try {
      limits = overriding.of(layer, charge.limits, override.limits);
    } catch (error) {
      const reason = reasonOf(error);
      const message = `An override in layer "${layer}" cannot be used, and the caller's own limits hold: ${reason}`;
      report(new HeadgateError("store-state-invalid", message, { cause: error }));
    }
    return { space, key, limits, ...amountsOf(limits, cost), [as]: override };
  }

  /** For each charge, what is in force by the longest prefix of its key; `undefined` where that is nothing anywhere. */
  function findPrefixes({ layers, charges }: Question): (OverrideByPrefix | undefined)[] | undefined {
    if (prefixes === undefined || prefixes.isEmpty) return undefined;
    let found: (OverrideByPrefix | undefined)[] | undefined;
    for (let c = 0; c < charges.length; c += 1) {
      const { key } = charges[c] as Charge;
      const override = isSharedKey(key) ? undefined : prefixes.find(layers[c] as string, key, now());
      if (override === undefined) continue;
      found ??= charges.map(() => undefined);
      found[c] = override;
    }
    return found;
  }

  /**
   * The same request under what is in force. One of the partition's own goes before one by prefix; that it is blocked is the store's
   * matter.
   */
  function under(
    own: Question,
    overrides: readonly (Override | undefined)[] | undefined,
    cost: Cost | undefined,
  ): Question {
    const byPrefix = findPrefixes(own);
    if (overrides === undefined && byPrefix === undefined) return own;
    const { layers, policy, claim } = own;
    const charges = own.charges.map((charge, c) => {
      const [override, wider] = [overrides?.[c], byPrefix?.[c]];
      if (override?.limits === blocked) return charge;
      if (override !== undefined) return chargeUnder(charge, layers[c] as string, override, cost);
      return wider === undefined ? charge : chargeUnder(charge, layers[c] as string, wider, cost, "byPrefix");
    });
    const holds = claim !== undefined || charges.some((charge) => charge.holds !== undefined);
    return holds
      ? { layers, charges, policy, claim, hold: own.hold ?? { rid: mintRid(), seq: 1 } }
      : { layers, charges, policy };
  }

  // Nearly all requests meet no override: for those, nothing is made or looked at that they do not need.
  function decide<Result>(
    own: Question,
    asked: Question,
    cost: Cost | undefined,
    peek: boolean,
    tries: number,
    decided: (ruling: Ruling) => Result,
  ): Result | Promise<Result> {
    const place = blockedPlaceOf(asked);
    if (place !== undefined) return after(decideBlocked(own, asked, cost, peek, tries, place), decided);
    const asOf = known.changes;
    const answer = ask(asked, peek);
    if (answer instanceof Promise)
      return answer.then((ruling) => conclude(own, asked, cost, peek, tries, asOf, ruling, decided));
    return conclude(own, asked, cost, peek, tries, asOf, answer, decided);
  }

  function conclude<Result>(
    own: Question,
    asked: Question,
    cost: Cost | undefined,
    peek: boolean,
    tries: number,
    asOf: number,
    ruling: Ruling,
    decided: (ruling: Ruling) => Result,
  ): Result | Promise<Result> {
    learn(ruling, asOf);
    if (ruling.outcome.refusedFor !== "overridden")
      return decided(asked === own ? ruling : { ...ruling, asked });
    if (tries === 0) return decided(undecided(ruling));
    return decide(own, under(own, ruling.outcome.overrides, cost), cost, peek, tries - 1, decided);
  }

  /** A caller whose plan admits nobody is refused, unless an override says otherwise. Nothing is charged to find that out. */
  function decideBlocked(
    own: Question,
    asked: Question,
    cost: Cost | undefined,
    peek: boolean,
    tries: number,
    place: number,
  ): Ruling | Promise<Ruling> {
    const refused = blockedByPlan(asked, place);
    const charge = asked.charges[place] as Charge;
    if (!storeOverrides || charge.override !== undefined || known.hasNone(charge, now())) return refused;
    const asOf = known.changes;
    const conclude = (ruling: Ruling): Ruling | Promise<Ruling> => {
      const { outcome, decidedBy } = ruling;
      learn(ruling, asOf);
      if (outcome.refusedFor === "overridden" && tries > 0)
        return decide(own, under(own, outcome.overrides, cost), cost, peek, tries - 1, itself);
      if (isRemote && decidedBy === "store" && outcome.refusedFor === undefined && asOf === known.changes)
        known.noteNone(charge, now());
      return refused;
    };
    const answer = ask(asked, true);
    return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
  }

  function blockedByPlan(asked: Question, place: number): Ruling {
    const outcome = {
      admitted: false,
      now: now(),
      readings: [],
      marks: [],
      refusedFor: "blocked" as const,
    };
    const byPrefix = asked.charges[place]?.byPrefix;
    if (byPrefix?.limits === blocked) Object.assign(outcome, { overrides: [byPrefix] });
    return { ...partOf(asked, [place]), outcome, ledger, decidedBy: "policy", places: [place] };
  }

  function learn({ charges, outcome, decidedBy, places }: Ruling, asOf: number): void {
    if (known.isEmpty && outcome.overrides === undefined) return;
    if (decidedBy === "store" && places === undefined) known.learn(charges, outcome, now(), asOf);
  }

  return {
    /**
     * Goes on with the ruling at once, as `then` does with one promise more.
     *
     * @param cost what `own` was made for.
     */
    decide<Result>(
      own: Question,
      cost: Cost | undefined,
      peek: boolean,
      decided: (ruling: Ruling) => Result,
    ): Result | Promise<Result> {
      if (known.isEmpty && (prefixes === undefined || prefixes.isEmpty))
        return decide(own, own, cost, peek, mostTries, decided);
      const overrides = known.findLimits(own.charges, now());
      return decide(own, under(own, overrides, cost), cost, peek, mostTries, decided);
    },

    /** Asks for an extension, under the limits that admitted it. */
    extend(question: Question): Ruling | Promise<Ruling> {
      const asOf = known.changes;
      const conclude = (ruling: Ruling): Ruling => {
        if (ruling.outcome.overrides !== undefined) learn(ruling, asOf);
        return ruling;
      };
      const answer = ask(question, false);
      return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
    },

    /** The same partitions under the overrides that this process knows. */
    underKnown: (own: Question): Question => under(own, known.findLimits(own.charges, now()), undefined),

    /** @throws HeadgateError where the limits cannot take the place of these. */
    check: overriding.of,
  };
}

function itself(ruling: Ruling): Ruling {
  return ruling;
}

/** Where the limits of a layer admit nobody. */
function blockedPlaceOf({ charges }: Question): number | undefined {
  for (let c = 0; c < charges.length; c += 1) {
    if ((charges[c] as Charge).limits.word === "blocked") return c;
  }
  return undefined;
}

/** The store named another override each time: nothing is known of this request, and it is refused for a moment. */
function undecided(ruling: Ruling): Ruling {
  const { now, readings } = ruling.outcome;
  const waiting = readings.map((limits) =>
    limits.map(({ remaining, resetMs }): Reading => ({ remaining, resetMs, waitMs: retryMs })),
  );
  return { ...ruling, outcome: { admitted: false, now, readings: waiting, marks: [] }, unavailable: true };
}
