import { HeadgateError } from "./errors.ts";
import type { LayerMemory } from "./layer-memory.ts";
import { remember } from "./layer-memory.ts";
import { compileLimits, countsAll, type LimitSet, type LimitsInput, readLimits } from "./limit-set.ts";
import { show } from "./show.ts";
import { isThenable, letFail } from "./thenable.ts";

/** How a layer chooses limits that depend on the caller. */
export interface LayerChoice<Caller> {
  /**
   * Returns the limits of a caller.
   *
   * @throws whatever the user's function throws; HeadgateError `policy-invalid` if it returned an invalid value.
   */
  readonly choose: (caller: Caller) => LimitSet | Promise<LimitSet>;
  /** The limits of callers whose limits could not be looked up. */
  readonly fallback: LimitSet;
  /** The name of `fallback` in messages: `plan "free"`. */
  readonly fallbackName: string;
  /** All limits that are known when the layer is defined. */
  readonly sets: readonly LimitSet[];
}

const longestPlanName = 100;

/** @throws HeadgateError `policy-invalid`, `limit-unreadable` or `limit-invalid`, naming layer, plan and value. */
export function chooseByPlan<Caller>(
  layer: string,
  plans: unknown,
  plan: (caller: Caller) => unknown,
  defaultPlan: unknown,
  memory: LayerMemory,
): LayerChoice<Caller> {
  if (typeof plans !== "object" || plans === null || Array.isArray(plans)) {
    fail(layer, `needs plans such as { free: "500/day", pro: "50000/day" }, got ${show(plans)}`);
  }
  const inputs = Object.entries(plans) as [string, LimitsInput][];
  if (inputs.length === 0) fail(layer, 'has no plans: name at least one, such as { free: "500/day" }');
  for (const [name] of inputs) {
    if (name === "" || name.length > longestPlanName)
      fail(layer, `has a plan named ${show(name)}: a name has 1 to ${longestPlanName} characters`);
  }
  const names = inputs.map(([name]) => show(name)).join(", ");
  if (typeof plan !== "function") {
    fail(layer, `has plans, and needs plan: a function such as (caller) => caller.plan, got ${show(plan)}`);
  }
  if (typeof defaultPlan !== "string" || !Object.hasOwn(plans, defaultPlan)) {
    fail(layer, `needs a defaultPlan, one of ${names}, got ${show(defaultPlan)}`);
  }
  for (const [name, input] of inputs)
    remember(memory, readLimits(`Plan ${show(name)} of layer "${layer}"`, input));
  const sets = new Map(
    inputs.map(([name, input]) => [name, compileLimits({ layer, plan: name }, input, memory)]),
  );
  const fallback = sets.get(defaultPlan) as LimitSet;

  function setOf(name: unknown): LimitSet {
    if (name === undefined) return fallback;
    const set = typeof name === "string" ? sets.get(name) : undefined;
    if (set !== undefined) return set;
    fail(layer, `has no plan ${show(name)}: its plans are ${names}`);
  }
  return {
    choose(caller) {
      const name = plan(caller);
      return isThenable(name) ? Promise.resolve(name).then(setOf) : setOf(name);
    },
    fallback,
    fallbackName: `plan ${show(defaultPlan)}`,
    sets: [...sets.values()],
  };
}

/** Many callers share few texts, so up to this many parsed limits are cached. */
const keptLimitSets = 1000;

/** @throws HeadgateError `policy-invalid`, `limit-unreadable` or `limit-invalid`, naming layer and value. */
export function chooseByText<Caller>(
  layer: string,
  limits: (caller: Caller) => unknown,
  defaultLimits: LimitsInput,
  units: ReadonlySet<string>,
  memory: LayerMemory,
): LayerChoice<Caller> {
  if (defaultLimits === undefined)
    fail(layer, 'has limits that depend on the caller, and needs defaultLimits, such as "5/minute"');
  const kept = new Map<string, LimitSet>();

  function compile(input: LimitsInput): LimitSet {
    const other = readLimits(`Layer "${layer}"`, input).find(({ unit }) => !units.has(unit));
    if (other !== undefined) {
      fail(layer, `has a limit of ${show(other.unit)}, and its units are ${[...units].map(show).join(", ")}`);
    }
    return compileLimits(layer, input, memory);
  }
  function read(text: unknown): LimitSet {
    if (isThenable(text)) {
      letFail(text);
      fail(
        layer,
        "has a limits function that returned a promise, and it must return text: look callers up before, or use plan",
      );
    }
    if (typeof text !== "string") fail(layer, `needs text such as "60/hour" from limits, got ${show(text)}`);
    const known = kept.get(text);
    // `unlimited` counts for all other limits of the layer: compile it again if wider limits have been seen since.
    if (known !== undefined && (known.word === undefined || countsAll(known, memory))) return known;
    const set = compile(text);
    if (kept.size >= keptLimitSets) kept.delete(kept.keys().next().value as string);
    kept.set(text, set);
    return set;
  }
  const fallback = compile(defaultLimits);
  return {
    choose: (caller) => read(limits(caller)),
    fallback,
    fallbackName: "the value of defaultLimits",
    sets: [fallback],
  };
}

function fail(layer: string, what: string): never {
  throw new HeadgateError("policy-invalid", `Layer "${layer}" ${what}.`);
}
