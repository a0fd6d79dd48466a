import { amountsOf, type Cost } from "../core/cost.ts";
import { HeadgateError } from "../core/errors.ts";
import type { LimitSet } from "../core/limit-set.ts";
import type { DefinedLayer, DefinedPolicy } from "../core/policy.ts";
import { reasonOf } from "../core/reason.ts";
import type { Question } from "../core/ruling.ts";
import { overlong, ownKey, unidentified } from "../core/shared-keys.ts";
import { show } from "../core/show.ts";
import type { Charge } from "../core/store.ts";
import { isThenable } from "../core/thenable.ts";
import { mintRid } from "../reservation/rid.ts";
import type { KeylessCharge } from "../stores/memory/by-keys.ts";
import { isOneRequest } from "../stores/memory/plain.ts";
import type { Lookups } from "./lookups.ts";

const longestKey = 1024;

function describe(key: unknown): string {
  if (key === "") return "empty";
  return isThenable(key) ? "a promise: look callers up before, a key is synchronous" : show(key);
}

function keyFailed(layer: string, cause: unknown): HeadgateError {
  return new HeadgateError(
    "policy-invalid",
    `The key of layer "${layer}" threw: ${reasonOf(cause)}. The request is counted as unidentified.`,
    { cause },
  );
}

/** Names cannot contain a slash, so different pairs of names make different spaces. */
function spaceOf(limiter: string, layer: string): string {
  return `${limiter}/${layer}`;
}

/** The constant part of a question, if all layers apply to the caller. */
export interface Plain {
  readonly layers: readonly string[];
  readonly policy: string;
  readonly parts: readonly KeylessCharge[];
}

/** Turns a caller into a question for the store. */
export interface QuestionBuilder<Caller> {
  /** The caller's key in each layer; `null` if the layer does not apply. */
  keysOf(caller: Caller): (string | null)[];
  /**
   * Returns a promise only if a plan is looked up asynchronously. Never rejects.
   *
   * @param keys the result of `keysOf`, if it was called already.
   */
  for(
    caller: Caller,
    cost: Cost | undefined,
    keys?: readonly (string | null)[],
  ): Question | Promise<Question>;
  /**
   * The question for a request without a stated cost; `undefined` if limits depend on the caller, or if it is not
   * exactly one request in each layer.
   */
  readonly plain: Plain | undefined;
  /** The question for a caller who could not be identified. */
  forUnidentified(cost: Cost | undefined): Question;
}

export interface QuestionBuilderOptions<Caller> {
  /** The name of the limiter. */
  name: string;
  policy: DefinedPolicy<Caller>;
  lookups: Lookups;
  /** Reports mistakes in the user's functions. The caller is still counted. */
  report: (error: unknown) => void;
  /** Called if no layer applies to a caller. */
  onUncounted: () => void;
}

export function createQuestionBuilder<Caller>(
  options: QuestionBuilderOptions<Caller>,
): QuestionBuilder<Caller> {
  const { name, policy, lookups, report, onUncounted } = options;
  const { hash } = policy;
  const names = policy.layers.map((layer) => layer.name);
  const spaces = policy.layers.map((layer) => spaceOf(name, layer.name));

  function keyOf(layer: DefinedLayer<Caller>, caller: Caller): string | null {
    try {
      const key: unknown = layer.key(caller);
      if (key === null) return null;
      if (typeof key === "string" && key !== "") return key.length > longestKey ? overlong : ownKey(key);
      if (Number.isSafeInteger(key)) return String(key);
      // Nobody awaits this promise: its rejection must not end the process.
      if (key instanceof Promise) key.catch(() => {});
      throw new HeadgateError(
        "policy-invalid",
        `The key of layer "${layer.name}" must be text, a whole number, or null if the layer does not apply; it is ` +
          `${describe(key)}. The request is counted as unidentified.`,
      );
    } catch (error) {
      report(error instanceof HeadgateError ? error : keyFailed(layer.name, error));
      return unidentified;
    }
  }

  function chargeOf(place: number, key: string, limits: LimitSet, cost: Cost | undefined): Charge {
    const { needs, spends, holds } = amountsOf(limits, cost);
    const space = spaces[place] as string;
    return holds === undefined
      ? { space, key, limits, needs, spends }
      : { space, key, limits, needs, spends, holds };
  }

  /** Adds a reservation id only if something is held. */
  function questionOf(layers: readonly string[], charges: readonly Charge[]): Question {
    for (let c = 0; c < charges.length; c += 1) {
      if ((charges[c] as Charge).holds !== undefined)
        return { layers, charges, policy: hash, hold: { rid: mintRid(), seq: 1 } };
    }
    return { layers, charges, policy: hash };
  }

  function partOf({ limits }: DefinedLayer<Caller>, place: number): KeylessCharge[] {
    if (limits === undefined || limits.holdable || limits.word !== undefined) return [];
    const { needs, spends } = limits.usualAmounts;
    return isOneRequest({ needs, spends }) ? [{ space: spaces[place] as string, limits, needs, spends }] : [];
  }

  const parts = policy.layers.flatMap(partOf);
  const isPlain = parts.length > 0 && parts.length === policy.layers.length;

  function keysOf(caller: Caller): (string | null)[] {
    const { layers } = policy;
    const keys = new Array<string | null>(layers.length);
    for (let place = 0; place < layers.length; place += 1)
      keys[place] = keyOf(layers[place] as DefinedLayer<Caller>, caller);
    return keys;
  }

  return {
    keysOf,
    plain: isPlain ? { layers: names, policy: hash, parts } : undefined,

    for(caller, cost, keys = keysOf(caller)) {
      const most = policy.layers.length;
      const charges = new Array<Charge>(most);
      let layers: string[] = names;
      let count = 0;
      let looking: Promise<void>[] | undefined;
      for (let place = 0; place < most; place += 1) {
        const layer = policy.layers[place] as DefinedLayer<Caller>;
        const key = keys[place] as string | null;
        if (key === null) {
          // Usually all layers apply, and the same list of names is used each time.
          if (layers === names) layers = names.slice(0, count);
          continue;
        }
        if (layers !== names) layers.push(layer.name);
        const limits = layer.limits ?? lookups.limitsOf(layer, caller, key === unidentified);
        if (limits instanceof Promise) {
          const at = count;
          looking ??= [];
          looking.push(
            limits.then((found) => {
              charges[at] = chargeOf(place, key, found, cost);
            }),
          );
        } else {
          charges[count] = chargeOf(place, key, limits, cost);
        }
        count += 1;
      }
      if (count < most) charges.length = count;
      if (count === 0) onUncounted();
      if (looking === undefined) return questionOf(layers, charges);
      return Promise.all(looking).then(() => questionOf(layers, charges));
    },

    forUnidentified(cost) {
      const charges = policy.layers.map((layer, place) => {
        const limits = layer.limits ?? lookups.fallbackOf(layer);
        return chargeOf(place, unidentified, limits, cost);
      });
      return questionOf(names, charges);
    },
  };
}
