import type { Admission } from "./admission.ts";
import type { Cost } from "./cost.ts";
import { formatLimit } from "./limit.ts";
import type { LimitSet } from "./limit-set.ts";
import type { Adjustment, Outcome } from "./store.ts";

/** When a store applied something. */
export interface Moment {
  /** By the store's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  /** Among what the store applied in the same millisecond: the lower number came first. `undefined` where the store does not know. */
  readonly order: number | undefined;
}

/** A partition that a request or a change is about. Keys name callers: treat them as personal. */
export interface EventPartition {
  readonly layer: string;
  readonly key: string;
}

/** The store has recorded what an admitted request has used. */
export interface SettledEvent extends Moment {
  /** The name of the limiter. */
  readonly limiter: string;
  /** The `id` of the decision that admitted it. */
  readonly decision: number;
  /** What has been used in all so far, by unit; also in units that no limit counts, where it was stated. */
  readonly used: Cost;
  /** Whether nothing more follows: what it held is free again. */
  readonly ended: boolean;
}

/** An admitted request asked to hold more. */
export interface ExtendedEvent extends Moment {
  readonly limiter: string;
  /** The `id` of the decision that admitted it. */
  readonly decision: number;
  readonly cost: Cost;
  readonly admitted: boolean;
  readonly decidedBy: Admission["decidedBy"];
  /** Where the refusal repeats an earlier answer of the store: when the store gave that answer. */
  readonly asOf: Moment | undefined;
}

/** Something other than a request changed what the limiter decides. */
export type ChangedEvent = { readonly limiter: string } & Moment &
  (
    | { readonly kind: "policy" }
    | { readonly kind: "reset"; readonly partitions: readonly EventPartition[] }
    | { readonly kind: "penalty"; readonly partitions: readonly EventPartition[]; readonly cost: Cost }
    | {
        readonly kind: "override";
        readonly partition: EventPartition;
        /** `blocked`, or limits as text; `undefined` where an override was ended. */
        readonly limits: string | undefined;
        /** When it ends: milliseconds since 1970-01-01T00:00Z. `Infinity`: when somebody ends it. */
        readonly until: number | undefined;
      }
    | {
        readonly kind: "prefix-override";
        readonly layer: string;
        /** It was decided for all keys that begin with it. */
        readonly prefix: string;
        /** As of an override. */
        readonly limits: string | undefined;
        readonly until: number | undefined;
      }
  );

/** What a decision says of itself beyond the admission: enough to put the decisions of several processes into their true order. */
export interface DecisionPlace {
  /** Numbers the decisions of this limiter in this process, from 1 up. Later events name it. */
  readonly id: number;
  /** See `Moment.order`; its `at` is that of the admission. */
  readonly order: number | undefined;
  /** Where the refusal repeats an earlier answer of the store: when the store gave that answer. */
  readonly asOf: Moment | undefined;
}

/** A partition that a decision was about. */
export interface DecisionPartition extends EventPartition {
  /** The caller's plan, where the layer has plans. */
  readonly plan: string | undefined;
  /** The caller's own limits as text, where the layer looks them up for each caller. */
  readonly limits: string | undefined;
}

const texts = new WeakMap<LimitSet, string>();

/** Limits as the grammar writes them. Callers share sets: each is written once. */
export function limitsAsText(set: LimitSet): string {
  let text = texts.get(set);
  if (text === undefined) {
    text = set.word ?? set.limits.map(formatLimit).join("; ");
    texts.set(set, text);
  }
  return text;
}

/** The place of a decision, as its outcome tells it. */
export function placeOfDecision(id: number, { order, asOf }: Outcome): DecisionPlace {
  return { id, order, asOf: asOf === undefined ? undefined : { at: asOf.now, order: asOf.order } };
}

/** What adjustments state as used, by unit: in each layer, so the least of them. Places are held, and never used. */
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
