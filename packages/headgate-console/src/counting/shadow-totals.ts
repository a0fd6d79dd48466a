import type { ShadowLayerReport, ShadowReport } from "headgate";
import type { Summary } from "./summary.ts";

/** What the shadow of one limiter has decided, in all processes that reported. */
export interface ShadowTotals extends Pick<ShadowReport, TotalName> {
  processes: number;
  extensions: { decisions: number; wouldRefuse: number };
  layers: (Pick<ShadowLayerReport, RowName> & { layer: string; plan: string | null })[];
}

const TOTALS = [
  "decisions",
  "wouldRefuse",
  "newlyRefused",
  "stillRefused",
  "newlyAdmitted",
  "overridden",
  "undecided",
] as const;
const ROWS = ["decisions", "wouldRefuse", "newlyRefused", "stillRefused"] as const;
type TotalName = (typeof TOTALS)[number];
type RowName = (typeof ROWS)[number];

/**
 * The largest expected difference between machines' clocks. A report that began earlier is from an earlier trial of the
 * same policy.
 */
const CLOCKS_DIFFER_MS = 60_000;

/**
 * Adds up the processes' reports of one shadow.
 *
 * @param since when the shadow was set, in milliseconds since 1970-01-01T00:00Z
 */
export function addShadows(
  summaries: readonly Summary[],
  limiter: string,
  policy: string,
  since: number,
): ShadowTotals {
  const reports = summaries
    .flatMap(({ shadows }) => shadows)
    .filter(
      (one) => one.limiter === limiter && one.policy === policy && one.since >= since - CLOCKS_DIFFER_MS,
    );
  const rows = new Map<string, ShadowTotals["layers"][number]>();
  for (const { layer, plan, ...counts } of reports.flatMap(({ layers }) => layers)) {
    const key = JSON.stringify([layer, plan]);
    const row = rows.get(key) ?? { layer, plan: plan ?? null, ...sums(ROWS, []) };
    rows.set(key, { ...row, ...sums(ROWS, [row, counts]) });
  }
  return {
    processes: reports.length,
    ...sums(TOTALS, reports),
    extensions: sums(
      ["decisions", "wouldRefuse"],
      reports.map(({ extensions }) => extensions),
    ),
    layers: [...rows.values()],
  };
}

function sums<Name extends string>(
  names: readonly Name[],
  counts: readonly Record<Name, number>[],
): Record<Name, number> {
  const sumOf = (name: Name) => counts.reduce((sum, one) => sum + one[name], 0);
  return Object.fromEntries(names.map((name) => [name, sumOf(name)])) as Record<Name, number>;
}
