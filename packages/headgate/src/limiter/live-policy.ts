import { HeadgateError } from "../core/errors.ts";
import { copyOf, type LayerMemory } from "../core/layer-memory.ts";
import type { LimitsInput } from "../core/limit-set.ts";
import type { OutageOption, OutagePolicy } from "../core/outage-policy.ts";
import { type DefinedLayer, type DefinedPolicy, definePolicy, type LayerOptions } from "../core/policy.ts";
import { show } from "../core/show.ts";
import {
  createQuestionBuilder,
  type QuestionBuilder,
  type QuestionBuilderOptions,
} from "./question-builder.ts";

/**
 * A layer of a new policy. Like `LayerOptions`, but `key`, `plan` and a `limits` function may be left out if the layer
 * with this name already has them. All other properties can be stored as JSON.
 */
export interface LayerChange<Caller> {
  name: string;
  key?: LayerOptions<Caller>["key"];
  limits?: LimitsInput | ((caller: Caller) => string);
  plans?: Readonly<Record<string, LimitsInput>>;
  plan?: (caller: Caller) => string | undefined | PromiseLike<string | undefined>;
  defaultPlan?: string;
  defaultLimits?: LimitsInput;
  units?: readonly string[];
  outage?: OutageOption;
}

/** The policy in force, and the objects that depend on it. */
export interface LivePolicy<Caller> {
  readonly policy: DefinedPolicy<Caller>;
  readonly questions: QuestionBuilder<Caller>;
  /** The units that costs may name. Units are never removed, so that no request fails after a policy drops a unit. */
  readonly units: ReadonlySet<string>;
  outageOf(layer: string): OutagePolicy;
  /** Whether a layer looks up the limits, or the plan, of each caller. */
  isLookedUp(layer: string): boolean;
  /** How long a layer remembers charges. */
  memoryOf(layer: string): LayerMemory;
  /** @throws HeadgateError for an invalid policy, like `definePolicy`. The policy in force then does not change. */
  replace(layers: readonly LayerChange<Caller>[]): void;
  /**
   * Adds the known functions of layers with the same names.
   *
   * @param of the method, for the error message.
   */
  complete(layers: readonly LayerChange<Caller>[], of: string): readonly LayerOptions<Caller>[];
  functionsOf(layer: string): LayerFunctions<Caller> | undefined;
  /** Allows costs to name these units too. */
  allow(units: Iterable<string>): void;
}

export function createLivePolicy<Caller>(
  options: readonly LayerOptions<Caller>[],
  declared: readonly string[] | undefined,
  asks: Omit<QuestionBuilderOptions<Caller>, "policy">,
): LivePolicy<Caller> {
  let policy = definePolicy(options, declared);
  let questions = createQuestionBuilder({ ...asks, policy });
  const units = new Set<string>();
  const known = new Map<string, DefinedLayer<Caller>>();
  /** The last functions of each layer. Functions of removed layers are kept, so that a rolled-back policy finds them. */
  const functions = new Map<string, LayerFunctions<Caller>>();

  /**
   * Remembers the functions, units and layers. Layers of the previous policy are kept, because some of its requests may
   * still be in progress.
   */
  function note(layers: readonly LayerChange<Caller>[]): void {
    for (const { name, key, plan, limits } of layers) {
      const before = functions.get(name);
      functions.set(name, {
        key: key ?? before?.key,
        plan: plan ?? before?.plan,
        limits: typeof limits === "function" ? limits : before?.limits,
      });
    }
    for (const unit of policy.units) units.add(unit);
    for (const layer of policy.layers) {
      known.delete(layer.name);
      known.set(layer.name, layer);
    }
    for (const name of known.keys()) {
      if (known.size <= Math.max(mostLayers, policy.layers.length)) break;
      known.delete(name);
      functions.delete(name);
    }
  }
  note(options as readonly LayerChange<Caller>[]);

  return {
    get policy() {
      return policy;
    },
    get questions() {
      return questions;
    },
    units,
    outageOf: (layer) => known.get(layer)?.outage ?? localPolicy,
    isLookedUp: (layer) => known.get(layer)?.choice !== undefined,
    memoryOf: (layer) => known.get(layer)?.memory ?? new Map(),

    replace(changes) {
      const layers = completed(changes, functions, "setPolicy");
      // Copies, so that an invalid policy does not change any memory.
      policy = definePolicy(layers, declared, (name) => copyOf(known.get(name)?.memory));
      questions = createQuestionBuilder({ ...asks, policy });
      note(layers);
    },

    complete: (changes, of) => completed(changes, functions, of),
    functionsOf: (layer) => functions.get(layer),

    allow(others) {
      for (const unit of others) units.add(unit);
    },
  };
}

/** How many layers are remembered: current and earlier layers. */
const mostLayers = 100;
const localPolicy: OutagePolicy = { policy: "local", instances: undefined };

/** The functions of a layer. */
export interface LayerFunctions<Caller> {
  readonly key: LayerChange<Caller>["key"];
  readonly plan: LayerChange<Caller>["plan"];
  readonly limits: ((caller: Caller) => string) | undefined;
}

function completed<Caller>(
  changes: readonly LayerChange<Caller>[],
  functions: ReadonlyMap<string, LayerFunctions<Caller>>,
  of: string,
): readonly LayerOptions<Caller>[] & readonly LayerChange<Caller>[] {
  if (!Array.isArray(changes)) {
    throw new HeadgateError(
      "policy-invalid",
      `${of} takes a list of layers, such as [{ name: "user", limits: "10/minute" }], got ${show(changes)}.`,
    );
  }
  return Array.from(changes, (change) => {
    if (typeof change !== "object" || change === null) return change;
    const { key, plan, limits } = functions.get(change.name) ?? {};
    const whole = { ...change };
    if (key !== undefined) whole.key ??= key;
    if (plan !== undefined && whole.plans !== undefined) whole.plan ??= plan;
    if (limits !== undefined && whole.defaultLimits !== undefined) whole.limits ??= limits;
    return whole;
  });
}
