import type { Admission, Clock, DecisionEvent, EndEvent, Limiter, LimitReading, Refused } from "headgate";
import { HeadgateError } from "headgate";
import { checkNames } from "../options.ts";
import { clip, clipKey } from "./clipped.ts";
import { finite } from "./finite.ts";
import { createRecentRefusals, type RefusalRecord, refusalsOfEach } from "./recent-refusals.ts";
import { createSpaceSaving, type SpaceSaving } from "./space-saving.ts";
import { eraOf, type LimiterSummary, MOST_TOP_CALLERS, SUMMARY_VERSION, type Summary } from "./summary.ts";
import { createTimeline, type SeriesKind } from "./timeline.ts";

/** The parts of a limiter that the console uses. */
export type Counted = Pick<Limiter<never>, "name" | "policy" | "observe" | "status" | "shadowReport">;

export interface CollectorOptions {
  /** The name of this process on the page, such as its host and process id. Default: a part of `Collector.id`. */
  name?: string;
  /** The source of the time. Default: the wall clock. */
  clock?: Pick<Clock, "now">;
}

/** Counts the decisions of this process's limiters, in bounded memory. */
export interface Collector {
  /** The id of this process, generated when the collector is created. */
  readonly id: string;
  readonly limiters: readonly Counted[];
  /**
   * Sets the request id of a refusal, so that the console can find the refusal by this id. Does nothing if the refusal
   * is no longer kept.
   *
   * @param refused the same object that `admit` returned
   * @param requestId the request's id; longer ids are cut to 100 characters
   */
  name(refused: Refused, requestId: string): void;
  summary(): Summary;
  /** Stops counting. */
  stop(): void;
}

/** From this share of a limit on, an admission counts as near the limit. */
const NEAR_FROM = 0.8;
/** Upper bounds of waits, in seconds. A wait counts under the first bound that is not less. */
const WAITS = [1, 5, 10, 30, 60, 300, 3_600, 86_400];
const LONGEST_REQUEST_ID = 100;
/** The maximum number of pairs of limiter and layer whose callers are counted. Policies have a few. */
const MOST_TOPS = 50;

/**
 * Counts what this process's limiters decide, for a console in this or another process.
 *
 * ```ts
 * const collector = createCollector([limiter]);
 * ```
 *
 * @param limiters limiters with different names
 * @throws HeadgateError `option-invalid`
 */
export function createCollector(limiters: readonly Counted[], options: CollectorOptions = {}): Collector {
  checkLimiters(limiters);
  checkNames("createCollector", options, { name: true, clock: true });
  const { clock = { now: Date.now } } = options;
  const id = crypto.randomUUID();
  const process = { id, name: options.name ?? id.slice(0, 8), startedAt: clock.now() };
  const timeline = createTimeline();
  // Keep separate lists, so that one limiter's refusals do not push out another's.
  const refusals = new Map(
    limiters.map(({ name }) => [name, createRecentRefusals(refusalsOfEach(limiters.length))]),
  );
  const records = new WeakMap<object, RefusalRecord>();
  const tops = new Map<string, Top>();

  function topOf(limiter: string, layer: string, kind: Top["kind"], at: number): SpaceSaving | undefined {
    const text = `${limiter}\n${layer}\n${kind}`;
    let top = tops.get(text);
    if (top === undefined) {
      if (tops.size >= MOST_TOPS) return undefined;
      top = { limiter, layer, kind, eras: [] };
      tops.set(text, top);
    }
    const era = eraOf(at);
    const newest = top.eras.at(-1);
    // If the clock was set back, keep counting in the latest half hour.
    if (newest !== undefined && era <= newest.era) return newest.sketch;
    const sketch = createSpaceSaving(MOST_TOP_CALLERS);
    top.eras = [...top.eras.slice(-1), { era, sketch }];
    return sketch;
  }

  function decided({ limiter, admission, partitions }: DecisionEvent): void {
    const at = clock.now();
    const add = (kind: SeriesKind, name: string) => timeline.add(at, [limiter, kind, name]);
    const keyIn = (layer: string) => clipKey(partitions.find((one) => one.layer === layer)?.key ?? "");
    if (admission.plan !== undefined) add("plan", admission.plan);
    add("by", admission.decidedBy);
    if (admission.admitted) {
      const near = nearestOf(admission.limits);
      add(near === undefined ? "admitted" : "near", near?.layer ?? "");
      if (near !== undefined) topOf(limiter, near.layer, "near", at)?.add(keyIn(near.layer));
      return;
    }
    const { layer } = admission.binding;
    const key = keyIn(layer);
    add("refused", layer);
    if (admission.plan !== undefined) add("plan-refused", admission.plan);
    add("wait", waitName(admission.retryAfterMs));
    topOf(limiter, layer, "refused", at)?.add(key);
    const record = recordOf(limiter, admission, key, at);
    records.set(admission, record);
    if (refusals.get(limiter)?.add(record)) add("early", "");
  }

  function ended({ limiter, used, granted }: EndEvent): void {
    const at = clock.now();
    for (const [unit, amount] of Object.entries(used)) {
      if (amount > 0) timeline.add(at, [limiter, "used", unit], amount);
      const beyond = amount - (granted[unit] ?? 0);
      if (beyond > 0) timeline.add(at, [limiter, "overshoot", unit], beyond);
    }
  }

  const stops = limiters.map((limiter) => limiter.observe({ decided, ended }));

  return {
    id,
    limiters,
    name(refused, requestId) {
      const record = records.get(refused);
      if (record !== undefined) record.requestId = requestId.slice(0, LONGEST_REQUEST_ID);
    },
    summary: () => ({
      version: SUMMARY_VERSION,
      process,
      series: timeline.read(clock.now()),
      tops: [...tops.values()].flatMap(({ limiter, layer, kind, eras }) =>
        eras.map(({ era, sketch }) => ({ limiter, layer, kind, era, ...sketch.read() })),
      ),
      limiters: limiters.map(limiterSummary),
      shadows: limiters.flatMap((limiter) => limiter.shadowReport() ?? []),
      refusals: [...refusals.values()].flatMap((pool) => pool.read()),
    }),
    stop() {
      for (const stop of stops.splice(0)) stop();
    },
  };
}

interface Top {
  limiter: string;
  layer: string;
  kind: "refused" | "near";
  eras: { era: number; sketch: SpaceSaving }[];
}

function checkLimiters(limiters: readonly Counted[]): void {
  const names = new Set<string>();
  for (const limiter of Array.isArray(limiters) ? limiters : []) {
    const isLimiter = typeof limiter === "object" && limiter !== null && "observe" in limiter;
    if (!isLimiter || names.has(limiter.name)) break;
    names.add(limiter.name);
  }
  if (names.size > 0 && names.size === limiters.length) return;
  throw new HeadgateError(
    "option-invalid",
    "createCollector takes a list of limiters that createLimiter has made, one or more, each with a different name: createCollector([limiter]).",
  );
}

function recordOf(limiter: string, admission: Refused, key: string, at: number): RefusalRecord {
  const { binding, overrides = [] } = admission;
  const override = overrides.find(({ layer }) => layer === binding.layer);
  return {
    requestId: null,
    at,
    limiter,
    layer: binding.layer,
    key,
    plan: admission.plan ?? null,
    reason: admission.reason,
    limit: binding.name,
    quota: binding.quota,
    unit: binding.unit,
    windowMs: binding.windowMs,
    remaining: binding.remaining,
    waitMs: finite(admission.retryAfterMs),
    waitsFor: admission.waitsFor,
    decidedBy: admission.decidedBy,
    policy: admission.policy,
    override:
      override === undefined
        ? null
        : {
            limits: clip(override.limits),
            until: finite(override.until),
            reason: override.reason === undefined ? null : clip(override.reason),
            by: override.by === undefined ? null : clip(override.by),
          },
  };
}

function limiterSummary(limiter: Counted): LimiterSummary {
  const status = limiter.status();
  return {
    name: limiter.name,
    policy: limiter.policy.hash,
    store: status.store,
    remote: status.remote,
    state: status.state,
    since: status.since,
    reason: status.reason === undefined ? null : clip(status.reason),
    failures: status.counters?.failures ?? 0,
    timeouts: status.counters?.timeouts ?? 0,
    untold: status.waiting,
    dropped: status.counters?.dropped ?? 0,
    processes: status.processes ?? null,
    holding: status.reservations,
  };
}

/**
 * Returns the limit of which the largest share is used. Ignores `concurrent` limits, whose places are taken and freed
 * all the time.
 */
function nearestOf(limits: Admission["limits"]): LimitReading | undefined {
  let nearest: LimitReading | undefined;
  let most = NEAR_FROM;
  for (const limit of limits) {
    const share = 1 - limit.remaining / limit.quota;
    if (limit.algorithm === "concurrent" || share < most) continue;
    most = share;
    nearest = limit;
  }
  return nearest;
}

function waitName(waitMs: number): string {
  const found = WAITS.find((seconds) => waitMs <= seconds * 1_000);
  if (found !== undefined) return String(found);
  return Number.isFinite(waitMs) ? "longer" : "never";
}
