import { HeadgateError } from "./errors.ts";
import type { LayerMemory } from "./layer-memory.ts";
import { compileLimits, type LimitSet, type LimitsInput } from "./limit-set.ts";
import { isName, nameGrammar } from "./name.ts";
import { checkOptions, othersOptions } from "./options.ts";
import { defineOutagePolicy, type OutageOption, type OutagePolicy } from "./outage-policy.ts";
import { show } from "./show.ts";

/** One way of partitioning callers, with the limits that each partition gets. */
export interface LayerOptions<Caller> {
  /** Lower-case letters, digits, `.`, `_` and `-`. Part of the stored keys and of the names that callers see. */
  name: string;
  /**
   * Tells one caller from another, as text of at most 1,024 characters (longer ones are counted as one) or a whole
   * number. `null`: this layer does not apply to this caller. Anything else is a mistake: it is reported, and the request is
   * counted as unidentified, together with all others of the kind. Keys that callers can forge must not
   * meet keys that they cannot: give them different prefixes (`account:42`, `user:42`).
   */
  key: (caller: Caller) => string | number | null;
  /** `"5/minute; 60/hour"`, objects, a list of either; or a function of the caller, for limits by plan. */
  limits: LimitsInput | ((caller: Caller) => LimitsInput);
  /**
   * What this layer does while a shared store cannot answer. `"local"` (default): this process counts by itself, up
   * to the whole quota, so that N processes admit up to N quotas; `{ policy: "local", share: 0.1 }`: up to a tenth of
   * it, at least one unit. `"admit"`: the layer lets everybody pass, uncounted. `"refuse"`: it refuses everybody with
   * a `503`, and with it the whole request is refused.
   */
  outage?: OutageOption;
}

/** A layer that has been checked. */
export interface Layer<Caller> {
  readonly name: string;
  readonly key: (caller: Caller) => string | number | null;
  /** @throws HeadgateError where the limits depend on the caller and what came back cannot be read. */
  readonly limitsFor: (caller: Caller) => LimitSet;
  /** The limits of every caller, where they do not depend on the caller. */
  readonly limits: LimitSet | undefined;
  readonly outage: OutagePolicy;
}

export interface Policy<Caller> {
  readonly layers: readonly Layer<Caller>[];
  /** What is allowed but can hardly be meant, in words. */
  readonly warnings: readonly string[];
}

/**
 * Checks the layers of a policy once, before the first request.
 *
 * @throws HeadgateError `policy-invalid`, `limit-unreadable` or `limit-invalid`, naming the layer and the value.
 */
export function definePolicy<Caller>(options: readonly LayerOptions<Caller>[]): Policy<Caller> {
  if (!Array.isArray(options) || options.length === 0) {
    fail(
      'A policy needs at least one layer, such as { name: "ip", key: (caller) => caller.ip, limits: "30/minute" }.',
    );
  }
  const layers = options.map(defineLayer);
  checkNames(layers);
  return { layers, warnings: layers.flatMap((layer) => layer.limits?.warnings ?? []) };
}

function defineLayer<Caller>(options: LayerOptions<Caller>, index: number): Layer<Caller> {
  if (typeof options !== "object" || options === null) {
    fail(`Layer ${index + 1} must be an object with name, key and limits, got ${String(options)}.`);
  }
  const { name, key, limits } = options;
  if (!isName(name)) fail(`Layer ${index + 1} needs a name of ${nameGrammar}, got ${show(name)}.`);
  checkOptions(
    `Layer "${name}"`,
    options,
    ["name", "key", "limits", "outage"],
    "policy-invalid",
    othersOptions,
  );
  if (typeof key !== "function") {
    fail(`Layer "${name}" needs a key function, such as (caller) => caller.ip, got ${typeof key}.`);
  }
  const outage = defineOutagePolicy(name, options.outage);
  if (typeof limits === "function")
    return { name, key, limitsFor: limitsByCaller(name, limits), limits: undefined, outage };
  const compiled = compileLimits(name, limits);
  return { name, key, limitsFor: () => compiled, limits: compiled, outage };
}

/** Plans are few, callers are many: what was read once is kept, up to a bound that no honest policy reaches. */
const keptLimitSets = 1000;

function limitsByCaller<Caller>(
  name: string,
  limits: (caller: Caller) => LimitsInput,
): (caller: Caller) => LimitSet {
  const kept = new Map<string, LimitSet>();
  const memory: LayerMemory = new Map();
  return (caller) => {
    const input = limits(caller);
    const text = typeof input === "string" ? input : JSON.stringify(input);
    let compiled = kept.get(text);
    if (compiled === undefined) {
      compiled = compileLimits(name, input, memory);
      if (kept.size >= keptLimitSets) kept.clear();
      kept.set(text, compiled);
    }
    return compiled;
  };
}

function checkNames<Caller>(layers: readonly Layer<Caller>[]): void {
  const layerNames = new Set<string>();
  const limitNames = new Map<string, string>();
  for (const layer of layers) {
    if (layerNames.has(layer.name))
      fail(`Two layers are named "${layer.name}": give each a name of its own.`);
    layerNames.add(layer.name);
    for (const name of layer.limits?.names ?? []) {
      const other = limitNames.get(name);
      if (other !== undefined) fail(`The layers "${other}" and "${layer.name}" both name a limit "${name}".`);
      limitNames.set(name, layer.name);
    }
  }
}

function fail(message: string): never {
  throw new HeadgateError("policy-invalid", message);
}
