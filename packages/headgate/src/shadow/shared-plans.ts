import type { DefinedLayer, DefinedPolicy, LayerOptions } from "../core/policy.ts";
import type { Question } from "../core/ruling.ts";
import type { LivePolicy } from "../limiter/live-policy.ts";

/** Avoids a second lookup of a plan that has just been looked up for the same request. */
export interface SharedPlans<Caller> {
  /** Returns the layers with a `plan` function that reuses the plan of the live question if it cannot differ. */
  sharing(layers: readonly LayerOptions<Caller>[]): readonly LayerOptions<Caller>[];
  /** Calls `run` with `question` as the live question of the same caller. */
  during<Result>(question: Question, run: () => Result): Result;
}

/** @param ownPolicy the shadow's policy. */
export function createSharedPlans<Caller>(
  live: LivePolicy<Caller>,
  ownPolicy: () => DefinedPolicy<Caller>,
): SharedPlans<Caller> {
  let asked: Question | undefined;
  /** The policies for which `shared` was computed. */
  let of: { live: DefinedPolicy<Caller>; own: DefinedPolicy<Caller> } | undefined;
  const shared = new Map<string, boolean>();

  /**
   * Whether a caller's plan is the same in both policies: they use the same function, and a plan that is unknown in the
   * live policy is also unknown in the shadow.
   */
  function isShared(name: string, plan: unknown): boolean {
    const own = ownPolicy();
    if (of?.live !== live.policy || of.own !== own) {
      of = { live: live.policy, own };
      shared.clear();
    }
    let known = shared.get(name);
    if (known === undefined) {
      known = live.functionsOf(name)?.plan === plan && fallsAlike(name, live.policy, own);
      shared.set(name, known);
    }
    return known;
  }

  return {
    sharing: (layers) =>
      layers.map((layer) => {
        const { plan, name } = layer ?? {};
        if (typeof plan !== "function") return layer;
        const planOf: typeof plan = (caller) => {
          const place = asked?.layers.indexOf(name) ?? -1;
          if (place < 0 || !isShared(name, plan)) return plan(caller);
          return asked?.charges[place]?.limits.plan;
        };
        return { ...layer, plan: planOf } as LayerOptions<Caller>;
      }),

    during(question, run) {
      asked = question;
      try {
        return run();
      } finally {
        asked = undefined;
      }
    },
  };
}

/** Whether the live layer has every plan of the shadow's layer, and both have the same default plan. */
function fallsAlike<Caller>(name: string, live: DefinedPolicy<Caller>, own: DefinedPolicy<Caller>): boolean {
  const [theirs, mine] = [live, own].map(({ layers }) => layers.find((layer) => layer.name === name));
  if (theirs?.choice === undefined || mine?.choice === undefined) return false;
  const known = new Set(plansOf(theirs));
  const isKnown = plansOf(mine).every((plan) => plan !== undefined && known.has(plan));
  return isKnown && theirs.choice.fallback.plan === mine.choice.fallback.plan;
}

function plansOf<Caller>(layer: DefinedLayer<Caller>): readonly (string | undefined)[] {
  return layer.knownLimits.map(({ plan }) => plan);
}
