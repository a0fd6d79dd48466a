import { amountsOf, type Cost } from "./core/cost.ts";
import { HeadgateError } from "./core/errors.ts";
import type { LimitSet } from "./core/limit-set.ts";
import type { Layer, Policy } from "./core/policy.ts";
import type { Question } from "./core/ruling.ts";
import type { Charge } from "./core/store.ts";
import { mintRid } from "./reservation/rid.ts";

/** The key of callers that could not be told. No key function of the user's can return it by accident. */
const unidentified = "\u0000unidentified";
/** The key of callers whose key is too long to be kept: whoever sends one shares it with all who do. */
const overlong = "\u0000overlong";
const longestKey = 1024;

function describe(key: unknown): string {
  if (key === "") return "empty";
  if (key instanceof Promise) return "a promise: look callers up before, a key is synchronous";
  if (typeof key === "number") return String(key);
  return key === undefined ? "undefined" : `of type ${typeof key}`;
}

/** Neither name can hold the slash: no two pairs of names make one space. */
function spaceOf(limiter: string, layer: string): string {
  return `${limiter}/${layer}`;
}

/** Turns a caller into what is asked of the store. */
export interface Asking<Caller> {
  for(caller: Caller, cost: Cost | undefined): Question;
  /** For a caller who could not be told. */
  forUnidentified(cost: Cost | undefined): Question;
}

/**
 * @param name of the limiter.
 * @param report is told of key functions and limits that fail; the caller is counted all the same.
 */
export function createAsking<Caller>(
  policy: Policy<Caller>,
  name: string,
  report: (error: unknown) => void,
): Asking<Caller> {
  /** For callers that could not be told, limits by caller cannot be told either: the last known ones serve. */
  const lastLimits = new Map<string, LimitSet>();

  function keyOf(layer: Layer<Caller>, caller: Caller): string | null {
    try {
      const key: unknown = layer.key(caller);
      if (key === null) return null;
      if (typeof key === "string" && key !== "") return key.length > longestKey ? overlong : key;
      if (Number.isSafeInteger(key)) return String(key);
      throw new HeadgateError(
        "policy-invalid",
        `The key of layer "${layer.name}" must be text, a whole number, or null where the layer does not apply; it is ` +
          `${describe(key)}. The request is counted as unidentified.`,
      );
    } catch (error) {
      report(error);
      return unidentified;
    }
  }

  function limitsOf(layer: Layer<Caller>, caller: Caller): LimitSet | undefined {
    if (layer.limits !== undefined) return layer.limits;
    try {
      const limits = layer.limitsFor(caller);
      lastLimits.set(layer.name, limits);
      return limits;
    } catch (error) {
      report(error);
      return lastLimits.get(layer.name);
    }
  }

  const names = policy.layers.map(({ name }) => name);
  const spaces = policy.layers.map((layer) => spaceOf(name, layer.name));

  function chargeOf(place: number, key: string, limits: LimitSet, cost: Cost | undefined): Charge {
    const { needs, spends, holds } = amountsOf(limits, cost);
    const space = spaces[place] as string;
    return holds === undefined
      ? { space, key, limits, needs, spends }
      : { space, key, limits, needs, spends, holds };
  }

  /** Only what holds something is told apart from other requests. */
  function questionOf(layers: readonly string[], charges: readonly Charge[]): Question {
    for (let c = 0; c < charges.length; c += 1) {
      if ((charges[c] as Charge).holds !== undefined)
        return { layers, charges, hold: { rid: mintRid(), seq: 1 } };
    }
    return { layers, charges };
  }

  return {
    for(caller, cost) {
      const most = policy.layers.length;
      const charges = new Array<Charge>(most);
      let layers: string[] = names;
      let count = 0;
      for (let place = 0; place < most; place += 1) {
        const layer = policy.layers[place] as Layer<Caller>;
        const key = keyOf(layer, caller);
        const limits = key === null ? undefined : limitsOf(layer, caller);
        if (key === null || limits === undefined) {
          // Usually all apply, and their names are the same list each time.
          if (layers === names) layers = names.slice(0, count);
          continue;
        }
        if (layers !== names) layers.push(layer.name);
        charges[count] = chargeOf(place, key, limits, cost);
        count += 1;
      }
      if (count < most) charges.length = count;
      return questionOf(layers, charges);
    },

    forUnidentified(cost) {
      const layers: string[] = [];
      const charges: Charge[] = [];
      for (const [place, layer] of policy.layers.entries()) {
        const limits = layer.limits ?? lastLimits.get(layer.name);
        if (limits === undefined) continue;
        layers.push(layer.name);
        charges.push(chargeOf(place, unidentified, limits, cost));
      }
      return questionOf(layers, charges);
    },
  };
}
