/** The length of a step, in milliseconds. */
export const STEP_MS = 15_000;
/** How many steps are kept. Together they are one hour. */
export const STEPS = 240;
/** The maximum number of series of a process. The limits, layers and plans of a policy make a few dozen. */
const MOST_SERIES = 400;
const OTHERS = "others";

/** Identifies a series: a limiter, a kind of decision, and a name. */
export type SeriesKey = readonly [limiter: string, kind: SeriesKind, name: string];

/**
 * `admitted`, `near` and `refused` are counted by layer, `plan` and `plan-refused` by plan, `wait` by an upper bound of
 * the wait in seconds, `by` by who decided, `used` and `overshoot` by unit. `early` counts refusals of callers who
 * retried before their wait was over.
 */
export type SeriesKind = (typeof seriesKinds)[number];
export const seriesKinds = [
  "admitted",
  "near",
  "refused",
  "plan",
  "plan-refused",
  "wait",
  "early",
  "by",
  "used",
  "overshoot",
] as const;

/** A serialised series, with only the steps that have counts. */
export interface SparseSeries {
  key: SeriesKey;
  /** The numbers of the steps since 1970. */
  steps: number[];
  counts: number[];
}

/** Counts over the last hour, in steps of 15 seconds. */
export interface Timeline {
  add(at: number, key: SeriesKey, times?: number): void;
  read(now: number): SparseSeries[];
}

interface Series {
  readonly key: SeriesKey;
  readonly counts: Float64Array;
}

export function createTimeline(): Timeline {
  const series: Series[] = [];
  /** The series by limiter, kind and name. Joining these into one key would take most of the time of a decision. */
  const byKey = new Map<string, Map<SeriesKind, Map<string, Series>>>();
  let newest = Number.NEGATIVE_INFINITY;

  /** Moves to the step of a time. If the clock was set back, stays in the latest step. */
  function advance(at: number): number {
    const step = Math.floor(at / STEP_MS);
    if (step <= newest) return newest;
    const passed = Math.min(step - newest, STEPS);
    for (let s = 0; s < passed; s += 1) {
      const place = placeOf(step - s);
      for (const { counts } of series) counts[place] = 0;
    }
    newest = step;
    return step;
  }

  function seriesOf(key: SeriesKey): Series | undefined {
    const [limiter, kind, name] = key;
    const known = byKey.get(limiter)?.get(kind)?.get(name);
    if (known !== undefined) return known;
    if (series.length >= MOST_SERIES && name !== OTHERS) return undefined;
    const made = { key, counts: new Float64Array(STEPS) };
    series.push(made);
    const kinds = byKey.get(limiter) ?? new Map<SeriesKind, Map<string, Series>>();
    const names = kinds.get(kind) ?? new Map<string, Series>();
    byKey.set(limiter, kinds.set(kind, names.set(name, made)));
    return made;
  }

  return {
    add(at, key, times = 1) {
      const place = placeOf(advance(at));
      const found = seriesOf(key) ?? seriesOf([key[0], key[1], OTHERS]);
      if (found !== undefined) found.counts[place] = (found.counts[place] ?? 0) + times;
    },

    read(now) {
      const last = advance(now);
      const read: SparseSeries[] = [];
      for (const { key, counts } of series) {
        const steps: number[] = [];
        const nonZero: number[] = [];
        for (let step = last - STEPS + 1; step <= last; step += 1) {
          const count = counts[placeOf(step)] ?? 0;
          if (count === 0) continue;
          steps.push(step);
          nonZero.push(count);
        }
        if (steps.length > 0) read.push({ key, steps, counts: nonZero });
      }
      return read;
    },
  };
}

function placeOf(step: number): number {
  return ((step % STEPS) + STEPS) % STEPS;
}
