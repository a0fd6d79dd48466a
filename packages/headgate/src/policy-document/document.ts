import { HeadgateError } from "../core/errors.ts";
import { formatLimit, type Limit, type LimitOptions } from "../core/limit.ts";
import type { LimitSet, LimitsInput } from "../core/limit-set.ts";
import { checkOptions } from "../core/options.ts";
import type { OutageOption, OutagePolicy } from "../core/outage-policy.ts";
import { defined, definePolicy, type LayerOptions, type Policy } from "../core/policy.ts";
import { show } from "../core/show.ts";

/** A layer of a policy, as data. It has one of `limits`, `plans` and `defaultLimits`. */
export interface LayerDocument {
  name: string;
  /** The name of the key function. Default: the name of the layer. */
  key?: string;
  /** The same limits for every caller. */
  limits?: LimitsInput;
  /** The limits of each plan. */
  plans?: Readonly<Record<string, LimitsInput>>;
  defaultPlan?: string;
  /** The limits of callers whose limits are not known, if code looks them up for each caller. */
  defaultLimits?: LimitsInput;
  /** The units that limits looked up by code may count. */
  units?: readonly string[];
  outage?: OutageOption;
}

/** A policy as data, such as the content of a JSON file. `policySchema` describes it. */
export interface PolicyDocument {
  $schema?: string;
  layers: readonly LayerDocument[];
  /** Units that costs may name although no limit counts them. */
  units?: readonly string[];
}

/**
 * The functions that code adds to a document, by the name of the layer. `keys` are named by the layer's `key`, if it
 * has one.
 */
export interface DocumentFunctions<Caller> {
  keys: Readonly<Record<string, (caller: Caller) => string | number | null>>;
  /** For each layer, a function that returns a caller's plan; `undefined` is the default plan. */
  plans?: Readonly<Record<string, (caller: Caller) => string | undefined | PromiseLike<string | undefined>>>;
  /** For each layer, a function that returns a caller's limits. */
  limits?: Readonly<Record<string, (caller: Caller) => string>>;
}

const documentOptions = ["$schema", "layers", "units"];
const layerOptions = ["name", "key", "limits", "plans", "defaultPlan", "defaultLimits", "units", "outage"];
const ways = ["limits", "plans", "defaultLimits"] as const;

/**
 * Checks a policy that was read from a file or a store.
 *
 * @param json the result of `JSON.parse`.
 * @throws HeadgateError `policy-invalid`, `limit-unreadable` or `limit-invalid`, naming the place, the value and what
 *   is expected.
 */
export function readPolicyDocument(json: unknown): PolicyDocument {
  if (!isObject(json))
    fail(
      `A policy must be an object such as {"layers": [{"name": "ip", "limits": "30/minute"}]}, got ${show(json)}.`,
    );
  checkOptions("The policy", json, documentOptions, "policy-invalid");
  const { layers, units } = json;
  if (!Array.isArray(layers) || layers.length === 0)
    fail(
      `layers of the policy must be a list such as [{"name": "ip", "limits": "30/minute"}], got ${show(layers)}.`,
    );
  layers.forEach(checkLayer);
  const document = json as unknown as PolicyDocument;
  const anybody = (): string => "";
  const functions = Object.fromEntries(document.layers.map(({ name, key = name }) => [key, anybody]));
  // The layers are checked as for a limiter.
  definePolicy(layersOf(document, { keys: functions }), units as readonly string[] | undefined);
  return document;
}

function checkLayer(layer: unknown, index: number): void {
  const at = `layers[${index}] of the policy`;
  if (!isObject(layer)) fail(`${at} must be an object with name and limits, got ${show(layer)}.`);
  const { name, key } = layer;
  if (typeof name !== "string") fail(`${at} needs a name, such as "user", got ${show(name)}.`);
  const subject = `Layer ${show(name)} of the policy`;
  checkOptions(subject, layer, layerOptions, "policy-invalid");
  if (key !== undefined && typeof key !== "string")
    fail(`key of layer ${show(name)} of the policy must be the name of a key function, got ${show(key)}.`);
  const given = ways.filter((way) => layer[way] !== undefined);
  if (given.length !== 1)
    fail(
      `${subject} needs one of ${ways.join(", ")}; it has ${given.length === 0 ? "none" : given.join(" and ")}.`,
    );
}

/**
 * The layers of a document, for `createLimiter` and `setPolicy`.
 *
 * ```ts
 * const document = readPolicyDocument(JSON.parse(readFileSync("policy.json", "utf8")));
 * const layers = layersOf(document, { keys: { user: (caller: Caller) => caller.user } });
 * ```
 *
 * @throws HeadgateError `policy-invalid` if a layer names an unknown key.
 */
export function layersOf<Caller>(
  document: PolicyDocument,
  functions: DocumentFunctions<Caller>,
): LayerOptions<Caller>[] {
  const layers: unknown = document?.layers;
  if (!Array.isArray(layers))
    fail(`layersOf takes a policy that readPolicyDocument has checked, got ${show(document)}.`);
  checkOptions("layersOf", functions, ["keys", "plans", "limits"], "option-invalid");
  const { keys = {}, plans = {}, limits = {} } = functions;
  return document.layers.map((layer): LayerOptions<Caller> => {
    const { name, key: keyName = name, outage } = layer;
    const key = Object.hasOwn(keys, keyName) ? keys[keyName] : undefined;
    if (key === undefined)
      fail(
        `Layer ${show(name)} of the policy needs the key ${show(keyName)}: keys has ${Object.keys(keys).map(show).join(", ") || "none"}.`,
      );
    const rest = { name, key, ...(outage === undefined ? {} : { outage: dense(outage) }) };
    if (layer.plans !== undefined) {
      const plan = plans[name] ?? (() => undefined);
      return { ...rest, plans: layer.plans, plan, defaultPlan: layer.defaultPlan as string };
    }
    if (layer.defaultLimits !== undefined) {
      const { defaultLimits, units = [] } = layer;
      return { ...rest, limits: limits[name] ?? inWords(defaultLimits), defaultLimits, units };
    }
    return { ...rest, limits: layer.limits as LimitsInput };
  });
}

/** Stands in for a missing `limits` function: all callers have the default limits. */
function inWords(limits: LimitsInput): () => string {
  const items = Array.isArray(limits) ? limits : [limits];
  const text = items.map((one) => (typeof one === "string" ? one : formatLimit(one as Limit))).join("; ");
  return () => text;
}

/** Removes `instances: null`, which stands for `undefined` in JSON. */
function dense(outage: OutageOption): OutageOption {
  return typeof outage === "object" && outage !== null && outage.instances === null
    ? { policy: "local" }
    : outage;
}

/** Writes a policy as data. `readPolicyDocument` reads it back as a policy with the same hash. */
export function writePolicyDocument<Caller>({
  layers,
  units,
}: Pick<Policy<Caller>, "layers" | "units">): PolicyDocument {
  return {
    layers: layers.map((layer): LayerDocument => {
      const { name, limits, choice, outage } = defined(layer);
      const rest = isUsual(outage) ? {} : { outage: written(outage) };
      if (limits !== undefined) return { name, limits: limitsOf(limits), ...rest };
      const sets = choice?.sets ?? [];
      const defaultPlan = choice?.fallback.plan;
      if (choice === undefined || defaultPlan === undefined)
        return { name, defaultLimits: limitsOf(choice?.fallback), units: [...units], ...rest };
      const plans = Object.fromEntries(sets.map((set) => [set.plan ?? "", limitsOf(set)]));
      return { name, plans, defaultPlan, ...rest };
    }),
    units: [...units],
  };
}

function limitsOf(set: LimitSet | undefined): LimitsInput {
  if (set === undefined) return "unlimited";
  if (set.word !== undefined) return set.word;
  if (set.limits.every(({ name }) => name === undefined)) return set.limits.map(formatLimit).join("; ");
  return set.limits.map((limit): string | LimitOptions =>
    limit.name === undefined ? formatLimit(limit) : { ...limit },
  );
}

function isUsual(outage: OutagePolicy): boolean {
  return outage.policy === "local" && outage.instances === undefined;
}

function written(outage: OutagePolicy): OutageOption {
  if (outage.policy !== "local") return outage.policy;
  return outage.instances === undefined ? "local" : { policy: "local", instances: outage.instances };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fail(message: string): never {
  throw new HeadgateError("policy-invalid", message);
}
