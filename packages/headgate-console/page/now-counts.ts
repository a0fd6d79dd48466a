import type { SeriesKind } from "../src/counting/timeline.ts";
import type { Now } from "../src/serving/view.ts";

export const RANGES = [
  { name: "15 minutes", steps: 60, perBar: 1 },
  { name: "1 hour", steps: 240, perBar: 4 },
] as const;

export type Range = (typeof RANGES)[number];
export type Counts = ReturnType<typeof countsOf>;

/** Returns the counts of one limiter, for bars over a range and for totals. */
export function countsOf(now: Now, limiter: string, { steps, perBar }: Range) {
  const ofLimiter = now.series
    .filter(({ key }) => key[0] === limiter)
    .map(({ key, counts }) => ({ kind: key[1], name: key[2], counts: counts.slice(-steps) }));
  const of = (kind: SeriesKind, name?: string) =>
    ofLimiter.filter((one) => one.kind === kind && (name === undefined || one.name === name));
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const all = now.series[0]?.counts.length ?? steps;
  const bars = steps / perBar;
  return {
    times: Array.from({ length: bars }, (_, bar) => now.from + (all - steps + bar * perBar) * now.stepMs),
    over: (kind: SeriesKind, name?: string) => {
      const found = of(kind, name);
      return Array.from({ length: bars }, (_, bar) =>
        total(found.map(({ counts }) => total(counts.slice(bar * perBar, (bar + 1) * perBar)))),
      );
    },
    sum: (kind: SeriesKind, name?: string) => total(of(kind, name).map(({ counts }) => total(counts))),
    byName: (kind: SeriesKind): [string, number][] =>
      of(kind)
        .map(({ name, counts }): [string, number] => [name, total(counts)])
        .filter(([, count]) => count > 0)
        .sort(([, one], [, other]) => other - one),
  };
}
