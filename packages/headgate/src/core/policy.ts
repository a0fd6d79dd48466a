import { HeadgateError, type HeadgateErrorCode } from "./errors.ts";
import { fingerprint } from "./fingerprint.ts";
import { chooseByPlan, chooseByText, type LayerChoice } from "./layer-choice.ts";
import type { LayerMemory } from "./layer-memory.ts";
import { formatLimit, isUnit } from "./limit.ts";
import { compileLimits, type LimitSet, type LimitsInput } from "./limit-set.ts";
import { isName, nameGrammar } from "./name.ts";
import { checkOptions, othersOptions } from "./options.ts";
import { defineOutagePolicy, type OutageOption, type OutagePolicy } from "./outage-policy.ts";
import { show } from "./show.ts";

interface AnyLayer<Caller> {
  /**
   * The layer's name: lower-case letters, digits, `.`, `_` and `-`. It is part of the stored keys, and callers see it.
   */
  name: string;
  /**
   * Returns the caller's key: text of at most 1,024 characters, or a whole number. All longer keys share one count.
   * `null`: this layer does not apply to this caller. Any other value is a mistake: it is reported to `onError`, and
   * the request is counted together with all other unidentified requests.
   *
   * Keys that callers can forge must differ from keys that they cannot forge: give them different prefixes
   * (`account:42`, `user:42`).
   */
  key: (caller: Caller) => string | number | null;
  /**
   * What this layer does while a shared store cannot answer. `"local"` (default): this process counts locally, up to
   * the quota divided by the number of live processes that the store last reported, but at least one unit. `{ policy:
   * "local", instances: 10 }`: the quota divided by ten. `"admit"`: the layer admits every request and does not count.
   * `"refuse"`: the layer refuses every request, and adapters respond with a `503`.
   */
  outage?: OutageOption;
}

/** A layer with the same limits for every caller. */
export interface LayerWithLimits<Caller> extends AnyLayer<Caller> {
  /** The limits: `"5/minute; 60/hour"`, objects, or a list of either; `"blocked"` or `"unlimited"`. */
  limits: LimitsInput;
  plans?: never;
  plan?: never;
}

/** A layer whose limits depend on the caller's plan. */
export interface LayerWithPlans<Caller> extends AnyLayer<Caller> {
  /**
   * The limits of each plan, by name: `{ free: "500/day", pro: "50000/day", staff: "unlimited", closed: "blocked" }`.
   * All are checked when the limiter is created. What a caller has spent still counts after a change of plan.
   */
  plans: Readonly<Record<string, LimitsInput>>;
  /**
   * Returns the plan of a caller; `undefined`: the default plan. Use only verified data about the caller. The function
   * may be asynchronous, within `timeouts.lookupMs`. If it fails, is late, or names a plan that is not in `plans`, the
   * error is reported and the default plan applies.
   */
  plan: (caller: Caller) => string | undefined | PromiseLike<string | undefined>;
  /** The plan of callers whose plan is not known, including unidentified callers. It must be one of `plans`. */
  defaultPlan: string;
  limits?: never;
}

/** A layer in which each caller has individual limits, such as a customer's quota in a database. */
export interface LayerWithLimitsByCaller<Caller> extends AnyLayer<Caller> {
  /**
   * Returns the limits of a caller, as text. If it fails, returns a promise, or returns unreadable text, the error is
   * reported and the default limits apply. Up to 1,000 parsed texts are cached.
   */
  limits: (caller: Caller) => string;
  /** The limits of callers whose limits are not known, including unidentified callers. */
  defaultLimits: LimitsInput;
  /** The units that the limits may count, such as `["requests", "tokens"]`. */
  units: readonly string[];
  plans?: never;
  plan?: never;
}

/** One way to partition callers, with the limits of each partition. */
export type LayerOptions<Caller> =
  | LayerWithLimits<Caller>
  | LayerWithPlans<Caller>
  | LayerWithLimitsByCaller<Caller>;

/** A layer that has been checked. */
export interface Layer<Caller> {
  readonly name: string;
  readonly key: (caller: Caller) => string | number | null;
  /** The limits of every caller, if they do not depend on the caller. */
  readonly limits: LimitSet | undefined;
  /** The limits that are known from the start: those of every caller, those of each plan, or the default limits. */
  readonly knownLimits: readonly LimitSet[];
  readonly outage: OutagePolicy;
}

/** A layer as the limiter applies it. */
export interface DefinedLayer<Caller> extends Layer<Caller> {
  /** Finds the limits of a caller, if they depend on the caller. */
  readonly choice: LayerChoice<Caller> | undefined;
  /** How far back the layer remembers what was spent. */
  readonly memory: LayerMemory;
}

export interface Policy<Caller> {
  readonly layers: readonly Layer<Caller>[];
  /**
   * Identifies the policy, as 16 hexadecimal digits: the same layers, limits, plans and outage policies have the
   * same hash. Functions are not part of it.
   */
  readonly hash: string;
  /** The units that costs may name: counted by limits, declared in `units`, and `requests`. */
  readonly units: ReadonlySet<string>;
  /** Settings that are allowed but probably a mistake, in words. */
  readonly warnings: readonly string[];
}

/** All layers come from `definePolicy`, which makes defined layers. */
export function defined<Caller>(layer: Layer<Caller>): DefinedLayer<Caller> {
  return layer as DefinedLayer<Caller>;
}

/** A policy as the limiter applies it. */
export interface DefinedPolicy<Caller> extends Policy<Caller> {
  readonly layers: readonly DefinedLayer<Caller>[];
}

/**
 * Checks the layers of a policy once, before the first request.
 *
 * @param units further units that costs may name, in addition to those that limits count.
 * @param memoryOf the memory of an earlier layer with this name, which the new layer replaces.
 * @throws HeadgateError `policy-invalid`, `limit-unreadable` or `limit-invalid`, naming the layer and the value.
 */
export function definePolicy<Caller>(
  options: readonly LayerOptions<Caller>[],
  units: readonly string[] = [],
  memoryOf: (layer: string) => LayerMemory | undefined = () => undefined,
): DefinedPolicy<Caller> {
  if (!Array.isArray(options) || options.length === 0) {
    fail(
      'layers must be a list of at least one layer, such as [{ name: "ip", key: (caller) => caller.ip, limits: "30/minute" }]' +
        `, got ${show(options)}.`,
    );
  }
  const layers = Array.from(options, (layer, index) => defineLayer(layer, index, memoryOf));
  checkNames(layers);
  const known = new Set(["requests", ...readUnits("the policy", units, "option-invalid")]);
  for (const layer of layers) {
    for (const { limits } of layer.knownLimits) for (const { unit } of limits) known.add(unit);
  }
  for (const layer of options) if ("units" in layer) for (const unit of layer.units ?? []) known.add(unit);
  return {
    layers,
    hash: fingerprint(JSON.stringify(layers.map(inWords))),
    units: known,
    warnings: layers.flatMap((layer) => layer.knownLimits.flatMap(({ warnings }) => warnings)),
  };
}

/** The options of a layer. */
export const layerOptions: readonly string[] = [
  "name",
  "key",
  "limits",
  "plan",
  "plans",
  "defaultPlan",
  "defaultLimits",
  "units",
  "outage",
];

/** Returns the part of a layer that is data. */
function inWords<Caller>(layer: DefinedLayer<Caller>): unknown {
  const { name, limits, choice, outage } = layer;
  const sets = layer.knownLimits.map(({ plan, word, limits: of, names }) => [
    plan ?? null,
    word ?? of.map((limit, l) => [formatLimit(limit), names[l]]),
  ]);
  return [name, limits === undefined ? [choice?.fallback.plan ?? null, sets] : sets, outage];
}

function defineLayer<Caller>(
  options: LayerOptions<Caller>,
  index: number,
  memoryOf: (layer: string) => LayerMemory | undefined,
): DefinedLayer<Caller> {
  if (typeof options !== "object" || options === null) {
    fail(`Layer ${index + 1} must be an object with name, key and limits, got ${show(options)}.`);
  }
  const { name, key } = options;
  if (!isName(name)) fail(`Layer ${index + 1} needs a name of ${nameGrammar}, got ${show(name)}.`);
  checkOptions(`Layer "${name}"`, options, layerOptions, "policy-invalid", { moved: othersOptions });
  if (typeof key !== "function") {
    fail(`Layer "${name}" needs a key function, such as (caller) => caller.ip, got ${show(key)}.`);
  }
  const outage = defineOutagePolicy(name, options.outage);
  const memory: LayerMemory = memoryOf(name) ?? new Map();
  const choice = defineChoice(name, options, memory);
  const limits =
    choice === undefined
      ? compileLimits(name, (options as LayerWithLimits<Caller>).limits, memory)
      : undefined;
  const known = limits === undefined ? (choice?.sets ?? []) : [limits];
  return { name, key, limits, knownLimits: known, choice, memory, outage };
}

/** The options of a layer, as untyped JavaScript may pass them. */
interface AnyOptions<Caller> {
  limits?: LimitsInput | LayerWithLimitsByCaller<Caller>["limits"];
  plans?: unknown;
  plan?: LayerWithPlans<Caller>["plan"];
  defaultPlan?: unknown;
  defaultLimits?: LimitsInput;
  units?: unknown;
}

/** Returns how limits depend on the caller; `undefined` if they do not. */
function defineChoice<Caller>(
  name: string,
  options: LayerOptions<Caller>,
  memory: LayerMemory,
): LayerChoice<Caller> | undefined {
  const given: AnyOptions<Caller> = options;
  const byPlan = ["plans", "plan", "defaultPlan"] as const;
  const byText = ["defaultLimits", "units"] as const;
  if (byPlan.some((option) => given[option] !== undefined)) {
    if (given.plans === undefined && given.limits !== undefined) {
      const option = given.plan === undefined ? "defaultPlan" : "plan";
      fail(`Layer "${name}" has ${option}, so it needs plans such as { free: "500/day" } instead of limits.`);
    }
    refuseTogether(name, "plans", given, ["limits", ...byText]);
    const plan = given.plan as LayerWithPlans<Caller>["plan"];
    return chooseByPlan(name, given.plans, plan, given.defaultPlan, memory);
  }
  if (typeof given.limits !== "function") {
    refuseTogether(name, "limits that are the same for every caller", given, byText);
    return undefined;
  }
  if (given.units === undefined)
    fail(
      `Layer "${name}" has limits that depend on the caller, and needs units, such as ["requests", "tokens"].`,
    );
  const units = new Set(readUnits(`Layer "${name}"`, given.units, "policy-invalid"));
  return chooseByText(name, given.limits, given.defaultLimits as LimitsInput, units, memory);
}

function refuseTogether(name: string, has: string, given: object, others: readonly string[]): void {
  const other = others.find((option) => (given as Record<string, unknown>)[option] !== undefined);
  if (other !== undefined) fail(`Layer "${name}" has ${has}, and cannot have ${other} too.`);
}

/** @throws HeadgateError if it is not a list of valid units. */
function readUnits(of: string, units: unknown, code: HeadgateErrorCode): readonly string[] {
  const wrong = Array.isArray(units) ? units.find((unit) => !isUnit(unit)) : units;
  if (Array.isArray(units) && wrong === undefined && !units.includes(undefined)) return units;
  throw new HeadgateError(
    code,
    `The units of ${of} must be a list of lower-case words such as ["requests", "tokens"], got ${show(wrong)}.`,
  );
}

function checkNames<Caller>(layers: readonly DefinedLayer<Caller>[]): void {
  const layerNames = new Set<string>();
  const limitNames = new Map<string, string>();
  for (const layer of layers) {
    if (layerNames.has(layer.name)) fail(`Two layers are named "${layer.name}": give each its own name.`);
    layerNames.add(layer.name);
    for (const name of new Set(layer.knownLimits.flatMap(({ names }) => names))) {
      const other = limitNames.get(name);
      if (other !== undefined) fail(`The layers "${other}" and "${layer.name}" both name a limit "${name}".`);
      limitNames.set(name, layer.name);
    }
  }
}

function fail(message: string): never {
  throw new HeadgateError("policy-invalid", message);
}
