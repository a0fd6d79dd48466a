import { HeadgateError } from "../core/errors.ts";
import { copyOf, type LayerMemory } from "../core/layer-memory.ts";
import { hidden, wordFor } from "../core/limit.ts";
import { compileLimits, type LimitSet, readLimits } from "../core/limit-set.ts";

/** How many parsed texts are cached for each plan. */
const keptTexts = 100;

/** Reads the limits of overrides and caches the results: overrides are few, and requests are many. */
export interface OverridingLimits {
  /**
   * Returns the limits of a partition while an override is in force. The override's limits replace the plan's limits in
   * the units that they name. Other units keep the plan's limits. `unlimited` and `blocked` replace all limits.
   *
   * @throws HeadgateError `limit-unreadable`, `limit-invalid` or `policy-invalid`
   */
  of(layer: string, plan: LimitSet, text: string): LimitSet;
}

/** @param memoryOf how far back each layer remembers. */
export function createOverridingLimits(memoryOf: (layer: string) => LayerMemory): OverridingLimits {
  const kept = new WeakMap<LimitSet, Map<string, { limits: LimitSet; memory: string }>>();

  return {
    of(layer, plan, text) {
      const ofLayer = memoryOf(layer);
      const memory = inWords(ofLayer);
      let ofPlan = kept.get(plan);
      if (ofPlan === undefined) {
        ofPlan = new Map();
        kept.set(plan, ofPlan);
      }
      const known = ofPlan.get(text);
      if (known?.memory === memory) return known.limits;
      const limits = compile(layer, plan, text, ofLayer);
      ofPlan.delete(text);
      if (ofPlan.size >= keptTexts) ofPlan.delete(ofPlan.keys().next().value as string);
      ofPlan.set(text, { limits, memory });
      return limits;
    },
  };
}

function compile(layer: string, plan: LimitSet, text: string, ofLayer: LayerMemory): LimitSet {
  const named = readLimits("An override", text);
  const isWord = named.some((limit) => wordFor(limit) !== undefined);
  const units = new Set(named.map(({ unit }) => unit));
  if (plan.word === "blocked" && !isWord && !units.has("requests")) {
    throw new HeadgateError(
      "policy-invalid",
      `An override of a caller whose plan is blocked must limit requests too, such as "5/minute; ${text}".`,
    );
  }
  // An unlimited plan may count units for other plans: those counts continue.
  const others = isWord || plan.word === "blocked" ? [] : plan.limits.filter(({ unit }) => !units.has(unit));
  // Copy the memory, so that one caller's longer memory does not apply to the whole layer.
  const memory = copyOf(ofLayer);
  const limits = compileLimits({ layer, plan: plan.plan }, isWord ? text : [text, ...others], memory);
  if (plan.word !== "unlimited" || isWord) return limits;
  return { ...limits, names: limits.names.map((name, l) => (l < named.length ? name : hidden)) };
}

function inWords(memory: LayerMemory): string {
  let words = "";
  for (const [unit, { windowMs }] of memory) words += `${unit} ${windowMs};`;
  return words;
}
