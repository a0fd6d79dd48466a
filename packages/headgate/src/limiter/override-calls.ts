import { after } from "../core/after.ts";
import { HeadgateError } from "../core/errors.ts";
import type { LimitSet } from "../core/limit-set.ts";
import type { OverrideTerms } from "../core/override.ts";
import {
  checkPrefix,
  checkPrefixTarget,
  checkTarget,
  type OverrideTarget,
  readBlock,
  readOverride,
  readPrefixOverride,
  targetOf,
} from "../overriding/terms.ts";
import type { Limiter } from "./contract.ts";
import type { LimiterParts } from "./parts.ts";

type OverrideCalls =
  | "block"
  | "unblock"
  | "override"
  | "endOverride"
  | "overridePrefix"
  | "endPrefixOverride"
  | "prefixOverrides";

/** The calls that put other limits into force for some callers. */
export function createOverrideCalls<Caller>(
  parts: LimiterParts<Caller>,
): Pick<Limiter<Caller>, OverrideCalls> {
  const { store, clock, live, known, guard, observing, waitingRoom, prefixes, overriding, check } = parts;

  /** The limits that the policy can give callers in a layer, as far as they are known in advance. */
  function limitsIn(layer: string): readonly LimitSet[] {
    const found = live.policy.layers.find(({ name }) => name === layer);
    return found === undefined ? [] : found.knownLimits.filter(({ word }) => word !== "blocked");
  }

  /** @throws HeadgateError if the limits cannot replace those of the layer */
  function checkTerms(layer: string, own: readonly LimitSet[], { limits }: OverrideTerms): void {
    for (const one of new Set([...own, ...limitsIn(layer)])) overriding.check(layer, one, limits);
  }

  function apply(
    caller: Caller,
    target: OverrideTarget,
    terms: OverrideTerms | undefined,
  ): void | Promise<void> {
    if (store.override === undefined) {
      throw new HeadgateError(
        "store-invalid",
        `The store "${store.name}" keeps no blocks or overrides: it has no override(). See docs/writing-a-store.md.`,
      );
    }
    const { override: overrideIn } = store;
    return after(live.questions.for(caller, undefined), (question) => {
      const { charge, layer } = targetOf(question, target);
      if (terms !== undefined) checkTerms(layer, [charge.limits], terms);
      const partitions = [charge];
      const call = (now: number) => overrideIn.call(store, partitions, terms, now);
      const applying = guard === undefined ? call(clock.now()) : guard.override(partitions, call);
      // Not before: if the call fails, the store's override is still in force.
      return after(applying, () => {
        known.forget(partitions);
        if (terms !== undefined) known.begin(partitions, terms, clock.now());
        waitingRoom.changed();
        observing.overridden({ layer, key: charge.key }, terms);
      });
    });
  }

  return {
    block(caller, options = {}) {
      check(undefined);
      return apply(caller, options, readBlock(options, clock.now()));
    },

    unblock(caller, options = {}) {
      check(undefined);
      checkTarget("unblock", options);
      return apply(caller, options, undefined);
    },

    override(caller, options) {
      check(undefined);
      return apply(caller, options, readOverride(options, live.units, clock.now()));
    },

    endOverride(caller, options = {}) {
      check(undefined);
      checkTarget("endOverride", options);
      return apply(caller, options, undefined);
    },

    overridePrefix(target, options) {
      check(undefined);
      const layers = live.policy.layers.map(({ name }) => name);
      checkPrefixTarget("overridePrefix", target, layers);
      const terms = readPrefixOverride(options, live.units, clock.now());
      checkTerms(target.layer, [], terms);
      return after(prefixes.set(target, terms), () => observing.overriddenByPrefix(target, terms));
    },

    endPrefixOverride(target) {
      check(undefined);
      checkPrefix("endPrefixOverride", target);
      return after(prefixes.set(target, undefined), () => observing.overriddenByPrefix(target, undefined));
    },

    prefixOverrides() {
      check(undefined);
      return prefixes.list();
    },
  };
}
