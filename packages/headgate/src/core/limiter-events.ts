import type { Admission, AppliedOverride } from "./admission.ts";
import type { Cost } from "./cost.ts";
import { formatLimit } from "./limit.ts";
import type { LimitSet } from "./limit-set.ts";
import type { Adjustment, Outcome } from "./store.ts";

/** The moment at which a store applied a call. */
export interface Moment {
  /** The time by the store's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  /**
   * The order within the same millisecond: the store applied the lower number first. `undefined` if the store does not
   * know.
   */
  readonly order: number | undefined;
}

/** A partition that a request or a change is about. Keys name callers: treat them as personal. */
export interface EventPartition {
  readonly layer: string;
  readonly key: string;
}

/** The store has recorded the use of an admitted request. */
export interface SettledEvent extends Moment {
  /** The name of the limiter. */
  readonly limiter: string;
  /** The `id` of the decision that admitted the request. */
  readonly decision: number;
  /** The total use so far, by unit. Includes units that no limit counts, if they were reported. */
  readonly used: Cost;
  /** Whether the reservation has ended, so that what it held is free again. */
  readonly ended: boolean;
}

/** An admitted request has asked to hold more. */
export interface ExtendedEvent extends Moment {
  readonly limiter: string;
  /** The `id` of the decision that admitted the request. */
  readonly decision: number;
  readonly cost: Cost;
  readonly admitted: boolean;
  readonly decidedBy: Admission["decidedBy"];
  /** If the refusal repeats an earlier answer of the store: when the store gave that answer. */
  readonly asOf: Moment | undefined;
}

/** A call other than a request changed what the limiter decides. */
export type ChangedEvent = { readonly limiter: string } & Moment &
  (
    | { readonly kind: "policy" }
    | { readonly kind: "reset"; readonly partitions: readonly EventPartition[] }
    | {
        readonly kind: "penalty";
        readonly partitions: readonly DecisionPartition[];
        readonly cost: Cost;
        /** The overrides under which the units were charged; absent if there were none. */
        readonly overrides?: readonly AppliedOverride[] | undefined;
      }
    | {
        readonly kind: "override";
        readonly partition: EventPartition;
        /** `blocked`, or limits as text; `undefined` if an override was ended. */
        readonly limits: string | undefined;
        /** When the override ends: milliseconds since 1970-01-01T00:00Z. `Infinity`: until an operator ends it. */
        readonly until: number | undefined;
      }
    | {
        readonly kind: "prefix-override";
        readonly layer: string;
        /** The override is for all keys that begin with this prefix. */
        readonly prefix: string;
        /** As for `override`. */
        readonly limits: string | undefined;
        readonly until: number | undefined;
      }
  );

/**
 * Identifies a decision and its moment, so that the decisions of several processes can be put into their true order.
 */
export interface DecisionPlace {
  /** The number of the decision, counted from 1 by this limiter in this process. Later events refer to it. */
  readonly id: number;
  /** The order within the same millisecond, as in `Moment.order`. The millisecond is the admission's `at`. */
  readonly order: number | undefined;
  /** If the refusal repeats an earlier answer of the store: when the store gave that answer. */
  readonly asOf: Moment | undefined;
}

/** A partition that a decision charged or checked. */
export interface DecisionPartition extends EventPartition {
  /** The caller's plan, if the layer has plans. */
  readonly plan: string | undefined;
  /** The caller's limits as text, if the layer looks them up for each caller. */
  readonly limits: string | undefined;
}

const texts = new WeakMap<LimitSet, string>();

/** Formats limits as text. Callers share limit sets, so each text is cached. */
export function limitsAsText(set: LimitSet): string {
  let text = texts.get(set);
  if (text === undefined) {
    text = set.word ?? set.limits.map(formatLimit).join("; ");
    texts.set(set, text);
  }
  return text;
}

/** Returns the place of a decision, from its outcome. */
export function placeOfDecision(id: number, { order, asOf }: Outcome): DecisionPlace {
  return { id, order, asOf: asOf === undefined ? undefined : { at: asOf.now, order: asOf.order } };
}

/**
 * Returns the use that adjustments report, by unit. Layers may report different amounts: the smallest counts. Units of
 * `concurrent` limits are held, never used, so they are left out.
 */
export function usedIn(adjustments: readonly Pick<Adjustment, "limits" | "used">[]): Cost {
  const least: Record<string, number> = {};
  for (const { limits, used } of adjustments) {
    for (const [g, { unit }] of limits.groups.entries()) {
      if (limits.limitsOfGroup[g]?.[0]?.algorithm === "concurrent") continue;
      const amount = used[g] ?? 0;
      least[unit] = Math.min(amount, least[unit] ?? amount);
    }
  }
  return least;
}
