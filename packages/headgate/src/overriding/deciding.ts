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
  /** The overrides by prefix; absent if they do not apply. */
  readonly prefixes?: Pick<Prefixes, "isEmpty" | "find">;
  /** Whether the store supports overrides. */
  readonly storeOverrides: boolean;
  /** Whether a call to the store is a network round trip. */
  readonly isRemote: boolean;
  readonly ledger: Ledger;
  readonly memoryOf: (layer: string) => LayerMemory;
  readonly mintRid: () => string;
  readonly now: () => number;
  /** Reports each kind of mistake once. */
  readonly report: (error: unknown) => void;
  /** Asks the store, or the code that decides in its place. */
  readonly ask: (question: Question, peek: boolean) => Ruling | Promise<Ruling>;
}

/** How often a request is made again if its override was replaced each time. */
const mostRetries = 3;
/** The wait that is reported after the last try, ms. */
const retryMs = 1000;

/**
 * Decides under the overrides in force. The store keeps them, and refuses to decide a request that was made under other
 * limits. The request is then made again under the overrides that the store returned.
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
      const message = `An override in layer "${layer}" cannot be used, so the caller's own limits apply: ${reason}`;
      report(new HeadgateError("store-state-invalid", message, { cause: error }));
    }
    return { space, key, limits, ...amountsOf(limits, cost), [as]: override };
  }

  /**
   * Returns, for each charge, the override in force for the longest prefix of its key; `undefined` if no charge has
   * one.
   */
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
   * Returns the same request under the overrides in force. An override of the partition takes precedence over an
   * override by prefix. A block of the partition is left to the store.
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

  // Nearly all requests have no override, so this path allocates and checks as little as possible.
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

  /** Refuses a caller whose limits are `blocked`, unless an override admits the caller. The check charges nothing. */
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
     * Calls `decided` with the ruling, synchronously if possible. Unlike `then`, it does not add a promise.
     *
     * @param cost the cost of `own`.
     */
    decide<Result>(
      own: Question,
      cost: Cost | undefined,
      peek: boolean,
      decided: (ruling: Ruling) => Result,
    ): Result | Promise<Result> {
      if (known.isEmpty && (prefixes === undefined || prefixes.isEmpty))
        return decide(own, own, cost, peek, mostRetries, decided);
      const overrides = known.findLimits(own.charges, now());
      return decide(own, under(own, overrides, cost), cost, peek, mostRetries, decided);
    },

    /** Asks for an extension, under the limits that admitted the reservation. */
    extend(question: Question): Ruling | Promise<Ruling> {
      const asOf = known.changes;
      const conclude = (ruling: Ruling): Ruling => {
        if (ruling.outcome.overrides !== undefined) learn(ruling, asOf);
        return ruling;
      };
      const answer = ask(question, false);
      return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
    },

    /** Returns the same partitions under the overrides that this process knows. */
    underKnown: (own: Question): Question => under(own, known.findLimits(own.charges, now()), undefined),

    /** @throws HeadgateError if the text cannot replace these limits. */
    check: overriding.of,
  };
}

function itself(ruling: Ruling): Ruling {
  return ruling;
}

/** Returns the index of a charge whose limits are `blocked`. */
function blockedPlaceOf({ charges }: Question): number | undefined {
  for (let c = 0; c < charges.length; c += 1) {
    if ((charges[c] as Charge).limits.word === "blocked") return c;
  }
  return undefined;
}

/**
 * Returns a refusal with a short wait, for a request that was not decided because the store returned another override
 * each time.
 */
function undecided(ruling: Ruling): Ruling {
  const { now, readings } = ruling.outcome;
  const waiting = readings.map((limits) =>
    limits.map(({ remaining, resetMs }): Reading => ({ remaining, resetMs, waitMs: retryMs })),
  );
  return { ...ruling, outcome: { admitted: false, now, readings: waiting, marks: [] }, unavailable: true };
}
