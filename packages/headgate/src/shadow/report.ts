import type { Admission, LimitReading } from "../core/admission.ts";
import type { DefinedPolicy } from "../core/policy.ts";
import type { Ruling } from "../core/ruling.ts";

/** The decisions of a shadow in this process since it was set. */
export interface ShadowReport {
  /** The name of the limiter. */
  readonly limiter: string;
  /** The hash of the shadow's policy. */
  readonly policy: string;
  /** When the shadow was set, by the limiter's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly since: number;
  /** Requests that the shadow decided, without those in `overridden`. */
  readonly decisions: number;
  /** How many of these it would refuse: `newlyRefused` plus `stillRefused`. */
  readonly wouldRefuse: number;
  /** Requests that the shadow would refuse and the limiter admitted. */
  readonly newlyRefused: number;
  /** Requests that the shadow would refuse and the limiter refused too. */
  readonly stillRefused: number;
  /** Requests that the limiter refused and the shadow would admit. */
  readonly newlyAdmitted: number;
  /**
   * Requests that the limiter decided under an override or a block. The shadow ignores overrides, so these requests are
   * not in any other figure.
   */
  readonly overridden: number;
  /** Requests that the shadow could not decide, because the store failed, was late, or was down. */
  readonly undecided: number;
  /** Extensions of requests that the shadow admitted, and how many of them it would refuse. */
  readonly extensions: { readonly decisions: number; readonly wouldRefuse: number };
  /** The figures by layer and plan, in the order of the shadow's policy. */
  readonly layers: readonly ShadowLayerReport[];
}

/** The figures of one layer of a shadow, or of one plan if the layer has plans. */
export interface ShadowLayerReport {
  readonly layer: string;
  readonly plan: string | undefined;
  /** Requests to which the layer applied, under this plan. */
  readonly decisions: number;
  /** How many of these the shadow would refuse with the longest wait in this layer. */
  readonly wouldRefuse: number;
  /** Requests that the shadow would refuse and the limiter admitted. */
  readonly newlyRefused: number;
  /** Requests that the shadow would refuse and the limiter refused too. */
  readonly stillRefused: number;
}

/** A report with mutable counters. */
type Counting<Report> = { -readonly [Name in keyof Report]: Report[Name] };

/** Counts a shadow's decisions. Its size depends on the policy, not on the number of callers. */
export interface Tally {
  /** @param binding the limit with the longest wait; absent if the shadow would admit. */
  decided(ruling: Ruling, live: Admission, binding: LimitReading | undefined): void;
  undecided(): void;
  extended(admitted: boolean): void;
  report(): ShadowReport;
}

/** @param since when the shadow was set. */
export function createTally<Caller>(limiter: string, policy: DefinedPolicy<Caller>, since: number): Tally {
  const total = { decisions: 0, newlyRefused: 0, stillRefused: 0, newlyAdmitted: 0, overridden: 0 };
  const extensions = { decisions: 0, wouldRefuse: 0 };
  let undecided = 0;
  const rows = new Map<string, Map<string | undefined, Counting<Omit<ShadowLayerReport, "wouldRefuse">>>>();
  for (const layer of policy.layers) {
    const plans = new Set(layer.knownLimits.map(({ plan }) => plan));
    const row = (plan: string | undefined) => ({
      layer: layer.name,
      plan,
      decisions: 0,
      newlyRefused: 0,
      stillRefused: 0,
    });
    rows.set(layer.name, new Map([...plans].map((plan) => [plan, row(plan)])));
  }

  return {
    decided({ layers, charges, outcome }, live, binding) {
      if (live.overrides !== undefined) {
        total.overridden += 1;
        return;
      }
      total.decisions += 1;
      const verdict = live.admitted ? "newlyRefused" : "stillRefused";
      if (!outcome.admitted) total[verdict] += 1;
      else if (!live.admitted) total.newlyAdmitted += 1;
      for (let c = 0; c < charges.length; c += 1) {
        const row = rows.get(layers[c] as string)?.get(charges[c]?.limits.plan);
        if (row === undefined) continue;
        row.decisions += 1;
        if (row.layer === binding?.layer) row[verdict] += 1;
      }
    },

    undecided() {
      undecided += 1;
    },

    extended(admitted) {
      extensions.decisions += 1;
      if (!admitted) extensions.wouldRefuse += 1;
    },

    report: () => ({
      limiter,
      policy: policy.hash,
      since,
      ...total,
      wouldRefuse: total.newlyRefused + total.stillRefused,
      undecided,
      extensions: { ...extensions },
      layers: [...rows.values()].flatMap((plans) =>
        [...plans.values()].map((row) => ({ ...row, wouldRefuse: row.newlyRefused + row.stillRefused })),
      ),
    }),
  };
}
