import type { ShadowReport } from "headgate";
import type { RefusalRecord } from "./recent-refusals.ts";
import { addHeavy, type Heavy } from "./space-saving.ts";
import { type SeriesKey, type SparseSeries, STEP_MS, STEPS, seriesKinds } from "./timeline.ts";

/** A console ignores summaries of another version, whose counts may have another meaning. */
export const SUMMARY_VERSION = 2;

/** The counts of one process, as JSON of limited size. Processes share their summaries, and a console adds them up. */
export interface Summary {
  version: typeof SUMMARY_VERSION;
  process: { id: string; name: string; startedAt: number };
  series: SparseSeries[];
  tops: TopCallers[];
  limiters: LimiterSummary[];
  /** The reports of this process's shadows. */
  shadows: ShadowReport[];
  refusals: RefusalRecord[];
}

/** The callers that were refused, or near a limit, most often in one layer and half hour. */
export interface TopCallers extends Heavy {
  limiter: string;
  layer: string;
  kind: "refused" | "near";
  /** The number of the half hour since 1970. */
  era: number;
}

export interface LimiterSummary {
  name: string;
  policy: string;
  store: string;
  remote: boolean;
  state: "closed" | "open" | "half-open";
  since: number;
  reason: string | null;
  failures: number;
  timeouts: number;
  /** Changes not yet sent to the store. */
  untold: number;
  dropped: number;
  /** Live processes that the store last reported. */
  processes: number | null;
  /** Admitted requests that hold units or places. */
  holding: number;
}

/** A summary that another process stored. */
export interface StoredSummary {
  /** The JSON of a {@link Summary}. */
  text: string;
  /** The time since the summary was written, in milliseconds, by the clock of the place that stores it. */
  ageMs: number;
}

/** @returns `undefined` if this version cannot read the text */
export function readSummary(text: string): Summary | undefined {
  try {
    const summary: Partial<Summary> | null = JSON.parse(text);
    const isReadable =
      summary?.version === SUMMARY_VERSION &&
      typeof summary.process?.id === "string" &&
      [summary.series, summary.tops, summary.limiters, summary.shadows, summary.refusals].every(
        Array.isArray,
      );
    return isReadable ? (summary as Summary) : undefined;
  } catch {
    return undefined;
  }
}

/** A series over all processes: one count for each step, the oldest first. */
export interface SummedSeries {
  key: SeriesKey;
  counts: number[];
}

/** The counts of all processes. */
export interface Totals {
  /** When the first step begins, in milliseconds since 1970-01-01T00:00Z. */
  from: number;
  stepMs: number;
  series: SummedSeries[];
  tops: Omit<TopCallers, "era">[];
  /** The refusals, newest first. */
  refusals: RefusalRecord[];
}

/** The maximum number of callers that a sum of sketches lists. */
export const MOST_TOP_CALLERS = 64;

/**
 * Adds up what processes have counted.
 *
 * @param now the time that the last step contains, in milliseconds since 1970-01-01T00:00Z
 */
export function addUp(summaries: readonly Summary[], now: number): Totals {
  const first = Math.floor(now / STEP_MS) - STEPS + 1;
  const series = new Map<string, SummedSeries>();
  for (const { key, steps, counts } of summaries.flatMap((summary) => summary.series)) {
    if (!seriesKinds.includes(key[1])) continue;
    const text = key.join("\n");
    const summed = series.get(text) ?? { key, counts: new Array<number>(STEPS).fill(0) };
    series.set(text, summed);
    steps.forEach((step, s) => {
      const place = step - first;
      if (place < 0 || place >= STEPS) return;
      summed.counts[place] = (summed.counts[place] ?? 0) + (counts[s] ?? 0);
    });
  }
  return {
    from: first * STEP_MS,
    stepMs: STEP_MS,
    series: [...series.values()].filter(({ counts }) => counts.some((count) => count > 0)),
    tops: addTops(summaries.flatMap(({ tops }) => tops).filter(({ era }) => era >= eraOf(now) - 1)),
    refusals: summaries.flatMap(({ refusals }) => refusals).sort((one, other) => other.at - one.at),
  };
}

function addTops(tops: readonly TopCallers[]): Totals["tops"] {
  const kinds = new Map<string, TopCallers[]>();
  for (const top of tops) {
    const text = `${top.limiter}\n${top.layer}\n${top.kind}`;
    kinds.set(text, [...(kinds.get(text) ?? []), top]);
  }
  return [...kinds.values()].map((same) => {
    const [{ limiter, layer, kind }] = same as [TopCallers];
    return { limiter, layer, kind, ...addHeavy(same, MOST_TOP_CALLERS) };
  });
}

const ERA_MS = 1_800_000;

/** Returns the half hour of a time. Frequent callers are counted by half hours, so that old counts can be dropped. */
export function eraOf(at: number): number {
  return Math.floor(at / ERA_MS);
}
